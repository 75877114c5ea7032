from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import load_file
from sklearn.metrics import label_ranking_average_precision_score, top_k_accuracy_score
from torchmetrics.retrieval import RetrievalHitRate, RetrievalMRR

from muscall.evaluation.metrics import ranks, retrieval_metrics, retrieval_scores
from muscall.evaluation.score import values

REFERENCE = Path(__file__).parents[1] / "data" / "losses_metrics.safetensors"
KEYS = {"R@1", "R@5", "R@10", "mAP10", "MedR"}

scores = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 12), st.integers(12, 30)),
    # Few distinct values, so that ties are common.
    elements=st.integers(-3, 3).map(float),
)


@pytest.mark.parametrize("name", ["metrics_n50", "metrics_n200"])
def test_published_numbers(name: str) -> None:
    arrays = load_file(REFERENCE)
    metrics = retrieval_metrics(arrays[f"{name}.score_matrix"])
    found = [metrics[key] for key in ("R@1", "R@5", "R@10", "MedR")]
    np.testing.assert_allclose(found, arrays[f"{name}.R1_R5_R10_medianrank"], rtol=1e-6)


def test_agrees_with_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    similarity = generator.normal(size=(300, 40)) + 2 * np.eye(300, 40)
    correct = generator.integers(40, size=300)
    metrics = retrieval_metrics(similarity, correct)
    assert set(metrics) == KEYS
    for k in (1, 5, 10):
        expected = 100 * top_k_accuracy_score(correct, similarity, k=k, labels=range(40))
        assert metrics[f"R@{k}"] == pytest.approx(expected)
    # Without a cut at rank 10, the mean of 1 / rank is scikit-learn's average precision.
    first_ten = np.sort(similarity, axis=1)[:, -10]
    inside = similarity[np.arange(300), correct] >= first_ten
    expected = 100 * np.sum(
        [
            label_ranking_average_precision_score(np.eye(40)[[item]], row[None])
            for item, row in zip(correct[inside], similarity[inside], strict=True)
        ]
    )
    assert metrics["mAP10"] == pytest.approx(expected / 300)


def test_agrees_with_torchmetrics() -> None:
    generator = np.random.default_rng(0)
    similarity = generator.normal(size=(120, 30)) + 2 * np.eye(120, 30)
    correct = generator.integers(30, size=120)
    given = {
        "preds": torch.from_numpy(similarity).flatten(),
        "target": torch.from_numpy(np.eye(30, dtype=bool)[correct]).flatten(),
        "indexes": torch.arange(120).repeat_interleave(30),
    }
    found = retrieval_metrics(similarity, correct)
    for k in (1, 5, 10):
        assert found[f"R@{k}"] == pytest.approx(100 * float(RetrievalHitRate(top_k=k)(**given)))
    assert found["mAP10"] == pytest.approx(100 * float(RetrievalMRR(top_k=10)(**given)))


def test_several_right_items_agree_with_torchmetrics() -> None:
    generator = np.random.default_rng(0)
    similarity = generator.normal(size=(120, 30))
    right = generator.random((120, 30)) < 0.1
    right[np.arange(120), generator.integers(30, size=120)] = True
    given = {
        "preds": torch.from_numpy(similarity).flatten(),
        "target": torch.from_numpy(right).flatten(),
        "indexes": torch.arange(120).repeat_interleave(30),
    }
    found = retrieval_metrics(similarity, right)
    for k in (1, 5, 10):
        assert found[f"R@{k}"] == pytest.approx(100 * float(RetrievalHitRate(top_k=k)(**given)))
    assert found["mAP10"] == pytest.approx(100 * float(RetrievalMRR(top_k=10)(**given)))
    scores = retrieval_scores(similarity, right)
    assert values(scores) == found
    assert all(score.low <= score.value <= score.high for score in scores.values())


def test_a_wrong_item_that_ties_with_the_best_right_one_is_before_it() -> None:
    right = [[True, True, False, False]]
    assert ranks([[0.5, 0.9, 0.9, 0.1]], right).tolist() == [2]
    assert ranks([[0.9, 0.9, 0.5, 0.1]], right).tolist() == [1]


