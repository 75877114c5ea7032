"""The labels and sentences that fit a track best, out of a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import yaml

from muscall.errors import MuscallError
from muscall.evaluation.zeroshot import ENSEMBLE, PLAIN, embed_labels
from muscall.models.muscall import MusCALL


@dataclass(frozen=True)
class Label:
    """A label, its kind, and how many standard deviations a track is nearer to it than others."""

    kind: str
    text: str
    strength: float


class Vocabulary:
    """Labels by kind, and where they lie in the space of a model.

    Cosines of labels cannot be compared with each other: some lie near everything. So a track's
    are told against those of other tracks.

    Args:
        labels: by kind.
        others: (n, dim) embeddings of the tracks to tell against, n >= 2.
    """

    def __init__(self, model: MusCALL, labels: dict[str, list[str]], others: np.ndarray) -> None:
        self.labels = [(kind, text) for kind, texts in labels.items() for text in texts]
        # A phrase or sentence stands for itself; a word is put into the paper's kind of prompt.
        whole = np.array([len(text.split()) > 3 for _, text in self.labels])
        self._vectors = np.empty((len(self.labels), model.config.dim), np.float32)
        for chosen, templates in ((whole, PLAIN), (~whole, ENSEMBLE)):
            texts = [text for (_, text), one in zip(self.labels, chosen, strict=True) if one]
            if texts:
                self._vectors[chosen] = embed_labels(model, texts, templates)
        usual = others @ self._vectors.T
        self._mean, self._spread = usual.mean(axis=0), usual.std(axis=0).clip(min=1e-6)

    def strengths(self, tracks: np.ndarray) -> np.ndarray:
        """(n, dim) embeddings -> (n, labels) standard deviations over the other tracks."""
        strengths: np.ndarray = (tracks @ self._vectors.T - self._mean) / self._spread
        return strengths

    def describe(self, track: np.ndarray, n: int = 3) -> list[Label]:
        """The `n` labels of each kind that fit an embedding (dim,) best, best first."""
        strengths = self.strengths(track[None])[0]
        found: dict[str, list[Label]] = {}
        for (kind, text), strength in zip(self.labels, strengths.tolist(), strict=True):
            found.setdefault(kind, []).append(Label(kind, text, strength))
        return [
            label
            for labels in found.values()
            for label in sorted(labels, key=lambda label: -label.strength)[:n]
        ]


def read_labels(path: Path | None = None) -> dict[str, list[str]]:
    """Labels by kind: of YAML as `vocabulary.yaml`, which None stands for, or of a line each.

    Raises:
        MuscallError: the file cannot be read, or has no labels.
    """
    if path is None:
        text = resources.files("muscall.library").joinpath("vocabulary.yaml").read_text("utf-8")
        return dict(yaml.safe_load(text))
    try:
        text = path.read_text("utf-8")
        told = yaml.safe_load(text) if path.suffix in (".yaml", ".yml") else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise MuscallError(f"{path}: no labels: {reason}") from None
    if told is None:
        told = {"label": [line.strip() for line in text.splitlines()]}
    if not isinstance(told, dict) or not all(_is_list(labels) for labels in told.values()):
        raise MuscallError(f"{path}: expected lists of labels by kind, or a label a line")
    found = {str(kind): [str(label) for label in labels if label] for kind, labels in told.items()}
    if not any(found.values()):
        raise MuscallError(f"{path}: no labels")
    return found


def _is_list(labels: object) -> bool:
    return isinstance(labels, Sequence) and not isinstance(labels, str)
