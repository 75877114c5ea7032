"""Values with their intervals, and tables of them in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student


class Value(NamedTuple):
    """A value, the ends of its 95 % interval over queries or items, and `spread`, half the width
    of the one over trainings, each where there is one.
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


Row = Mapping[str, Value]


def markdown(rows: Mapping[str, Row], forms: Mapping[str, str] = {}) -> str:
    """A table: rows by their names; `forms` has formats of columns that are not `.1f`.

    The columns are those of all rows; the cell of a row that does not have one stays empty.
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


def over_draws(
    measure: Callable[[np.ndarray], float], items: int, *, draws: int = 1000, seed: int = 0
) -> Value:
    """`measure` of the indices of all items, with the interval over items drawn anew.

    A draw for which `measure` raises ValueError, as nothing relevant is left, is drawn again.
    """
    generator = np.random.default_rng(seed)
    values: list[float] = []
    while len(values) < draws:
        try:
            values.append(measure(generator.integers(items, size=items)))
        except ValueError:
            continue
    low, high = np.quantile(values, [0.025, 0.975])
    return Value(measure(np.arange(items)), float(low), float(high))


def over_trainings(values: Sequence[Value]) -> Value:
    """The mean of one value for each of several trainings that differ in their seeds.

    The interval over queries is the mean of theirs; the spread is Student's t, for two and more.
    """
    means = np.array([value.value for value in values])
    ends = [
        float(np.mean(found)) if (found := [end for end in side if end is not None]) else None
        for side in ([value.low for value in values], [value.high for value in values])
    ]
    spread = None
    if len(values) > 1:
        error = means.std(ddof=1) / np.sqrt(len(values))
        spread = float(student.ppf(0.975, len(values) - 1) * error)
    return Value(float(means.mean()), ends[0], ends[1], spread)


def mean(values: npt.ArrayLike) -> Value:
    """The mean of values, one for each of independent units, with their bootstrap interval."""
    table = np.asarray(values, float)
    return over_draws(lambda chosen: float(table[chosen].mean()), len(table))
