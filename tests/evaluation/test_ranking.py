from functools import partial
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, top_k_accuracy_score

from muscall.evaluation.ranking import (
    average_precision,
    bootstrap_interval,
    chance_average_precision,
    hit_at,
    mean_over_queries,
    roc_auc,
)

# Few distinct scores, so that ties are common.
items = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30)


@given(items)
def test_agrees_with_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    scores, relevant = map(np.array, zip(*pairs, strict=True))
    assume(relevant.any())
    assert average_precision(scores, relevant) == pytest.approx(
        average_precision_score(relevant, scores)
    )
    assume(not relevant.all())
    assert roc_auc(scores, relevant) == pytest.approx(roc_auc_score(relevant, scores))


def test_hit_agrees_with_scikit_learn_where_one_item_is_relevant() -> None:
    scores = np.random.default_rng(0).normal(size=(200, 12))
    relevant = np.eye(12, dtype=bool)[np.arange(200) % 12]
    for k in (1, 3, 11):
        expected = top_k_accuracy_score(np.arange(200) % 12, scores, k=k)
        assert mean_over_queries(partial(hit_at, k), scores, relevant) == pytest.approx(expected)


def test_hit_counts_the_best_relevant_item_and_loses_ties() -> None:
    assert hit_at(1, [3, 2, 1], [True, False, True])
    assert not hit_at(1, [3, 3, 1], [True, False, True])
    assert hit_at(2, [3, 3, 1], [True, False, True])
    assert hit_at(1, [3, 3, 1], [True, True, False])


@pytest.mark.parametrize("relevant", [1, 2, 3, 5, 6])
def test_chance_is_the_mean_over_all_orders(relevant: int) -> None:
    labels = np.arange(6) < relevant
    expected = np.mean([average_precision(order, labels) for order in permutations(range(6))])
    assert chance_average_precision(relevant, 6) == pytest.approx(expected)


def test_chance_of_a_single_item_is_certain() -> None:
    assert chance_average_precision(1, 1) == 1


def test_interval_is_reproducible_holds_the_mean_and_narrows_with_more_items() -> None:
    generator = np.random.default_rng(0)
    widths = []
    for n in (30, 1000):
        relevant = np.arange(n) % np.array([[2], [3]]) == 0
        scores = relevant + generator.normal(size=(2, n))
        low, high = bootstrap_interval(average_precision, scores, relevant, samples=200)
        assert low < mean_over_queries(average_precision, scores, relevant) < high
        assert bootstrap_interval(average_precision, scores, relevant, samples=200) == (low, high)
        assert bootstrap_interval(average_precision, scores, relevant, samples=200, seed=1) != (
            low,
            high,
        )
        widths.append(high - low)
    assert widths[1] < widths[0]


def test_interval_of_a_rare_label_is_defined() -> None:
    relevant = np.arange(10)[None] == 0
    low, high = bootstrap_interval(roc_auc, np.arange(10.0)[None], relevant, samples=50)
    assert (low, high) == (0, 0)


@pytest.mark.parametrize(
    ("scores", "relevant"),
    [([1, 2], [False, False]), ([1, np.nan], [True, False]), ([1, 2], [True]), ([[1]], [[True]])],
)
def test_refuses_what_it_cannot_score(scores: list[float], relevant: list[bool]) -> None:
    for measure in (average_precision, roc_auc, partial(hit_at, 1)):
        with pytest.raises(ValueError, match=r"relevant|number"):
            measure(scores, relevant)


def test_refuses_labels_that_leave_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="every item is relevant"):
        roc_auc([1, 2], [True, True])
    with pytest.raises(ValueError, match="irrelevant"):
        bootstrap_interval(roc_auc, [[1, 2]], [[True, True]])
    with pytest.raises(ValueError, match="relevant"):
        chance_average_precision(0, 5)
    with pytest.raises(ValueError, match="relevant"):
        chance_average_precision(6, 5)
