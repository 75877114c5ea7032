"""Zero-shot scores of a model on a manifest with labels (paper, section 5.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from muscall.data.manifest import Row
from muscall.errors import AudioError, MuscallError
from muscall.evaluation.embedding import embed_readable
from muscall.evaluation.ranking import chance_average_precision
from muscall.evaluation.score import Score, bootstrap, intervals, values
from muscall.evaluation.zeroshot import embed_labels
from muscall.models.inference import Segment, Windows
from muscall.models.muscall import MusCALL

_SHOWN = 5  # labels named in a warning

log = logging.getLogger("muscall")

Prompts = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Labelling:
    """The labels of a data set, and whether it is `multiclass`: each row has exactly one of them.

    A multiclass set is scored by accuracy. Otherwise each label is ranked by itself, and the
    scores are the means over labels of ROC-AUC and PR-AUC.
    """

    labels: tuple[str, ...]
    multiclass: bool

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Labelling:
        """The labels of a manifest. Give all its rows, whichever split is scored.

        Raises:
            MuscallError: there are fewer than two labels.
        """
        labels = tuple(sorted({label for row in rows for label in row.labels or ()}))
        if len(labels) < 2:
            raise MuscallError(f"nothing to tell apart: {len(labels)} labels in {len(rows)} rows")
        return cls(labels, all(len(row.labels or ()) == 1 for row in rows))

    def table(self, rows: Sequence[Row]) -> np.ndarray:
        """(rows, labels) bool: which row has which label."""
        return np.array([[label in (row.labels or ()) for label in self.labels] for row in rows])

    def scorable(self, *tables: np.ndarray) -> np.ndarray:
        """(labels,) bool: which labels can be scored.

        In a multiclass set all can. Otherwise a label needs, in each table, rows with it and rows
        without it.

        Raises:
            MuscallError: no label can be scored.
        """
        if self.multiclass:
            return np.ones(len(self.labels), bool)
        kept = np.all([table.any(axis=0) & ~table.all(axis=0) for table in tables], axis=0)
        left = [label for label, keep in zip(self.labels, kept, strict=True) if not keep]
        if not kept.any():
            raise MuscallError(f"no label is in some rows and not in others: {', '.join(left)}")
        if left:
            shown = ", ".join(left[:_SHOWN]) + (", ..." if len(left) > _SHOWN else "")
            log.warning(
                "%d of %d labels are not scored, as all rows have them or none: %s",
                len(left),
                len(kept),
                shown,
            )
        return np.asarray(kept)

    def values(self, predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
        """`accuracy`, or `ROC-AUC` and `PR-AUC` (average precision), in percent.

        Args:
            predicted: (items, labels) real; higher is more likely. A tie of the right label with
                another counts as a miss.
            truth: (items, labels) bool.
        """
        if self.multiclass:
            return {"accuracy": 100 * float(np.mean(_right(predicted, truth)))}
        pairs = list(zip(truth.T, predicted.T, strict=True))
        return {
            "ROC-AUC": 100 * float(np.mean([roc_auc_score(*pair) for pair in pairs])),
            "PR-AUC": 100 * float(np.mean([average_precision_score(*pair) for pair in pairs])),
        }

    def scores(self, predicted: np.ndarray, truth: np.ndarray) -> dict[str, Score]:
        """`values` with their 95 % bootstrap intervals over items.

        A label that all or none of the drawn items have does not count in that draw.
        """
        values = self.values(predicted, truth)
        statistic = _drawn_accuracy if self.multiclass else _drawn_areas
        drawn = bootstrap(statistic(predicted, truth), len(truth))
        return {name: drawn[name]._replace(value=value) for name, value in values.items()}

    def chance(self, truth: np.ndarray) -> dict[str, float]:
        """The `values` that random predictions are expected to have."""
        if self.multiclass:
            return {"accuracy": 100 / len(self.labels)}
        each = [chance_average_precision(int(has), len(truth)) for has in truth.sum(axis=0)]
        return {"ROC-AUC": 50.0, "PR-AUC": 100 * float(np.mean(each))}


Statistic = Callable[[np.ndarray], dict[str, float]]


def _right(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(items,) bool: whether the label of an item, and no other, has its highest score."""
    own = np.take_along_axis(predicted, truth.argmax(axis=1)[:, None], axis=1)
    return np.asarray((predicted >= own).sum(axis=1) == 1)


