"""A score with its bootstrap interval, and tables of scores in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student


class Score(NamedTuple):
    """A value with the ends of its 95 % interval over queries or items, where there is one.

    `spread` is half the width of the 95 % interval over trainings, where there were several.
    """

    value: float
    low: float | None = None
    high: float | None = None
    spread: float | None = None

    def __format__(self, form: str) -> str:
        form = form or ".1f"
        text = format(self.value, form)
        if self.low is not None and self.high is not None:
            text += f" ({format(self.low, form)}-{format(self.high, form)})"
        return text if self.spread is None else f"{text} ±{format(self.spread, form)}"


Scores = Mapping[str, Score]
"""By name of the measure."""


def values(scores: Scores) -> dict[str, float]:
    """The scores without their intervals."""
    return {name: score.value for name, score in scores.items()}


def intervals(scores: Scores) -> dict[str, tuple[float | None, float | None]]:
    """The ends of the intervals of scores."""
    return {name: (score.low, score.high) for name, score in scores.items()}


def bootstrap(
    statistic: Callable[[np.ndarray], Mapping[str, float]],
    items: int,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Score]:
    """Scores of independent queries or items, with percentile bootstrap intervals.

    The items are drawn again with replacement. A draw for which a value is NaN, because it is not
    defined for that draw, is replaced by another.

    Args:
        statistic: the values, by name, of the items at some indices (n,) int64.
        items: how many there are.
        draws: how often they are drawn.

    Raises:
        ValueError: a value is NaN for all the items together.

    Example:
        >>> right = np.array([1, 0, 1, 1])
        >>> bootstrap(lambda some: {"accuracy": 100 * right[some].mean()}, len(right))
    """
    values = statistic(np.arange(items))
    if np.isnan(list(values.values())).any():
        raise ValueError(f"a value is not defined: {dict(values)}")
    generator = np.random.default_rng(seed)
    table: list[list[float]] = []
    while len(table) < draws:
        drawn = list(statistic(generator.integers(items, size=items)).values())
        if not np.isnan(drawn).any():
            table.append(drawn)
    lows, highs = np.quantile(table, [0.025, 0.975], axis=0).tolist()
    named = zip(values.items(), lows, highs, strict=True)
    return {name: Score(float(value), low, high) for (name, value), low, high in named}


def mean(values: npt.ArrayLike) -> Score:
    """The mean of one value for each query or item, with its bootstrap interval."""
    table = np.asarray(values, float)
    return bootstrap(lambda some: {"mean": float(table[some].mean())}, len(table))["mean"]


def over_trainings(scores: Sequence[Score]) -> Score:
    """The mean of the scores of trainings that differ in their seeds.

    The ends of its interval are the means of theirs; its spread is by Student's t.
    """
    low, high = (
        float(np.mean(found)) if (found := [end for end in ends if end is not None]) else None
        for ends in ([score.low for score in scores], [score.high for score in scores])
    )
    values = np.array([score.value for score in scores])
    spread = None
    if len(scores) > 1:
        error = values.std(ddof=1) / np.sqrt(len(scores))
        spread = float(student.ppf(0.975, len(scores) - 1) * error)
    return Score(float(values.mean()), low, high, spread)


def markdown(rows: Mapping[str, Scores], forms: Mapping[str, str] = {}) -> str:
    """A table of the scores of each row by its name.

    The columns are those of all rows; a cell stays empty where a row has no such score. `forms`
    has the formats of columns that are not `.1f`.
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, row in rows.items():
        cells = [
            format(row[column], forms.get(column, "")) if column in row else ""
            for column in columns
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
