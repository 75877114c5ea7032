"""Scores on the set of real music, alone and together with baselines."""

from __future__ import annotations

import numpy as np

from muscall.evaluation.score import Score
from recipes.corpus.dev import baselines

BASELINES = {
    "file name": "MiniLM on the file name",
    "title": "MiniLM on the title",
    "tags": "the tagger's tags by MiniLM",
}


def of_model(
    dev: baselines.DevelopmentSet, scores: np.ndarray, beside: dict[str, np.ndarray]
) -> dict[str, dict[str, dict[str, Score]]]:
    """The scores of a model alone and summed with each baseline, by file of sentences.

    Args:
        scores: (sentences, tracks), and `beside` the same of each baseline by its name.
    """
    found = {"": baselines.scores_by_file(dev, scores)}
    for name in BASELINES:
        found[f" + {name}"] = baselines.scores_by_file(
            dev, baselines.together(scores, beside[name])
        )
    return found
