"""Which labels of the package can be trusted of what its weights hear: `labels.npz`.

Of every label that it has, at least four of five tracks that were given it had it, among real
tracks whose tags or documentation tell (`recipes/evaluate/labels.py`, which makes it).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import IO

import numpy as np

FILE = resources.files("muscall.library").joinpath("labels.npz")


@dataclass(frozen=True, eq=False)
class Calibration:
    """How strong a label must be to be given, for the weights of one embedding version."""

    labels: dict[str, list[str]]
    """Those that can be trusted by kind, n in all."""
    tagger: np.ndarray
    """(n, dim + 1) float32: from an embedding and 1 to the log-odds that the tagger of the weights
    gives a label; 0 for those that are judged by their text.
    """
    least: np.ndarray
    """(n,) float32 log-odds, or standard deviations over other tracks, from which it is given."""
    usual: np.ndarray
    """(2, n) float32: mean and spread of its cosine over recordings."""

    def write(self, file: IO[bytes], embedding_version: str) -> None:
        """Write what `calibration` reads, in the order of `labels`."""
        told = [(kind, text) for kind, texts in self.labels.items() for text in texts]
        kinds, texts = zip(*told, strict=True)
        np.savez_compressed(
            file, embedding_version=embedding_version, kinds=kinds, texts=texts,
            tagger=self.tagger, least=self.least, usual=self.usual,
        )  # fmt: skip

    def strengths(
        self, tracks: np.ndarray, cosines: np.ndarray, usual: np.ndarray | None
    ) -> np.ndarray:
        """(n_tracks, n): how far each label is above `least`.

        Args:
            tracks: (n_tracks, dim) embeddings.
            cosines: (n_tracks, n) with the labels.
            usual: (2, n) mean and spread of the cosines over other tracks, None if not known.
        """
        mean, spread = self.usual if usual is None else usual
        deviations = (cosines - mean) / spread.clip(min=1e-6)
        odds = tracks @ self.tagger[:, :-1].T + self.tagger[:, -1]
        return np.asarray(np.where(self.tagger.any(axis=1), odds, deviations) - self.least)


def calibration(embedding_version: str | None) -> Calibration | None:
    """That of an embedding version; None where it is not that of the package."""
    known, found = _read()
    return found if embedding_version == known else None


@cache
def _read() -> tuple[str, Calibration]:
    with FILE.open("rb") as file, np.load(file) as table:
        labels: dict[str, list[str]] = {}
        for kind, text in zip(table["kinds"].tolist(), table["texts"].tolist(), strict=True):
            labels.setdefault(kind, []).append(text)
        parts = (table[name] for name in ("tagger", "least", "usual"))
        return str(table["embedding_version"]), Calibration(labels, *parts)
