"""What is measured of a model, on rows that it has not trained on."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muscall.data.manifest import Row, in_split, read_manifest
from muscall.errors import ConfigError
from muscall.evaluation.labelling import Labelling, LabelResult, evaluate_zeroshot
from muscall.evaluation.metrics import ranks
from muscall.evaluation.probe import SPLITS, evaluate_probe
from muscall.evaluation.retrieval import RetrievalResult, evaluate_retrieval
from muscall.evaluation.zeroshot import TEMPLATES
from muscall.models.muscall import MusCALL
from muscall.reproduce.paper import A2T, T2A

log = logging.getLogger("muscall")

Values = dict[str, list[float]]
"""By column, a value and the ends of its interval."""


@dataclass(frozen=True)
class Held:
    """Rows kept aside: `test` is a manifest of pairs; `labelled` names manifests of rows with
    labels. Their names, or else their text, tell what they hold.
    """

    test: Path
    labelled: tuple[tuple[str, Path], ...] = ()

    def key(self, measure: str) -> str:
        """What the scores of `measure` depend on beside the model, in a word."""
        if measure == "retrieval":
            return self.test.stem
        told = hashlib.sha256()
        for name, path in self.labelled:
            told.update(f"{name}\0".encode() + path.read_bytes())
        return told.hexdigest()[:12]

    def check(self, measure: str) -> None:
        """See that there is what `measure` asks for, before hours of training.

        Raises:
            ConfigError: rows with labels are asked for, and there are none that can be scored.
            ManifestError: naming every unusable row.
        """
        if measure == "probe":
            _probed(self)
        elif measure != "retrieval":
            list(_labelled(self))

    @property
    def embeddings(self) -> str:
        """The file, in a run's folder, of `audio` and `text`, (items, dim) float32 each."""
        return f"embeddings-{self.test.stem}.npz"


def retrieval(model: MusCALL, held: Held, folder: Path) -> dict[str, Any]:
    """Both directions; keeps the ranks, for comparisons by query, and in `folder` the embeddings.

    Returns:
        `values`: by column, the value and the ends of its interval over queries. `ranks`: by
        direction, the rank of each query's right item. `items`, and the `ids` of their rows.
    """
    rows = read_manifest(held.test)
    result = evaluate_retrieval(model, rows, captions="first")
    np.savez(folder / held.embeddings, audio=result.audio, text=result.text)
    failed = {failure.path for failure in result.failures}
    values: Values = {}
    for way, found, ends in _ways(result):
        values |= {f"{way} {name}": [value, *ends[name]] for name, value in found.items()}
    return {
        "values": values,
        "ranks": {
            T2A: ranks(result.similarity, result.right).tolist(),
            A2T: ranks(result.similarity.T, result.right.T).tolist(),
        },
        "items": result.items,
        "ids": [row.id for row in rows if row.audio not in failed],
    }


def _ways(result: RetrievalResult) -> list[tuple[str, dict[str, float], Mapping[str, Any]]]:
    return [
        (T2A, result.text_to_audio, result.intervals["text_to_audio"]),
        (A2T, result.audio_to_text, result.intervals["audio_to_text"]),
    ]


def zeroshot(model: MusCALL, held: Held, folder: Path) -> dict[str, Any]:  # noqa: ARG001
    """Each way of asking for the labels of each set, over its rows of split test.

    Returns:
        `values`: by way and column, in percent, with the ends of the interval over rows.
        `chance`: by column, what random scores are expected to have.

    Raises:
        ConfigError: there are no rows with labels.
    """
    values: Values = {}
    chance: dict[str, float] = {}
    for name, rows in _labelled(held):
        asked = [row for row in rows if row.split in ("test", None)]
        found = evaluate_zeroshot(model, asked, Labelling.of(rows), TEMPLATES)
        values |= _columns(name, found)
        chance |= _by_chance(name, found)
    return {"values": values, "chance": chance}


def probe(model: MusCALL, held: Held, folder: Path) -> dict[str, Any]:  # noqa: ARG001
    """What a logistic regression reads off the embedding, and off what the encoder gives to the
    projection; of each set whose splits share labels: the open corpus' styles are of one split
    each. Returns and raises as `zeroshot` does.
    """
    values: Values = {}
    chance: dict[str, float] = {}
    for name, rows in _probed(held):
        for told, features in (("embedding", False), ("features", True)):
            found = evaluate_probe(model, rows, features=features)
            values |= {
                column.replace("linear probe", told, 1): value
                for column, value in _columns(name, found).items()
            }
            chance |= _by_chance(name, found)
    return {"values": values, "chance": chance}


def _labelled(held: Held) -> Iterator[tuple[str, list[Row]]]:
    if not held.labelled:
        raise ConfigError("no rows with labels: give --gtzan, --magnatagatune or the open corpus")
    for name, path in held.labelled:
        yield name, read_manifest(path, needs="labels", check_files=False)


def _probed(held: Held) -> list[tuple[str, list[Row]]]:
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
        f"{way}: {name} {measure}": [value, *found.intervals[way][measure]]
        for way, scores in found.scores.items()
        for measure, value in scores.items()
    }


def _by_chance(name: str, found: LabelResult) -> dict[str, float]:
    return {f"{name} {measure}": value for measure, value in found.chance.items()}


Measure = Callable[[MusCALL, Held, Path], dict[str, Any]]
MEASURES: dict[str, Measure] = {"retrieval": retrieval, "zeroshot": zeroshot, "probe": probe}
