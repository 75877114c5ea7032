"""What the trainings of a study came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from muscall.evaluation.tables import Row, Value, over_trainings
from muscall.reproduce.corpus import Corpus
from muscall.reproduce.paper import Numbers
from muscall.reproduce.runs import Run
from muscall.reproduce.scores import Held
from muscall.reproduce.variants import Variant


@dataclass(frozen=True)
class Found:
    """The variants of a study, each with its trainings, one for a seed, and their scores.

    `numbers` are the paper's, by the names of the variants.
    """

    variants: Sequence[Variant]
    runs: Mapping[str, Sequence[Run]]
    scores: Mapping[str, Sequence[Mapping[str, Any]]]
    numbers: Numbers
    corpus: Corpus
    held: Held

    def row(self, variant: str) -> Row:
        """By column, the mean over the trainings of a variant, with both intervals."""
        told = [scores["values"] for scores in self.scores[variant]]
        columns = [column for column in told[0] if all(column in values for values in told)]
        return {c: over_trainings([Value(*values[c]) for values in told]) for c in columns}

    def rows(self) -> dict[str, Row]:
        """Of every variant."""
        return {variant.name: self.row(variant.name) for variant in self.variants}

    def hits(self, variant: str, way: str, k: int = 10) -> np.ndarray:
        """(queries,) of each query, the share of the trainings that have it among the first k."""
        places = np.array([scores["ranks"][way] for scores in self.scores[variant]])
        return np.asarray((places <= k).mean(axis=0))

    @property
    def items(self) -> int:
        """How many pairs are searched."""
        return int(next(iter(self.scores.values()))[0]["items"])

    def embeddings(self, variant: str) -> tuple[np.ndarray, np.ndarray]:
        """Audio and text of the test pairs by the first training, (items, dim) float32 each."""
        with np.load(self.runs[variant][0].folder / self.held.embeddings) as kept:
            return kept["audio"], kept["text"]
