"""What is measured of a model, on rows that it has not trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muscall.data.manifest import read_manifest
from muscall.evaluation.metrics import ranks
from muscall.evaluation.retrieval import RetrievalResult, evaluate_retrieval
from muscall.models.muscall import MusCALL
from muscall.reproduce.paper import A2T, T2A


@dataclass(frozen=True)
class Held:
    """Rows kept aside: `test` is a manifest of pairs."""

    test: Path

    def key(self, measure: str) -> str:
        """What the files of `measure` are called after."""
        return self.test.stem

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
    result = evaluate_retrieval(model, rows)
    np.savez(folder / held.embeddings, audio=result.audio, text=result.text)
    failed = {failure.path for failure in result.failures}
    values = {}
    for way, found, ends in _ways(result):
        values |= {f"{way} {name}": [value, *ends[name]] for name, value in found.items()}
    return {
        "values": values,
        "ranks": {
            T2A: ranks(result.similarity).tolist(),
            A2T: ranks(result.similarity.T).tolist(),
        },
        "items": result.items,
        "ids": [row.id for row in rows if row.audio not in failed],
    }


def _ways(result: RetrievalResult) -> list[tuple[str, dict[str, float], Mapping[str, Any]]]:
    return [
        (T2A, result.text_to_audio, result.intervals["text_to_audio"]),
        (A2T, result.audio_to_text, result.intervals["audio_to_text"]),
    ]


Measure = Callable[[MusCALL, Held, Path], dict[str, Any]]
MEASURES: dict[str, Measure] = {"retrieval": retrieval}
