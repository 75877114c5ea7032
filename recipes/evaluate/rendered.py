"""Held-out rendered clips: retrieval in both directions, and zero-shot tagging."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from unpacking import RECORDED

import muscall
from muscall.data.manifest import read_manifest
from muscall.evaluation.labelling import Labelling
from muscall.evaluation.metrics import chance_metrics, retrieval_intervals, retrieval_metrics
from muscall.evaluation.retrieval import right_items
from muscall.evaluation.tables import Row, Value
from muscall.evaluation.zeroshot import TEMPLATES, embed_labels, tagging_intervals, tagging_scores
from muscall.models.inference import Segment
from muscall.reproduce.paper import NAMES, TABLE_1

PAIRS = 1000
LEAST = 20  # clips that carry a label, for it to be asked for
PAPER = {way: [TABLE_1["MusCALL"][f"{way} {name}"] for name in NAMES] for way in ("T→A", "A→T")}


class Clips:
    """The first PAIRS held-out rendered clips of a corpus, in the order of its file, and what
    their facts name: instruments, and styles or forms.
    """

    def __init__(self, manifest: Path) -> None:
        told = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
        kept = [row for row in told if row["part"] != RECORDED][:PAIRS]
        wanted = {row["id"] for row in kept}
        self.rows = [row for row in read_manifest(manifest) if row.id in wanted]
        self.instruments = _relevance([row["facts"].get("instruments", []) for row in kept])
        self.styles = _relevance([_styles(row) for row in kept])


def _styles(row: dict[str, Any]) -> list[str]:
    style = row["facts"].get("style", [])
    return [style] if isinstance(style, str) else list(style)


def _relevance(names: list[list[str]]) -> tuple[list[str], np.ndarray]:
    counts = Counter(name for found in names for name in set(found))
    labels = sorted(name for name, n in counts.items() if LEAST <= n <= len(names) - LEAST)
    return labels, np.array([[label in found for label in labels] for found in names])


def chance(items: int) -> dict[str, Row]:
    """What a random order gives."""
    row = {name: Value(value) for name, value in chance_metrics(items).items()}
    return dict.fromkeys(PAPER, row)


def retrieval(audio: np.ndarray, text: np.ndarray, right: np.ndarray) -> dict[str, Row]:
    """By direction, the paper's five numbers; `right` says which clips have which sentence."""
    rows: dict[str, Row] = {}
    for way, *asked in (("T→A", text @ audio.T, right), ("A→T", audio @ text.T, right.T)):
        found, ends = retrieval_metrics(*asked), retrieval_intervals(*asked)
        rows[way] = {name: Value(found[name], *ends[name]) for name in NAMES}
    return rows


def tagging_chance(labels: list[str], relevant: np.ndarray) -> Row:
    """What random scores are expected to give."""
    expected = Labelling(tuple(labels), one_each=False).chance(relevant)
    return {name: Value(value) for name, value in expected.items()}


def tagging(
    model: muscall.MusCALL, audio: np.ndarray, labels: list[str], relevant: np.ndarray
) -> dict[str, Row]:
    """By way of asking, ROC-AUC and PR-AUC in percent."""
    rows: dict[str, Row] = {}
    for name, templates in TEMPLATES.items():
        scores = audio @ embed_labels(model, labels, templates).T
        ends = tagging_intervals(scores, relevant)
        rows[name] = {
            measure: Value(value, *ends[measure])
            for measure, value in tagging_scores(scores, relevant).items()
        }
    return rows


def measure(model: muscall.MusCALL, clips: Clips) -> dict[str, dict[str, Row]]:
    """Everything that is asked of the rendered clips."""
    segments = [Segment(row.audio, row.start, row.duration) for row in clips.rows]
    centre = model.encode_audio(segments, windows="centre")
    whole = model.encode_audio(segments, windows="all")
    text = model.encode_text([row.captions[0] for row in clips.rows])
    right, _ = right_items([row.captions[:1] for row in clips.rows])
    return {
        "central window": retrieval(centre, text, right),
        "whole clip": retrieval(whole, text, right),
        "instruments": tagging(model, whole, *clips.instruments),
        "styles": tagging(model, whole, *clips.styles),
    }
