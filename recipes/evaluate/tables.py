"""Values with their intervals, and tables of them in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from muscall.evaluation.zeroshot import ENSEMBLE, PLAIN, PROMPT

TEMPLATES = {"the label": PLAIN, "“A … track”": PROMPT, "ensemble": ENSEMBLE}
"""Ways of asking for a label, by their names in tables."""


class Value(NamedTuple):
    """A value and the ends of its 95 % interval, where there is one."""

    value: float
    low: float | None = None
    high: float | None = None

    def __format__(self, form: str) -> str:
        text = format(self.value, form or ".1f")
        if self.low is None or self.high is None:
            return text
        return f"{text} ({format(self.low, form or '.1f')}-{format(self.high, form or '.1f')})"


Row = Mapping[str, Value]


def markdown(rows: Mapping[str, Row], forms: Mapping[str, str] = {}) -> str:
    """A table: rows by their names; `forms` has formats of columns that are not `.1f`."""
    columns = list(next(iter(rows.values())))
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, row in rows.items():
        cells = [format(row[column], forms.get(column, "")) for column in columns]
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


def mean(values: npt.ArrayLike) -> Value:
    """The mean of values, one for each of independent units, with their bootstrap interval."""
    table = np.asarray(values, float)
    return over_draws(lambda chosen: float(table[chosen].mean()), len(table))
