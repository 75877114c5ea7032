"""Zero-shot scores of a model on a manifest with labels (paper, section 5.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from muscall.data.manifest import Row
from muscall.errors import AudioError, MuscallError
from muscall.evaluation.embedding import embed_readable
from muscall.evaluation.ranking import chance_average_precision
from muscall.evaluation.zeroshot import (
    accuracy,
    accuracy_interval,
    embed_labels,
    tagging_intervals,
    tagging_scores,
)
from muscall.models.inference import Segment, Windows
from muscall.models.muscall import MusCALL

_SHOWN = 5  # labels named in a warning

log = logging.getLogger("muscall")

Scores = dict[str, float]
Intervals = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Labelling:
    """What is asked of every row: which of `labels` it has.

    Where each has exactly one the answer is scored by its accuracy, else each label is ranked by
    itself, and the mean over labels of ROC-AUC and PR-AUC is the score.
    """

    labels: tuple[str, ...]
    one_each: bool

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Labelling:
        """That of a manifest, to be made of all its rows, whatever split is then scored.

        Raises:
            MuscallError: there are fewer than two labels.
        """
        labels = tuple(sorted({label for row in rows for label in row.labels or ()}))
        if len(labels) < 2:
            raise MuscallError(f"nothing to tell apart: {len(labels)} labels in {len(rows)} rows")
        return cls(labels, all(len(row.labels or ()) == 1 for row in rows))

    def table(self, rows: Sequence[Row]) -> np.ndarray:
        """(rows, labels) bool: which row has which."""
        return np.array([[label in (row.labels or ()) for label in self.labels] for row in rows])

    def scorable(self, *tables: np.ndarray) -> np.ndarray:
        """(labels,) bool: all, or those that rows of each table have, and others have not.

        Raises:
            MuscallError: no label is.
        """
        if self.one_each:
            return np.ones(len(self.labels), bool)
        kept = np.all([table.any(axis=0) & ~table.all(axis=0) for table in tables], axis=0)
        left = [label for label, keep in zip(self.labels, kept, strict=True) if not keep]
        if not kept.any():
            raise MuscallError(f"no label is in some rows and not in others: {', '.join(left)}")
        if left:
            shown = ", ".join(left[:_SHOWN]) + (", ..." if len(left) > _SHOWN else "")
            told = "%d of %d labels are not scored, as all rows have them or none: %s"
            log.warning(told, len(left), len(kept), shown)
        return np.asarray(kept)

    def scores(self, scores: np.ndarray, truth: np.ndarray) -> Scores:
        """`accuracy`, or `ROC-AUC` and `PR-AUC`, in percent.

        Args:
            scores: (items, labels), higher is more likely.
            truth: (items, labels) bool.
        """
        if self.one_each:
            return {"accuracy": 100 * accuracy(scores, truth.argmax(axis=1))}
        return tagging_scores(scores, truth)

    def chance(self, truth: np.ndarray) -> Scores:
        """What `scores` are expected to be if they were drawn at random; `truth` as there."""
        if self.one_each:
            return {"accuracy": 100 / len(self.labels)}
        each = [chance_average_precision(int(has), len(truth)) for has in truth.sum(axis=0)]
        return {"ROC-AUC": 50.0, "PR-AUC": 100 * float(np.mean(each))}

    def intervals(self, scores: np.ndarray, truth: np.ndarray) -> Intervals:
        """The 95 % bootstrap intervals of `scores`, which has the same arguments."""
        if self.one_each:
            low, high = accuracy_interval(scores, truth.argmax(axis=1))
            return {"accuracy": (100 * low, 100 * high)}
        return tagging_intervals(scores, truth)


@dataclass(frozen=True)
class LabelResult:
    """Scores in percent and their 95 % bootstrap intervals, by the way in which was asked, and
    what `chance` would score.

    They are of the `items` that could be read, and of `labels`.
    """

    scores: dict[str, Scores]
    intervals: dict[str, Intervals]
    chance: Scores
    items: int
    labels: list[str]
    failures: list[AudioError]

    def as_dict(self) -> dict[str, Any]:
        """All but the failures, for JSON."""
        return {name: value for name, value in vars(self).items() if name != "failures"}


def evaluate_zeroshot(
    model: MusCALL,
    rows: Sequence[Row],
    labelling: Labelling,
    prompts: Mapping[str, str | Sequence[str]],
    *,
    windows: Windows = "centre",
    progress: Callable[[int, int], None] | None = None,
) -> LabelResult:
    """Label rows by the similarity of their audio to their labels in sentences.

    Args:
        labelling: that of the manifest the rows are of.
        prompts: templates with `{label}` in them, by the name under which the mean of their
            embeddings is scored.
        windows: "centre" embeds the central window of each row (paper, section 4.2), "all" the
            whole of it.
        progress: called with the number of rows done and of all rows.

    Returns:
        The scores by prompt. A row whose audio cannot be read is logged, left out and listed in
        `failures`.

    Raises:
        MuscallError: when no row can be read, or no label can be scored.
    """
    segments = [Segment(row.audio, row.start, row.duration) for row in rows]
    indices, audio, failures = embed_readable(model, segments, windows=windows, progress=progress)
    truth = labelling.table([rows[index] for index in indices])
    kept = labelling.scorable(truth)
    labels = [label for label, keep in zip(labelling.labels, kept, strict=True) if keep]
    truth = truth[:, kept]
    similar = {
        name: audio @ embed_labels(model, labels, templates).T
        for name, templates in prompts.items()
    }
    return LabelResult(
        scores={name: labelling.scores(scores, truth) for name, scores in similar.items()},
        intervals={name: labelling.intervals(scores, truth) for name, scores in similar.items()},
        chance=labelling.chance(truth),
        items=len(indices),
        labels=labels,
        failures=failures,
    )
