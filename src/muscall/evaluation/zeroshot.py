"""Classification and tagging without training examples (paper, sections 4.4 and 5.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from muscall.evaluation.ranking import average_precision, roc_auc
from muscall.models.muscall import MusCALL
from muscall.several import several

PLAIN = ("{label}",)
PROMPT = ("A {label} track",)
"""The paper's prompt."""
ENSEMBLE = (
    "{label}",
    "A {label} track",
    "{label} music",
    "a piece of {label} music",
    "a {label} song",
    "music with {label}",
    "this sounds like {label}",
)
"""The mean of several ways to say a label depends less on any of them (CLIP, section 3.1.4)."""
TEMPLATES = {"the label": PLAIN, "“A … track”": PROMPT, "ensemble": ENSEMBLE}
"""Ways of asking for a label, by their names in tables."""


def embed_labels(
    model: MusCALL, labels: str | Sequence[str], templates: str | Sequence[str] = PROMPT
) -> np.ndarray:
    """Embed each label in each template, and take the mean.

    Args:
        templates: each with `{label}` in it.

    Returns:
        (number of labels, dim) float32, unit norm.
    """
    labels, templates = several(labels), several(templates)
    sentences = [template.replace("{label}", label) for template in templates for label in labels]
    embeddings = model.encode_text(sentences).reshape(len(templates), len(labels), -1)
    mean = embeddings.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)


def accuracy(scores: np.ndarray, truth: Sequence[int] | np.ndarray) -> float:
    """Share of the items whose highest score is that of their label, in 0..1.

    Args:
        scores: (items, labels).
        truth: (items,) int, the column of each item's label. A tie with another counts as a miss.
    """
    return float(np.mean(_right(scores, truth)))


def accuracy_interval(
    scores: np.ndarray,
    truth: Sequence[int] | np.ndarray,
    *,
    level: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Bootstrap interval of `accuracy`: the items are drawn again with replacement.

    Args as for `accuracy`; `level` is the share of the draws inside the interval.
    """
    right = _right(scores, truth)
    means = [np.mean(np.repeat(right, counts)) for counts in _draws(len(right), samples, seed)]
    return _interval(np.array(means), level)


def tagging_scores(scores: np.ndarray, relevant: np.ndarray) -> dict[str, float]:
    """Mean over the labels of the areas under both curves, as MagnaTagATune is scored.

    Args:
        scores: (items, labels).
        relevant: (items, labels) bool; every label has items with and without it.

    Returns:
        `ROC-AUC` and `PR-AUC`, in percent. PR-AUC is the average precision.
    """
    pairs = list(zip(np.asarray(scores).T, np.asarray(relevant, bool).T, strict=True))
    return {
        "ROC-AUC": 100 * float(np.mean([roc_auc(*pair) for pair in pairs])),
        "PR-AUC": 100 * float(np.mean([average_precision(*pair) for pair in pairs])),
    }


def tagging_intervals(
    scores: np.ndarray,
    relevant: np.ndarray,
    *,
    level: float = 0.95,
    samples: int = 1000,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Bootstrap intervals of `tagging_scores`: the items are drawn again with replacement.

    A label that all or none of the drawn items have does not count in that draw.

    Args as for `tagging_scores`; `level` is the share of the draws inside an interval.
    """
    counts = _draws(len(scores), samples, seed)
    # Each label sorts the items once; in a draw an item counts as often as it was drawn.
    areas = np.stack(
        [
            [_areas(times, column, right) for times in counts[:, order]]
            for column, right, order in _sorted(np.asarray(scores), np.asarray(relevant, bool))
        ]
    )
    with np.errstate(invalid="ignore"):
        means = np.nansum(areas, axis=0) / np.isfinite(areas).sum(axis=0)
    return {
        name: _interval(100 * mean, level)
        for name, mean in zip(("ROC-AUC", "PR-AUC"), means.T, strict=True)
    }


def _sorted(scores: np.ndarray, relevant: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Of each label the scores, falling, which of them are right, and the order it took."""
    for column, right in zip(scores.T, relevant.T, strict=True):
        order = np.argsort(-column, kind="stable")
        yield column[order], right[order], order


def _areas(times: np.ndarray, column: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """ROC-AUC and PR-AUC of a label, each item `times` there; NaN without items on both sides.

    Copies of an item do not add to its own precision: PR-AUC of rare labels would be higher in
    draws than it is.
    """
    last_of_tie = np.append(column[1:] != column[:-1], True)
    ranked = np.cumsum(times)[last_of_tie]
    found = np.cumsum(times * right)[last_of_tie]
    others = ranked - found
    if not found[-1] or not others[-1]:
        return np.nan, np.nan
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


def _right(scores: np.ndarray, truth: Sequence[int] | np.ndarray) -> np.ndarray:
    right = np.take_along_axis(scores, np.asarray(truth)[:, None], axis=1)
    return np.asarray((scores >= right).sum(axis=1) == 1)


def _draws(items: int, samples: int, seed: int) -> np.ndarray:
    """(samples, items) int: how often each item is drawn."""
    generator = np.random.default_rng(seed)
    drawn = [generator.integers(items, size=items) for _ in range(samples)]
    return np.stack([np.bincount(draw, minlength=items) for draw in drawn])


def _interval(means: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.nanquantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
