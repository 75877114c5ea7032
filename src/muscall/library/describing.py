"""The labels and sentences that fit a track best, out of a vocabulary."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import platformdirs
import yaml

from muscall.errors import MuscallError
from muscall.evaluation.zeroshot import ENSEMBLE, PLAIN, embed_labels
from muscall.library.cache import Cache
from muscall.library.names import folded, several_names
from muscall.library.trusted import Calibration

if TYPE_CHECKING:
    from muscall.models.reader import Reader

ENOUGH = 20  # tracks, to compare one with
# What programs write where nobody said a genre.
_NO_GENRES = {"other", "unknown", "none", "misc", "miscellaneous", "music", "genre", "sound fx"}
_KEPT = 20 << 20  # bytes of vectors of labels
# Of each of these labels of the package one alone can be true of a track.
EXCLUSIVE: tuple[set[str], ...] = (
    {"drums", "without drums"}, {"drum machine", "without drums"}, {"acoustic", "electronic"},
    {"very slow", "slow", "mid-tempo", "fast", "very fast"}, {"loud", "quiet"},
    {"beatless", "with a steady beat"}, {"beatless", "rhythmic"}, {"bright", "muffled"},
    {"busy", "sparse"}, {"instrumental", "voice"}, {"instrumental", "choir"},
    {"happy", "sad"}, {"calm", "energetic"}, {"calm", "aggressive"}, {"relaxed", "tense"},
)  # fmt: skip


@dataclass(frozen=True)
class Label:
    """A label of a track."""

    kind: str
    text: str
    strength: float
    """How many standard deviations nearer it is than usual; under 0, it does not fit. Of a label
    that can be trusted, how far it is above what that takes. 0 if the file itself says so.
    """
    told: bool = False
    """Whether the file's own tags say so."""


class Vocabulary:
    """Labels by kind, and where they lie in the space of a model.

    Cosines of labels cannot be compared with each other: some lie near everything. So a track's
    are compared with those of other tracks. Without ENOUGH of these each is compared with the other
    labels of its kind; what lies near everything is then named too often. With a calibration
    only labels that can be trusted are given: better none than a wrong one.

    Args:
        labels: by kind.
        others: (n, dim) embeddings of the tracks to compare with; None for none.
        exclusive: groups of labels of which a track is given the best alone.
        embedding_version: that of the model. The user's cache folder keeps the vectors of the
            labels under it; None keeps nothing.
        calibration: of these labels, in their order.
    """

    def __init__(
        self,
        model: Reader,
        labels: dict[str, list[str]],
        others: np.ndarray | None = None,
        *,
        exclusive: Sequence[set[str]] = (),
        embedding_version: str | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self.labels = [(kind, text) for kind, texts in labels.items() for text in texts]
        self._exclusive = exclusive
        self._calibration = calibration
        self._kinds = np.array([kind for kind, _ in self.labels])
        self._vectors = embedded(model, [text for _, text in self.labels], embedding_version)
        self._usual = None if others is None else self._told(others)

    def against(self, others: np.ndarray) -> Self:
        """The same labels, compared with other tracks (n, dim)."""
        new = copy.copy(self)
        new._usual = self._told(others)
        return new

    def _told(self, others: np.ndarray) -> np.ndarray | None:
        """(2, labels) mean and spread of each over tracks; None where these are too few."""
        scores = others @ self._vectors.T
        return None if len(others) < ENOUGH else np.stack([scores.mean(axis=0), scores.std(axis=0)])

    def strengths(self, tracks: np.ndarray) -> np.ndarray:
        """(n, dim) embeddings -> (n, labels), see `Label.strength`."""
        scores: np.ndarray = tracks @ self._vectors.T
        if self._calibration is not None:
            return self._calibration.strengths(tracks, scores, self._usual)
        if self._usual is not None:
            mean, spread = self._usual
            return np.asarray((scores - mean) / spread.clip(min=1e-6))
        for kind in dict.fromkeys(self._kinds):
            of_kind = scores[:, self._kinds == kind]
            spread = of_kind.std(axis=1, keepdims=True).clip(min=1e-6)
            scores[:, self._kinds == kind] = (
                of_kind - of_kind.mean(axis=1, keepdims=True)
            ) / spread
        return scores

    def describe(self, track: np.ndarray, n: int = 3, genre: str | None = None) -> list[Label]:
        """The `n` labels of each kind that fit an embedding (dim,) best, best first.

        Args:
            genre: what the file's own tags say, with "; " between several: it comes first.
        """
        strengths = self.strengths(track[None])[0].tolist()
        own = [Label("genre", name, 0.0, told=True) for name in told_genres(genre)[:n]]
        found: dict[str, list[Label]] = {kind: [] for kind in ("genre", *self._kinds.tolist())}
        found["genre"] += own
        said = {folded(label.text) for label in own}
        for index in sorted(range(len(strengths)), key=lambda index: -strengths[index]):
            kind, text = self.labels[index]
            if self._calibration is not None and strengths[index] < 0:
                break
            excluded = any(text in group and said & (group - {text}) for group in self._exclusive)
            if len(found[kind]) < n and not excluded and text not in said:
                said.add(text)
                found[kind].append(Label(kind, text, strengths[index]))
        return [label for labels in found.values() for label in labels]

    def fitting(self, track: np.ndarray, n: int = 3) -> list[Label]:
        """Those of `describe` that fit an embedding (dim,) better than usual."""
        return [label for label in self.describe(track, n) if label.strength > 0]


def told_genres(tag: str | None) -> list[str]:
    """The genres in a tag, without those that say nothing."""
    return [name for name in several_names(tag) if folded(name).strip("()") not in _NO_GENRES]


def embedded(model: Reader, labels: Sequence[str], embedding_version: str | None) -> np.ndarray:
    """(len(labels), dim) float32, unit norm."""
    # A phrase or sentence stands for itself; a word is put into the paper's kind of prompt.
    whole = np.array([len(label.split()) > 3 for label in labels])
    vectors = np.empty((len(labels), model.config.dim), np.float32)

    def embed() -> np.ndarray:
        for chosen, templates in ((whole, PLAIN), (~whole, ENSEMBLE)):
            texts = [label for label, one in zip(labels, chosen, strict=True) if one]
            if texts:
                vectors[chosen] = embed_labels(model, texts, templates)
        return vectors

    if embedding_version is None:
        return embed()
    cache = Cache(platformdirs.user_cache_path("muscall") / "labels", _KEPT)
    told = json.dumps([embedding_version, labels, whole.tolist(), PLAIN, ENSEMBLE]).encode()
    return cache.array(f"{blake2b(told, digest_size=16).hexdigest()}.vectors", vectors.shape, embed)


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
