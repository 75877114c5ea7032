"""The scores of all trainings of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from muscall.evaluation.score import Score, Scores, over_trainings
from muscall.reproduce.corpus import Corpus
from muscall.reproduce.paper import Numbers
from muscall.reproduce.runs import Run
from muscall.reproduce.scores import HeldOut
from muscall.reproduce.variants import Variant


@dataclass(frozen=True)
class StudyResults:
    """The variants of a study with their trainings and scores.

    `runs` and `scores` have a list for each variant by its name, with an entry for each seed.
    `numbers` are the paper's, by the names of the variants.
    """

    variants: Sequence[Variant]
    runs: Mapping[str, Sequence[Run]]
    scores: Mapping[str, Sequence[Mapping[str, Any]]]
    numbers: Numbers
    corpus: Corpus
    held: HeldOut

    def row(self, variant: str) -> Scores:
        """The mean scores of the trainings of a variant, with both intervals, by column."""
        each = [scores["values"] for scores in self.scores[variant]]
        columns = [column for column in each[0] if all(column in values for values in each)]
        return {c: over_trainings([Score(*values[c]) for values in each]) for c in columns}

    def rows(self) -> dict[str, Scores]:
        """The row of every variant, by its name."""
        return {variant.name: self.row(variant.name) for variant in self.variants}

    def hits(self, variant: str, way: str, k: int = 10) -> np.ndarray:
        """(queries,) float: the share of trainings that rank the right item among the first k."""
        places = np.array([scores["ranks"][way] for scores in self.scores[variant]])
        return np.asarray((places <= k).mean(axis=0))

    @property
    def items(self) -> int:
        """The number of pairs that are searched."""
        return int(next(iter(self.scores.values()))[0]["items"])

    def embeddings(self, variant: str) -> tuple[np.ndarray, np.ndarray]:
        """Audio and text embeddings of the test pairs by the first training.

        Both are (items, dim) float32.
        """
        with np.load(self.runs[variant][0].folder / self.held.embeddings) as kept:
            return kept["audio"], kept["text"]
