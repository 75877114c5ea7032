"""Scores of a trained model on held-out rows."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muscall.data.manifest import Row, in_split, read_manifest
from muscall.errors import ConfigError
from muscall.evaluation.labelling import Labelling, LabelResult, evaluate_zeroshot
from muscall.evaluation.metrics import ranks
from muscall.evaluation.probe import SPLITS, evaluate_probe
from muscall.evaluation.retrieval import evaluate_retrieval
from muscall.evaluation.score import Score
from muscall.evaluation.zeroshot import TEMPLATES
from muscall.models.muscall import MusCALL
from muscall.reproduce.paper import A2T, T2A

log = logging.getLogger("muscall")

Values = dict[str, Score]
"""By column; as JSON a list of the value and the ends of its interval."""


@dataclass(frozen=True)
class HeldOut:
    """The manifests that models are tested on.

    `test` is a manifest of pairs. `labelled` are manifests of rows with labels, each with a name.
    """

    test: Path
    labelled: tuple[tuple[str, Path], ...] = ()

    def key(self, measure: str) -> str:
        """A file-name part that differs where scores of `measure` may differ for the same model."""
        if measure == "retrieval":
            return self.test.stem
        digest = hashlib.sha256()
        for name, path in self.labelled:
            digest.update(f"{name}\0".encode() + path.read_bytes())
        return digest.hexdigest()[:12]

    def check(self, measure: str) -> None:
        """Check, before hours of training, that the rows for `measure` are there.

        Raises:
            ConfigError: no labelled rows, or none that can be scored.
            ManifestError: naming every unusable row.
        """
        if measure == "probe":
            _probed(self)
        elif measure != "retrieval":
            list(_labelled(self))

    @property
    def embeddings(self) -> str:
        """The file in a run's folder with `audio` and `text`, (items, dim) float32 each."""
        return f"embeddings-{self.test.stem}.npz"


def retrieval(model: MusCALL, held: HeldOut, folder: Path) -> dict[str, Any]:
    """Scores of both directions. Writes the embeddings into `folder`.

    Returns:
        `values`: scores with their intervals over queries, by column. `ranks`: the rank of each
        query's right item, by direction. `items`: how many. `ids`: those of the items' rows.
    """
    rows = read_manifest(held.test)
    result = evaluate_retrieval(model, rows, captions="first")
    np.savez(folder / held.embeddings, audio=result.audio, text=result.text)
    failed = {failure.path for failure in result.failures}
    return {
        "values": {
            f"{way} {name}": score
            for way, scores in zip((T2A, A2T), result.scores.values(), strict=True)
            for name, score in scores.items()
        },
        "ranks": {
            T2A: ranks(result.similarity, result.right).tolist(),
            A2T: ranks(result.similarity.T, result.right.T).tolist(),
        },
        "items": result.items,
        "ids": [row.id for row in rows if row.audio not in failed],
    }


def zeroshot(model: MusCALL, held: HeldOut, folder: Path) -> dict[str, Any]:  # noqa: ARG001
    """Zero-shot scores of each prompt on the test rows of each labelled set.

    Returns:
        `values`: scores in percent with their intervals over rows, by prompt and column.
        `chance`: the expected scores of random answers, by column.

    Raises:
        ConfigError: there are no rows with labels.
    """
    values: Values = {}
    chance: dict[str, float] = {}
    for name, rows in _labelled(held):
        tested = [row for row in rows if row.split in ("test", None)]
        found = evaluate_zeroshot(model, tested, Labelling.of(rows), TEMPLATES)
        values |= _columns(name, found)
        chance |= _chance(name, found)
    return {"values": values, "chance": chance}


def probe(model: MusCALL, held: HeldOut, folder: Path) -> dict[str, Any]:  # noqa: ARG001
    """Linear probes of the embedding and of the encoder's features before the projection.

    Sets whose splits share no label are left out: each style of the open corpus is in one split
    only. Returns and raises as `zeroshot` does.
    """
    values: Values = {}
    chance: dict[str, float] = {}
    for name, rows in _probed(held):
        for source, features in (("embedding", False), ("features", True)):
            found = evaluate_probe(model, rows, features=features)
            values |= {
                column.replace("linear probe", source, 1): value
                for column, value in _columns(name, found).items()
            }
            chance |= _chance(name, found)
    return {"values": values, "chance": chance}


def _labelled(held: HeldOut) -> Iterator[tuple[str, list[Row]]]:
    if not held.labelled:
        raise ConfigError("no rows with labels: give --gtzan, --magnatagatune or the open corpus")
    for name, path in held.labelled:
        yield name, read_manifest(path, needs="labels", check_files=False)


def _probed(held: HeldOut) -> list[tuple[str, list[Row]]]:
    found = []
    for name, rows in _labelled(held):
        each = [{label for row in in_split(rows, split) for label in row.labels or ()}
                for split in SPLITS]  # fmt: skip
        if set.intersection(*each):
            found.append((name, rows))
        else:
            log.warning("%s: no label is in all splits, nothing to probe", name)
    if not found:
        raise ConfigError("no label is in all of the splits train, val and test")
    return found


def _columns(name: str, found: LabelResult) -> Values:
    return {
        f"{way}: {name} {measure}": score
        for way, scores in found.scores.items()
        for measure, score in scores.items()
    }


def _chance(name: str, found: LabelResult) -> dict[str, float]:
    return {f"{name} {measure}": value for measure, value in found.chance.items()}


Measure = Callable[[MusCALL, HeldOut, Path], dict[str, Any]]
MEASURES: dict[str, Measure] = {"retrieval": retrieval, "zeroshot": zeroshot, "probe": probe}