def _drawn_accuracy(predicted: np.ndarray, truth: np.ndarray) -> Statistic:
    right = _right(predicted, truth)
    return lambda some: {"accuracy": 100 * float(right[some].mean())}


def _drawn_areas(predicted: np.ndarray, truth: np.ndarray) -> Statistic:
    """ROC-AUC and PR-AUC of drawn items.

    Each label sorts the items once, and in a draw an item counts as often as it was drawn:
    scikit-learn would sort them again for every label and draw.
    """
    orders = np.argsort(-predicted, axis=0, kind="stable").T
    labels = [
        (order, column[order], right[order])
        for order, column, right in zip(orders, predicted.T, truth.T, strict=True)
    ]

    def areas(some: np.ndarray) -> dict[str, float]:
        times = np.bincount(some, minlength=len(truth))
        each = [_areas(times[order], column, right) for order, column, right in labels]
        found = [area for area in each if area is not None]
        roc, pr = np.mean(found, axis=0) if found else (np.nan, np.nan)
        return {"ROC-AUC": 100 * float(roc), "PR-AUC": 100 * float(pr)}

    return areas


def _areas(times: np.ndarray, column: np.ndarray, right: np.ndarray) -> tuple[float, float] | None:
    """ROC-AUC and PR-AUC of one label, with each item `times` there.

    None where no item is right, or every item is. Copies of an item do not add to its own
    precision: otherwise the PR-AUC of rare labels would be higher in draws than it is.

    Args:
        times: (items,) int.
        column: (items,) scores of the label, falling.
        right: (items,) bool.
    """
    last_of_tie = np.append(column[1:] != column[:-1], True)
    ranked = np.cumsum(times)[last_of_tie]
    found = np.cumsum(times * right)[last_of_tie]
    others = ranked - found
    if not found[-1] or not others[-1]:
        return None
    gained = np.diff(found, prepend=0)
    behind = others[-1] - others + np.diff(others, prepend=0) / 2
    tie = (np.cumsum(last_of_tie) - last_of_tie)[right]
    times = times[right]
    copies = np.maximum(times - 1, 0)
    precision = (found[tie] - copies) / np.maximum(ranked[tie] - copies, 1)
    return (
        float(gained @ behind) / float(found[-1] * others[-1]),
        float(times @ precision) / float(found[-1]),
    )


def zeroshot_scores(
    model: MusCALL,
    audio: np.ndarray,
    labelling: Labelling,
    truth: np.ndarray,
    prompts: Prompts,
) -> dict[str, dict[str, Score]]:
    """Scores of the similarity of audio to its labels in sentences, by the name of the prompt.

    Args:
        audio: (items, dim) embeddings, unit norm.
        truth: (items, labels) bool: which item has which of the labels.
        prompts: templates with `{label}` in them, by a name. The mean of the embeddings of several
            templates stands for the label.
    """
    return {
        name: labelling.scores(audio @ embed_labels(model, labelling.labels, prompt).T, truth)
        for name, prompt in prompts.items()
    }


@dataclass(frozen=True)
class LabelResult:
    """Scores in percent by the name of the prompt, and what `chance` would score.

    They are of the `items` that could be read, and of `labels`.
    """

    scores: dict[str, dict[str, Score]]
    chance: dict[str, float]
    items: int
    labels: list[str]
    failures: list[AudioError]

    def as_dict(self) -> dict[str, Any]:
        """All but the failures, for JSON."""
        kept = {name: v for name, v in vars(self).items() if name not in ("scores", "failures")}
        return {
            "scores": {name: values(scores) for name, scores in self.scores.items()},
            "intervals": {name: intervals(scores) for name, scores in self.scores.items()},
            **kept,
        }


def evaluate_zeroshot(
    model: MusCALL,
    rows: Sequence[Row],
    labelling: Labelling,
    prompts: Prompts,
    *,
    windows: Windows = "centre",
    progress: Callable[[int, int], None] | None = None,
) -> LabelResult:
    """Label rows by the similarity of their audio to their labels in sentences.

    Args:
        labelling: that of the manifest the rows are of.
        prompts: as for `zeroshot_scores`.
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
    labels = tuple(label for label, keep in zip(labelling.labels, kept, strict=True) if keep)
    scored, truth = replace(labelling, labels=labels), truth[:, kept]
    return LabelResult(
        scores=zeroshot_scores(model, audio, scored, truth, prompts),
        chance=scored.chance(truth),
        items=len(indices),
        labels=list(labels),
        failures=failures,
    )
