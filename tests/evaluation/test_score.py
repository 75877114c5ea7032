"""Scores with intervals, and how they look in tables."""

import numpy as np
import pytest
from scipy import stats

from muscall.evaluation.score import Score, bootstrap, markdown, mean, over_trainings


def test_the_interval_of_a_mean_is_that_of_scipy() -> None:
    values = np.random.default_rng(1).normal(size=50)
    found = mean(values)
    expected = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile")
    assert found.value == pytest.approx(values.mean())
    assert found[1:3] == pytest.approx(tuple(expected.confidence_interval), abs=0.03)
    assert mean(values) == found


def test_a_draw_without_a_value_is_drawn_again() -> None:
    def statistic(some: np.ndarray) -> dict[str, float]:
        return {"first": float(np.mean(some == 0)) if 0 in some else np.nan, "one": 1.0}

    found = bootstrap(statistic, 4, draws=200)
    assert found["first"].value == found["first"].low == 0.25
    assert found["one"] == Score(1, 1, 1)
    with pytest.raises(ValueError, match="not defined"):
        bootstrap(lambda _: {"never": np.nan}, 4)


def test_a_score_shows_its_interval_and_spread() -> None:
    assert f"{Score(1.0)}" == "1.0"
    assert f"{Score(1.0, 0.5, 1.5)}" == "1.0 (0.5-1.5)"
    assert f"{Score(1.0, 0.5, 1.5, 0.25):.2f}" == "1.00 (0.50-1.50) ±0.25"


def test_the_spread_over_trainings_is_students() -> None:
    values = [3.0, 5.0, 10.0]
    found = over_trainings([Score(value, value - 1, value + 2) for value in values])
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert found[:3] == pytest.approx((6, 5, 8))
    assert found.spread == pytest.approx((high - low) / 2)
    assert over_trainings([Score(4.0, 1.0, 6.0)]) == Score(4.0, 1.0, 6.0)


def test_a_row_may_lack_columns() -> None:
    table = markdown({"ours": {"R@1": Score(1.0)}, "theirs": {"MedR": Score(5.0)}}, {"MedR": ".0f"})
    assert table.splitlines()[2:] == ["| ours | 1.0 |  |", "| theirs |  | 5 |"]
