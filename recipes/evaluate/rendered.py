"""Retrieval and zero-shot tagging on held-out rendered clips."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import muscall
from muscall.data.manifest import read_manifest
from muscall.evaluation.labelling import Labelling, zeroshot_scores
from muscall.evaluation.metrics import chance_metrics
from muscall.evaluation.retrieval import evaluate_retrieval
from muscall.evaluation.score import Score, Scores
from muscall.evaluation.zeroshot import TEMPLATES
from muscall.models.inference import Windows
from muscall.reproduce.paper import NAMES, TABLE_1
from recipes.corpus.unpacking import RECORDED

PAIRS = 1000
LEAST = 20  # clips with a label, and clips without it, that are needed to score it
WINDOWS: dict[str, Windows] = {"central window": "centre", "whole clip": "all"}
PAPER = {way: [TABLE_1["MusCALL"][f"{way} {name}"] for name in NAMES] for way in ("T→A", "A→T")}


class Clips:
    """The first PAIRS held-out rendered clips in the file of a corpus, with `tags`.

    `tags` are the instruments and the styles in their facts: labels, and (clips, labels) bool.
    """

    def __init__(self, manifest: Path) -> None:
        lines = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
        kept = [row for row in lines if row["part"] != RECORDED][:PAIRS]
        wanted = {row["id"] for row in kept}
        self.rows = [row for row in read_manifest(manifest) if row.id in wanted]
        self.tags = {
            "instruments": _relevance([row["facts"].get("instruments", []) for row in kept]),
            "styles": _relevance([_styles(row) for row in kept]),
        }


def _styles(row: dict[str, Any]) -> list[str]:
    style = row["facts"].get("style", [])
    return [style] if isinstance(style, str) else list(style)


def _relevance(names: list[list[str]]) -> tuple[list[str], np.ndarray]:
    counts = Counter(name for found in names for name in set(found))
    labels = sorted(name for name, n in counts.items() if LEAST <= n <= len(names) - LEAST)
    return labels, np.array([[label in found for label in labels] for found in names])


def chance(items: int) -> dict[str, Scores]:
    """The expected scores of a random order."""
    row = {name: Score(value) for name, value in chance_metrics(items).items()}
    return dict.fromkeys(PAPER, row)


def tagging_chance(labels: list[str], relevant: np.ndarray) -> Scores:
    """The expected scores of random answers."""
    expected = Labelling(tuple(labels), multiclass=False).chance(relevant)
    return {name: Score(value) for name, value in expected.items()}


def measure(model: muscall.MusCALL, clips: Clips) -> dict[str, dict[str, Scores]]:
    """Retrieval by direction, and zero-shot tagging by prompt.

    Raises:
        AudioError: a clip cannot be read.
    """
    found: dict[str, dict[str, Scores]] = {}
    for name, windows in WINDOWS.items():
        result = evaluate_retrieval(model, clips.rows, captions="first", windows=windows)
        for failure in result.failures:
            raise failure
        found[name] = dict(zip(PAPER, result.scores.values(), strict=True))
    for name, (labels, relevant) in clips.tags.items():
        labelling = Labelling(tuple(labels), multiclass=False)
        found[name] = dict(zeroshot_scores(model, result.audio, labelling, relevant, TEMPLATES))
    return found
