"""How well queries rank their right items, where a query has several."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import label_ranking_average_precision_score

from muscall.evaluation.score import Score, bootstrap


def mean_average_precision(scores: ArrayLike, relevant: ArrayLike) -> float:
    """Mean over queries of the average precision, in 0..1.

    Items with the same score share the last of their places, so the order of the input does not
    count.

    Args:
        scores: (n_queries, n_items) real; higher is ranked first.
        relevant: (n_queries, n_items) bool.

    Returns:
        The mean; NaN if a query has no relevant item.

    Raises:
        ValueError: wrong shapes, or a score that is not a number.
    """
    relevant = np.asarray(relevant, bool)
    if not relevant.any(axis=-1).all():
        return float("nan")
    return float(label_ranking_average_precision_score(relevant, scores))


def mean_average_precision_score(scores: np.ndarray, relevant: np.ndarray) -> Score:
    """`mean_average_precision` in percent with its 95 % bootstrap interval over items."""

    def statistic(some: np.ndarray) -> dict[str, float]:
        return {"mAP": 100 * mean_average_precision(scores[:, some], relevant[:, some])}

    return bootstrap(statistic, scores.shape[1])["mAP"]


def chance_average_precision(relevant: int, items: int) -> float:
    """The average precision expected of a random order of `items`, `relevant` of them relevant.

    Exact: an item at place k is relevant with probability relevant / items, and then each of the
    k - 1 before it is with probability (relevant - 1) / (items - 1).

    Raises:
        ValueError: unless 1 <= relevant <= items.
    """
    if not 1 <= relevant <= items:
        raise ValueError(f"{relevant} relevant of {items} items")
    if items == 1:
        return 1.0
    harmonic = float(np.sum(1 / np.arange(1, items + 1)))
    return (harmonic + (items - harmonic) * (relevant - 1) / (items - 1)) / items
