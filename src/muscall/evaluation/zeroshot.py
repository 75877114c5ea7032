"""Classification and tagging without training examples (paper, sections 4.4 and 5.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from muscall.evaluation.ranking import average_precision, roc_auc
from muscall.models.muscall import MusCALL

PLAIN = ("{label}",)
PROMPT = ("A {label} track",)
"""The paper's prompt."""
ENSEMBLE = (
    "{label}",
    "A {label} track",
    "{label} music",
    "a piece of {label} music",
    "a {label} song",
    "music with {label}",
    "this sounds like {label}",
)
"""The mean of several ways to say a label depends less on any of them (CLIP, section 3.1.4)."""


def embed_labels(
    model: MusCALL, labels: Sequence[str], templates: Sequence[str] = PROMPT
) -> np.ndarray:
    """Embed each label in each template, and take the mean.

    Args:
        templates: each with `{label}` in it.

    Returns:
        (len(labels), dim) float32, unit norm.
    """
    sentences = [template.format(label=label) for template in templates for label in labels]
    embeddings = model.encode_text(sentences).reshape(len(templates), len(labels), -1)
    mean = embeddings.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)


def accuracy(scores: np.ndarray, truth: Sequence[int] | np.ndarray) -> float:
    """Share of the items whose highest score is that of their label, in 0..1.

    Args:
        scores: (items, labels).
        truth: (items,) int, the column of each item's label. A tie with another counts as a miss.
    """
    truth = np.asarray(truth)
    right = np.take_along_axis(scores, truth[:, None], axis=1)
    return float(np.mean((scores >= right).sum(axis=1) == 1))


def tagging_scores(scores: np.ndarray, relevant: np.ndarray) -> dict[str, float]:
    """Mean over the labels of the areas under both curves, as MagnaTagATune is scored.

    Args:
        scores: (items, labels).
        relevant: (items, labels) bool; every label has items with and without it.

    Returns:
        `ROC-AUC` and `PR-AUC`, in percent. PR-AUC is the average precision.
    """
    pairs = list(zip(np.asarray(scores).T, np.asarray(relevant, bool).T, strict=True))
    return {
        "ROC-AUC": 100 * float(np.mean([roc_auc(*pair) for pair in pairs])),
        "PR-AUC": 100 * float(np.mean([average_precision(*pair) for pair in pairs])),
    }
