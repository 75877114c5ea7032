"""Classification and tagging without training examples."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, average_precision_score, roc_auc_score
from torchmetrics.functional.classification import multilabel_auroc, multilabel_average_precision

from muscall import MusCALL
from muscall.evaluation.ranking import bootstrap_interval, roc_auc
from muscall.evaluation.zeroshot import (
    ENSEMBLE,
    PLAIN,
    accuracy,
    accuracy_interval,
    embed_labels,
    tagging_intervals,
    tagging_scores,
)

LABELS = ["jazz", "techno", "a string quartet"]


def test_a_label_is_embedded_as_its_sentence(tiny_model: MusCALL) -> None:
    prompted = tiny_model.encode_text([f"A {label} track" for label in LABELS])
    np.testing.assert_allclose(embed_labels(tiny_model, LABELS), prompted, atol=1e-6)
    plain = tiny_model.encode_text(LABELS)
    np.testing.assert_allclose(embed_labels(tiny_model, LABELS, PLAIN), plain, atol=1e-6)
    one = embed_labels(tiny_model, LABELS[0], "{label}")
    np.testing.assert_allclose(one, tiny_model.encode_text(LABELS[0]), atol=1e-6)


def test_an_ensemble_is_the_direction_of_the_mean(tiny_model: MusCALL) -> None:
    found = embed_labels(tiny_model, LABELS, ENSEMBLE)
    mean = np.mean([tiny_model.encode_text([t.format(label="jazz")])[0] for t in ENSEMBLE], axis=0)
    # Sentences of other lengths beside it change a sentence by the rounding of bfloat16.
    np.testing.assert_allclose(found[0], mean / np.linalg.norm(mean), atol=0.02)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_scores_equal_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(200, 6))
    truth = generator.integers(6, size=200)
    assert accuracy(scores, truth) == accuracy_score(truth, scores.argmax(axis=1))
    relevant = generator.random((200, 6)) < 0.2
    scores += relevant
    assert tagging_scores(scores, relevant) == {
        "ROC-AUC": pytest.approx(100 * roc_auc_score(relevant, scores)),
        "PR-AUC": pytest.approx(100 * average_precision_score(relevant, scores)),
    }


def test_a_model_that_cannot_decide_is_never_right() -> None:
    assert accuracy(np.zeros((5, 3)), [0, 1, 2, 0, 1]) == 0.0


def test_scores_equal_those_of_torchmetrics() -> None:
    generator = np.random.default_rng(0)
    scores, relevant = generator.random((200, 6)), generator.random((200, 6)) < 0.2
    given = torch.from_numpy(scores), torch.from_numpy(relevant).int()
    assert tagging_scores(scores, relevant) == {
        "ROC-AUC": pytest.approx(100 * float(multilabel_auroc(*given, num_labels=6))),
        "PR-AUC": pytest.approx(100 * float(multilabel_average_precision(*given, num_labels=6))),
    }


def test_intervals_are_those_of_every_draw_scored_by_itself() -> None:
    generator = np.random.default_rng(0)
    # Few distinct scores, so that ties are common.
    scores, relevant = generator.integers(5, size=(60, 3)), generator.random((60, 3)) < 0.3
    found = tagging_intervals(scores, relevant, samples=200)
    low, high = bootstrap_interval(roc_auc, scores.T, relevant.T, samples=200)
    assert found["ROC-AUC"] == pytest.approx((100 * low, 100 * high))

    def precision(item: int, drawn: np.ndarray, label: int) -> float:
        others = drawn[drawn != item]  # its own copies say nothing of it
        above = others[scores[others, label] >= scores[item, label]]
        return (1 + relevant[above, label].sum()) / (1 + len(above))

    draws = np.random.default_rng(0).integers(60, size=(200, 60))
    means = [
        np.mean(
            [
                np.mean([precision(item, drawn, n) for item in drawn if relevant[item, n]])
                for n in range(3)
            ]
        )
        for drawn in draws
    ]
    assert found["PR-AUC"] == pytest.approx(tuple(100 * np.quantile(means, [0.025, 0.975])))
    truth = generator.integers(5, size=60)
    one_each = generator.normal(size=(60, 5)) + 2 * np.eye(5)[truth]
    low, high = accuracy_interval(one_each, truth)
    assert low < accuracy(one_each, truth) < high
    assert high - low == pytest.approx(4 * np.sqrt(0.25 / 60), rel=0.4)


def test_the_interval_of_rare_labels_is_around_their_score() -> None:
    generator = np.random.default_rng(0)
    scores, relevant = generator.random((500, 40)), np.arange(500)[:, None] < np.full(40, 5)
    value = tagging_scores(scores, relevant)["PR-AUC"]
    low, high = tagging_intervals(scores, relevant)["PR-AUC"]
    assert low < value < high
    assert (low + high) / 2 == pytest.approx(value, rel=0.1)


def test_a_label_that_most_draws_miss_still_has_an_interval() -> None:
    relevant = np.arange(20)[:, None] == np.array([0, 3])
    found = tagging_intervals(np.arange(40).reshape(20, 2) % 7, relevant, samples=100)
    assert all(0 <= low <= high <= 100 for low, high in found.values())