@given(scores)
def test_equals_sorting_with_the_right_item_last_among_its_ties(similarity: np.ndarray) -> None:
    ranks = []
    for query, row in enumerate(similarity):
        order = sorted(range(len(row)), key=lambda item: (-row[item], item == query))
        ranks.append(1 + order.index(query))
    metrics = retrieval_metrics(similarity)
    for k in (1, 5, 10):
        assert metrics[f"R@{k}"] == pytest.approx(100 * np.mean([rank <= k for rank in ranks]))
    assert metrics["mAP10"] == pytest.approx(
        100 * np.mean([1 / rank if rank <= 10 else 0 for rank in ranks])
    )
    assert metrics["MedR"] == torch.tensor(ranks).median().item()


@given(scores, st.integers(0, 2**32 - 1))
def test_the_order_of_items_does_not_count(similarity: np.ndarray, seed: int) -> None:
    queries, items = similarity.shape
    order = np.random.default_rng(seed).permutation(items)
    place = np.argsort(order)[:queries]
    assert retrieval_metrics(similarity[:, order], place) == retrieval_metrics(similarity)


def test_a_perfect_and_a_collapsed_model() -> None:
    perfect = retrieval_metrics(np.eye(40))
    assert perfect == {"R@1": 100, "R@5": 100, "R@10": 100, "mAP10": 100, "MedR": 1}
    collapsed = retrieval_metrics(np.ones((40, 40)))
    assert collapsed == {"R@1": 0, "R@5": 0, "R@10": 0, "mAP10": 0, "MedR": 40}


def test_fewer_than_ten_items() -> None:
    metrics = retrieval_metrics([[0.1, 0.9], [0.2, 0.8]])
    assert metrics == {"R@1": 50, "R@5": 100, "R@10": 100, "mAP10": 75, "MedR": 1}


def test_larger_than_one_block() -> None:
    similarity = np.random.default_rng(0).normal(size=(2500, 7)).astype(np.float32)
    correct = np.arange(2500) % 7
    ranks = (similarity >= similarity[np.arange(2500), correct][:, None]).sum(1)
    assert retrieval_metrics(similarity, correct)["R@1"] == pytest.approx(100 * np.mean(ranks == 1))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_tensors_of_every_precision(dtype: torch.dtype) -> None:
    similarity = torch.randn(20, 20).to(dtype).requires_grad_()
    expected = retrieval_metrics(similarity.detach().double().numpy())
    assert retrieval_metrics(similarity, torch.arange(20)) == expected


@pytest.mark.parametrize(
    ("similarity", "correct"),
    [
        (np.full((3, 3), np.nan), None),
        (np.where(np.eye(3) == 0, np.nan, 1.0), None),
        (np.ones(3), None),
        (np.ones((0, 3)), None),
        (np.ones((3, 0)), None),
        (np.ones((4, 3)), None),
        (np.ones((3, 3)), [0, 1]),
        (np.ones((3, 3)), [0, 1, 3]),
        (np.ones((3, 3)), [0, 1, -1]),
        (np.ones((3, 3)), [0.0, 1.0, 2.0]),
        (np.ones((3, 3)), np.eye(2, 3, dtype=bool)),
        (np.ones((3, 3)), np.eye(3)),
        (np.ones((3, 3)), np.tri(3, k=-1, dtype=bool)),
    ],
)
def test_refuses_what_it_cannot_score(similarity: np.ndarray, correct: object) -> None:
    with pytest.raises(ValueError, match=r"similarity|correct|right item"):
        retrieval_metrics(similarity, correct)


def test_intervals_hold_the_value_and_narrow_with_more_queries() -> None:
    generator = np.random.default_rng(0)
    widths = []
    for count in (50, 800):
        similarity = generator.normal(size=(count, 100))
        correct = generator.integers(100, size=count)
        similarity[np.arange(count), correct] += 2
        scores = retrieval_scores(similarity, correct)
        assert values(scores) == retrieval_metrics(similarity, correct)
        assert all(score.low <= score.value <= score.high for score in scores.values())
        widths.append(scores["R@10"].high - scores["R@10"].low)
        assert retrieval_scores(similarity, correct) == scores
    # As 1 / sqrt(n); of a share near one half, 95 % are within two standard errors.
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.4)
