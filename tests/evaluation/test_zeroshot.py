"""Classification and tagging without training examples."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, average_precision_score, roc_auc_score

from muscall import MusCALL
from muscall.evaluation.zeroshot import ENSEMBLE, PLAIN, accuracy, embed_labels, tagging_scores

LABELS = ["jazz", "techno", "a string quartet"]


def test_a_label_is_embedded_as_its_sentence(tiny_model: MusCALL) -> None:
    prompted = tiny_model.encode_text([f"A {label} track" for label in LABELS])
    np.testing.assert_allclose(embed_labels(tiny_model, LABELS), prompted, atol=1e-6)
    plain = tiny_model.encode_text(LABELS)
    np.testing.assert_allclose(embed_labels(tiny_model, LABELS, PLAIN), plain, atol=1e-6)


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
