"""Rankings in which a query has several right items, against slow definitions on tied data."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from muscall.evaluation.labelling import Labelling
from muscall.evaluation.ranking import (
    chance_average_precision,
    mean_average_precision,
    mean_average_precision_score,
)


def slow_precision(scores: np.ndarray, relevant: np.ndarray) -> float:
    """For each relevant item, the share of relevant ones among those that score no less."""
    above = [relevant[scores >= score] for score in scores[relevant]]
    return float(np.mean([part.mean() for part in above]))


def slow_area(scores: np.ndarray, relevant: np.ndarray) -> float:
    """The share of pairs in which the relevant item scores higher; a tie counts half."""
    pairs = [(right, wrong) for right in scores[relevant] for wrong in scores[~relevant]]
    return float(np.mean([(right > wrong) + (right == wrong) / 2 for right, wrong in pairs]))


@st.composite
def tied(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Few distinct scores of (queries, items), and which items are relevant: some, never all."""
    queries, items = draw(st.integers(1, 3)), draw(st.integers(2, 12))
    scores = draw(st.lists(st.integers(-2, 2), min_size=queries * items, max_size=queries * items))
    counts = draw(st.lists(st.integers(1, items - 1), min_size=queries, max_size=queries))
    relevant = np.arange(items) < np.array(counts)[:, None]
    return np.array(scores, float).reshape(queries, items), relevant


@given(tied())
def test_ties_count_as_in_the_slow_definition(data: tuple[np.ndarray, np.ndarray]) -> None:
    scores, relevant = data
    pairs = list(zip(scores, relevant, strict=True))
    precision = np.mean([slow_precision(*pair) for pair in pairs])
    assert mean_average_precision(scores, relevant) == pytest.approx(precision)
    labelling = Labelling(tuple("abc"[: len(scores)]), multiclass=False)
    assert labelling.values(scores.T, relevant.T) == {
        "ROC-AUC": pytest.approx(100 * np.mean([slow_area(*pair) for pair in pairs])),
        "PR-AUC": pytest.approx(100 * precision),
    }


def test_the_interval_over_items_holds_the_value() -> None:
    relevant = np.arange(50) % np.array([[2], [3]]) == 0
    scores = relevant + np.random.default_rng(0).normal(size=(2, 50))
    value, low, high, _ = mean_average_precision_score(scores, relevant)
    assert value == 100 * mean_average_precision(scores, relevant)
    assert low < value < high


def test_a_query_without_a_relevant_item_has_no_precision() -> None:
    assert np.isnan(mean_average_precision([[1, 2], [1, 2]], [[True, False], [False, False]]))
    assert mean_average_precision([[1, 2]], [[True, True]]) == 1


@pytest.mark.parametrize(
    ("scores", "relevant"), [([[1, np.nan]], [[True, False]]), ([[1, 2]], [[True]])]
)
def test_refuses_what_it_cannot_score(scores: list[float], relevant: list[bool]) -> None:
    with pytest.raises(ValueError, match=r"NaN|shape"):
        mean_average_precision(scores, relevant)


@pytest.mark.parametrize("relevant", [1, 2, 3, 5, 6])
def test_chance_is_the_mean_over_all_orders(relevant: int) -> None:
    labels = np.arange(6) < relevant
    expected = np.mean([average_precision_score(labels, order) for order in permutations(range(6))])
    assert chance_average_precision(relevant, 6) == pytest.approx(expected)


def test_chance_of_a_single_item_is_certain() -> None:
    assert chance_average_precision(1, 1) == 1


@pytest.mark.parametrize("relevant", [0, 6])
def test_chance_needs_relevant_items(relevant: int) -> None:
    with pytest.raises(ValueError, match="relevant"):
        chance_average_precision(relevant, 5)
