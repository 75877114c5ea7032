"""How well a query ranks the items that carry its label, when many items do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike


def average_precision(scores: ArrayLike, relevant: ArrayLike) -> float:
    """Mean of the precision at each relevant item, in 0..1.

    Items with the same score share one place in the ranking, so their order in the input does
    not count.

    Args:
        scores: (n_items,) real, higher is ranked first.
        relevant: (n_items,) bool.

    Raises:
        ValueError: wrong shapes, a score that is not a number, or nothing relevant.
    """
    scores, relevant = _checked(scores, relevant)
    order = np.argsort(-scores, kind="stable")
    scores, relevant = scores[order], relevant[order]
    last_of_tie = np.append(scores[1:] != scores[:-1], True)
    found = np.cumsum(relevant)[last_of_tie]
    precision = found / (np.flatnonzero(last_of_tie) + 1)
    return float(np.sum(np.diff(found, prepend=0) * precision) / found[-1])


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


def roc_auc(scores: ArrayLike, relevant: ArrayLike) -> float:
    """Probability that a relevant item scores above an irrelevant one; a tie counts half.

    Args and errors as for `average_precision`; also a ValueError if nothing is irrelevant.
    """
    scores, relevant = _checked(scores, relevant)
    others = np.sort(scores[~relevant])
    if not len(others):
        raise ValueError("every item is relevant")
    below = np.searchsorted(others, scores[relevant], side="left")
    below_or_tied = np.searchsorted(others, scores[relevant], side="right")
    return float(np.mean(below + below_or_tied) / 2 / len(others))


def hit_at(k: int, scores: ArrayLike, relevant: ArrayLike) -> bool:
    """Whether a relevant item is among the first `k`; ties count against it.

    Args and errors as for `average_precision`.
    """
    scores, relevant = _checked(scores, relevant)
    best = scores[relevant].max()
    return int(np.sum(scores[~relevant] >= best)) < k


def mean_over_queries(
    measure: Callable[[np.ndarray, np.ndarray], float], scores: ArrayLike, relevant: ArrayLike
) -> float:
    """Mean of `measure(scores, relevant)` over the rows of two (n_queries, n_items) arrays."""
    rows = zip(np.asarray(scores), np.asarray(relevant), strict=True)
    return float(np.mean([measure(*row) for row in rows]))


def bootstrap_interval(
    measure: Callable[[np.ndarray, np.ndarray], float],
    scores: ArrayLike,
    relevant: ArrayLike,
    *,
    level: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of `mean_over_queries` when the items are drawn again with replacement.

    A draw that leaves a query with nothing relevant, or nothing irrelevant, is drawn again.

    Args:
        measure: of one query, such as `average_precision`.
        scores, relevant: (n_queries, n_items) real and bool.
        level: share of the draws inside the interval.

    Returns:
        The lower and upper end.

    Raises:
        ValueError: a query for which nothing, or everything, is relevant.
    """
    scores, relevant = np.asarray(scores), np.asarray(relevant, dtype=bool)
    if not _mixed(relevant):
        raise ValueError("every query needs a relevant and an irrelevant item")
    generator = np.random.default_rng(seed)
    means: list[float] = []
    while len(means) < samples:
        drawn = generator.integers(scores.shape[1], size=scores.shape[1])
        if _mixed(relevant[:, drawn]):
            means.append(mean_over_queries(measure, scores[:, drawn], relevant[:, drawn]))
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _mixed(relevant: np.ndarray) -> bool:
    return bool((relevant.any(axis=1) & ~relevant.all(axis=1)).all())


def _checked(scores: ArrayLike, relevant: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    scores, relevant = np.asarray(scores, dtype=float), np.asarray(relevant, dtype=bool)
    if scores.ndim != 1 or scores.shape != relevant.shape:
        raise ValueError(
            f"scores {scores.shape} and relevant {relevant.shape} must be one row each"
        )
    if np.isnan(scores).any():
        raise ValueError("a score is not a number")
    if not relevant.any():
        raise ValueError("nothing is relevant")
    return scores, relevant
