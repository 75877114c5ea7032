"""The development set of real music, beside what a person could have instead."""

from __future__ import annotations

import numpy as np
from dev import rulers

from muscall.evaluation.tables import Row, Value

NAMES = {"mean average precision": "mAP", "AUC": "AUC", "hit@10": "hit@10"}
RULERS = {
    "file name": "MiniLM on the file name",
    "title": "MiniLM on the title",
    "tags": "the tagger's tags by MiniLM",
}


def chance(dev: rulers.DevelopmentSet) -> dict[str, Row]:
    """By file of sentences, what a random order gives."""
    found = rulers.by_file(dev, lambda some: rulers.by_chance(dev.relevant[some]))
    return {file: _row(row) for file, row in found.items()}


def rows(dev: rulers.DevelopmentSet, scores: np.ndarray) -> dict[str, Row]:
    """By file of sentences, how well `scores` (sentences, tracks) rank."""
    return {file: _row(row) for file, row in rulers.rows_of(dev, scores).items()}


def of_model(
    dev: rulers.DevelopmentSet, scores: np.ndarray, beside: dict[str, np.ndarray]
) -> dict[str, dict[str, Row]]:
    """The rows of a model alone, and together with each of the rulers."""
    found = {"": rows(dev, scores)}
    for name in RULERS:
        found[f" + {name}"] = rows(dev, rulers.together(scores, beside[name]))
    return found


def _row(row: rulers.Row) -> Row:
    scale = {"mean average precision": 100, "AUC": 1, "hit@10": 100}
    return {
        short: Value(*(scale[name] * value for value in row[name])) for name, short in NAMES.items()
    }
