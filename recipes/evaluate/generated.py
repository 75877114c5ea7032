"""Scores on the 28 generated tracks of `immich-memories-music`, which nothing is trained on."""

from __future__ import annotations

import re
from importlib.metadata import files
from pathlib import Path

import numpy as np
from immich_memories_music import tracks_dir
from scipy.stats import spearmanr

import muscall
from muscall.evaluation.labelling import Labelling, zeroshot_scores
from muscall.evaluation.ranking import mean_average_precision_score
from muscall.evaluation.score import Score, Scores, bootstrap
from muscall.evaluation.zeroshot import TEMPLATES

PACKAGE = "immich-memories-music"
KINDS = ("acoustic", "electronic")
MOODS = ("calm", "energetic", "happy", "nostalgic", "tender")
LABELS = {"acoustic/electronic": KINDS, "five moods": MOODS}
QUERY = "{label} music"
SLOW, FAST = "slow music", "fast music"


class Tracks:
    """The tracks with their labels, and the tempo that the package gives."""

    def __init__(self) -> None:
        self.paths = sorted(tracks_dir().rglob("*.opus"))
        licence = next(file for file in files(PACKAGE) or [] if file.name == "LICENSE-MUSIC")
        tempos = dict(re.findall(r"(\S+\.opus)\s+(\d+) bpm", licence.read_text()))
        self.tempo = np.array([float(tempos[path.name]) for path in self.paths])
        self.labels = [_labels(path) for path in self.paths]

    def relevant(self, labels: tuple[str, ...]) -> np.ndarray:
        """(tracks, labels) bool."""
        return np.array([[label in own for label in labels] for own in self.labels])


def _labels(path: Path) -> list[str]:
    return path.stem.split("_")[:2]


def chance(tracks: Tracks) -> Scores:
    """The expected scores of a random order."""
    row = {
        f"{name} mAP": Score(
            Labelling(labels, multiclass=False).chance(tracks.relevant(labels))["PR-AUC"]
        )
        for name, labels in LABELS.items()
    }
    return row | {"tempo rank correlation": Score(0.0)}


def measure(model: muscall.MusCALL, tracks: Tracks) -> dict[str, dict[str, dict[str, Score]]]:
    """Average precision of labels, rank correlation of tempo, and accuracy of labels as classes."""
    audio = model.encode_audio(tracks.paths)
    row: dict[str, Score] = {}
    classes: dict[str, dict[str, Score]] = {name: {} for name in TEMPLATES}
    for name, labels in LABELS.items():
        relevant = tracks.relevant(labels)
        queries = model.encode_text([QUERY.format(label=label) for label in labels])
        row[f"{name} mAP"] = mean_average_precision_score(queries @ audio.T, relevant.T)
        labelling = Labelling(labels, multiclass=True)
        answers = zeroshot_scores(model, audio, labelling, relevant, TEMPLATES)
        for template, found in answers.items():
            classes[template][f"{name} accuracy"] = found["accuracy"]
    slow, fast = model.encode_text([SLOW, FAST])
    pace = audio @ (fast - slow)
    row |= bootstrap(
        lambda some: {
            "tempo rank correlation": float(spearmanr(pace[some], tracks.tempo[some]).statistic)
        },
        len(audio),
    )
    return {"labels and tempo": {"": row}, "classes": classes}
