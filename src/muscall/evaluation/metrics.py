"""Cross-modal retrieval scores (paper, section 5.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from muscall.evaluation.score import Score, bootstrap

_ROWS = 1024


def retrieval_metrics(similarity: Any, correct: Any = None) -> dict[str, float]:
    """Score a retrieval in which every query has a right item, or several.

    The rank of a query is that of the best of its right items. A wrong item that scores as high is
    counted as ranked before it, so a model that gives everything the same score finds nothing.

    Args:
        similarity: (n_queries, n_items) real array or tensor; higher is more alike.
        correct: (n_queries,) integers, the column of each query's right item; or (n_queries,
            n_items) bool, which items are right for each query. By default item i is right for
            query i.

    Returns:
        `R@1`, `R@5`, `R@10`: percent of queries with a right item among the first k.
        `mAP10`: percent; mean of 1 / rank, counting 0 beyond rank 10.
        `MedR`: the median rank, 1 at best. For an even number of queries it is the lower of the
        two middle ranks, as in the published implementation; the 81.5 in the paper's Table 1 is
        the mean of the two, and belongs to a baseline that was scored with other code.

    Raises:
        ValueError: wrong shapes, an index out of range, no queries, a query without a right item,
            or a score is NaN.
    """
    return _metrics(ranks(similarity, correct))


def retrieval_scores(similarity: Any, correct: Any = None) -> dict[str, Score]:
    """`retrieval_metrics` with their 95 % bootstrap intervals over queries.

    The bootstrap draws the queries again and keeps all items: with fewer items the right one would
    be easier to find. Args and errors as for `retrieval_metrics`.
    """
    places = ranks(similarity, correct)
    return bootstrap(lambda some: _metrics(places[some]), len(places))


def chance_metrics(items: int) -> dict[str, float]:
    """The expected `retrieval_metrics` of a random order of `items`, 10 or more."""
    metrics = {f"R@{k}": min(100.0, 100 * k / items) for k in (1, 5, 10)}
    metrics["mAP10"] = 100 * float(np.sum(1 / np.arange(1, 11))) / items
    metrics["MedR"] = items / 2
    return metrics


def ranks(similarity: Any, correct: Any = None) -> np.ndarray:
    """The rank of each query's best right item, from 1: (n_queries,) int64.

    Args and errors as for `retrieval_metrics`.
    """
    scores = _array(similarity)
    if scores.ndim != 2 or scores.size == 0:
        raise ValueError(f"similarity must be (n_queries, n_items), not {scores.shape}")
    right = _right(correct, *scores.shape)
    places = np.empty(len(scores), dtype=np.int64)
    for start in range(0, len(scores), _ROWS):
        rows, of_rows = (table[start : start + _ROWS] for table in (scores, right))
        if np.isnan(rows).any():
            raise ValueError("similarity holds a score that is not a number")
        best = np.where(of_rows, rows, -np.inf).max(axis=1, keepdims=True)
        places[start : start + _ROWS] = 1 + ((rows >= best) & ~of_rows).sum(axis=1)
    return places


def _right(correct: Any, queries: int, items: int) -> np.ndarray:
    """(queries, items) bool: which items are right for each query."""
    correct = np.arange(queries) if correct is None else _array(correct)
    if correct.dtype == bool and correct.shape == (queries, items):
        if not correct.any(axis=1).all():
            raise ValueError("a query has no right item")
        return np.asarray(correct)
    if correct.shape != (queries,) or not np.issubdtype(correct.dtype, np.integer):
        raise ValueError(
            f"correct must be {queries} integers, one for each query, or {queries, items} bool"
        )
    if correct.min() < 0 or correct.max() >= items:
        raise ValueError(f"a right item is outside the {items} items")
    return np.asarray(correct[:, None] == np.arange(items))


def _metrics(places: np.ndarray) -> dict[str, float]:
    metrics = {f"R@{k}": 100 * float(np.mean(places <= k)) for k in (1, 5, 10)}
    metrics["mAP10"] = 100 * float(np.mean(np.where(places <= 10, 1 / places, 0)))
    metrics["MedR"] = float(np.sort(places)[(len(places) - 1) // 2])
    return metrics


def _array(values: Any) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        # numpy has no bfloat16.
        values = (values.float() if values.dtype is torch.bfloat16 else values).numpy()
    return np.asarray(values)
