"""The 28 generated tracks of `immich-memories-music`: labels, moods, tempo. Never trained on."""

from __future__ import annotations

import re
from importlib.metadata import files
from pathlib import Path

import numpy as np
from immich_memories_music import tracks_dir
from scipy.stats import rankdata

import muscall
from muscall.evaluation.ranking import average_precision, chance_average_precision
from muscall.evaluation.tables import Row, Value, mean, over_draws
from muscall.evaluation.zeroshot import TEMPLATES, accuracy, embed_labels

PACKAGE = "immich-memories-music"
KINDS = ("acoustic", "electronic")
MOODS = ("calm", "energetic", "happy", "nostalgic", "tender")
QUERY = "{label} music"
SLOW, FAST = "slow music", "fast music"


class Tracks:
    """The tracks with their labels and the tempo that the package states."""

    def __init__(self) -> None:
        self.paths = sorted(tracks_dir().rglob("*.opus"))
        licence = next(file for file in files(PACKAGE) or [] if file.name == "LICENSE-MUSIC")
        stated = dict(re.findall(r"(\S+\.opus)\s+(\d+) bpm", licence.read_text()))
        self.tempo = np.array([float(stated[path.name]) for path in self.paths])
        self.labels = [_labels(path) for path in self.paths]

    def relevant(self, labels: tuple[str, ...]) -> np.ndarray:
        """(labels, tracks) bool."""
        return np.array([[label in own for own in self.labels] for label in labels])


def _labels(path: Path) -> list[str]:
    return path.stem.split("_")[:2]


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's, in -1..1; raises ValueError where one of them is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        raise ValueError("constant")
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def chance(tracks: Tracks) -> Row:
    """What a random order gives."""
    row = {
        f"{name} mAP": Value(
            100 * float(np.mean([chance_average_precision(int(r.sum()), r.size) for r in relevant]))
        )
        for name, relevant in (
            ("acoustic/electronic", tracks.relevant(KINDS)),
            ("five moods", tracks.relevant(MOODS)),
        )
    }
    return row | {"tempo rank correlation": Value(0.0)}


def measure(model: muscall.MusCALL, tracks: Tracks) -> dict[str, dict[str, Row]]:
    """Average precision of the labels, tempo, and the labels as classes."""
    audio = model.encode_audio(tracks.paths)
    row: dict[str, Value] = {}
    for name, labels in (("acoustic/electronic", KINDS), ("five moods", MOODS)):
        relevant = tracks.relevant(labels)
        scores = model.encode_text([QUERY.format(label=label) for label in labels]) @ audio.T

        def precision(
            some: np.ndarray, scores: np.ndarray = scores, relevant: np.ndarray = relevant
        ) -> float:
            pairs = zip(scores[:, some], relevant[:, some], strict=True)
            return 100 * float(np.mean([average_precision(*pair) for pair in pairs]))

        row[f"{name} mAP"] = over_draws(precision, len(audio))
    slow, fast = model.encode_text([SLOW, FAST])
    paced = audio @ (fast - slow)
    row["tempo rank correlation"] = over_draws(
        lambda some: rank_correlation(paced[some], tracks.tempo[some]), len(audio)
    )
    classes: dict[str, Row] = {}
    for name, templates in TEMPLATES.items():
        classes[name] = {
            f"{what} accuracy": mean(100 * _right(model, audio, tracks, labels, templates))
            for what, labels in (("acoustic/electronic", KINDS), ("five moods", MOODS))
        }
    return {"labels and tempo": {"": row}, "classes": classes}


def _right(
    model: muscall.MusCALL,
    audio: np.ndarray,
    tracks: Tracks,
    labels: tuple[str, ...],
    templates: tuple[str, ...],
) -> np.ndarray:
    """(tracks,) 1 where a track's highest score is that of its label, else 0."""
    scores = audio @ embed_labels(model, labels, templates).T
    truth = tracks.relevant(labels).argmax(axis=0)
    return np.array([accuracy(scores[[n]], truth[[n]]) for n in range(len(audio))])
