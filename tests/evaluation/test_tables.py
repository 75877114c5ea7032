"""Values with intervals, and how they look in tables."""

import numpy as np
import pytest
from scipy import stats

from muscall.evaluation.tables import Value, markdown, mean, over_draws, over_trainings


def test_a_draw_with_nothing_relevant_is_drawn_again() -> None:
    def share(some: np.ndarray) -> float:
        if 0 not in some:
            raise ValueError
        return float(np.mean(some == 0))

    found = over_draws(share, 4, draws=200)
    assert found.value == 0.25
    assert found.low == 0.25
    assert mean([1, 2, 3]).value == 2


def test_values_say_what_is_known_of_them() -> None:
    assert f"{Value(1.0)}" == "1.0"
    assert f"{Value(1.0, 0.5, 1.5)}" == "1.0 (0.5-1.5)"
    assert f"{Value(1.0, 0.5, 1.5, 0.25):.2f}" == "1.00 (0.50-1.50) ±0.25"


def test_the_spread_over_trainings_is_students() -> None:
    values = [3.0, 5.0, 10.0]
    found = over_trainings([Value(value, value - 1, value + 2) for value in values])
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert found[:3] == pytest.approx((6, 5, 8))
    assert found.spread == pytest.approx((high - low) / 2)
    assert over_trainings([Value(4.0, 1.0, 6.0)]) == Value(4.0, 1.0, 6.0)


def test_a_row_may_lack_columns() -> None:
    table = markdown({"ours": {"R@1": Value(1.0)}, "theirs": {"MedR": Value(5.0)}}, {"MedR": ".0f"})
    assert table.splitlines()[2:] == ["| ours | 1.0 |  |", "| theirs |  | 5 |"]
