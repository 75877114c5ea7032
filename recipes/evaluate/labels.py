"""How many of the labels that real tracks are given are right, by kind, where anything tells.

    python -m recipes.evaluate.labels [--half choosing] [--library corpora/queries/library]
    python -m recipes.evaluate.labels --calibrate

What is right of a track stands in `labels.yaml`. The library is that of `queries.py`. `--calibrate`
writes `labels.npz` anew, after the packaged weights have changed, from the half named choosing:

- Instruments that the tagger has tags for are told by its tags. They are read off an embedding by a
  linear map, fitted (ridge regression) to the recordings that the weights learned from.
- Sounds are told by their text. One is trusted if it tells tracks that have it from those that have
  not (ROC-AUC), where at least MANY of each are known.
- Genres and moods that are heard are not to be trusted (docs/experiments.md).
- From the strength on from which a kind's labels are given, RIGHT of them are right, with one right
  and one wrong added.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from muscall import Library, MusCALL
from muscall.library import trusted
from muscall.library.describing import EXCLUSIVE, Label, Vocabulary, embedded, read_labels
from muscall.library.trusted import Calibration
from muscall.models.musicnn import TAGS
from muscall.writing import written_aside
from recipes.corpus.teacher.tagging import NAMES
from recipes.weights.default import CACHE
from recipes.weights.hearing import WindowFeatures, recordings

TRUTH = Path(__file__).with_suffix(".yaml")
_TRACKS = Path(__file__).parents[1] / "corpus/dev/tracks.yaml"
RIGHT, MANY, AUC, RIDGE, GIVEN = 0.8, 3, 0.85, 0.3, 3
UNUSUAL = 1.0  # standard deviations: who tells of a sound tells it of what stands out
LOWEST = -100.0  # a strength under all others

HEARD = {
    "cello": "mtt/cello", "choir": "mtt/choir, mtt/choral",
    "drums": "mtt/drums, mtt/beat, mtt/beats", "flute": "mtt/flute", "guitar": "mtt/guitar",
    "harp": "mtt/harp",
    "harpsichord": "mtt/harpsichord", "piano": "mtt/piano", "sitar": "mtt/sitar",
    "strings": "mtt/strings", "synthesizer": "mtt/synth", "violin": "mtt/violin",
    "voice": "mtt/vocal, mtt/vocals, mtt/singing, mtt/voice",
}  # fmt: skip
"""The instruments that the tagger has tags for: it hears one if any of them holds."""

Name = tuple[str, str]
"""Kind and text of a label."""
Truth = dict[str, dict[str, bool]]
"""Of each track, which labels are right and which are wrong."""


def read_truth(half: str) -> Truth:
    """What is told of the tracks of one half: they share no album and no artist."""
    packages = yaml.safe_load(_TRACKS.read_text())["packages"].values()
    part_of = {track: entry["part"] for entry in packages for track in entry["tracks"]}
    vocabulary, truth = read_labels(), defaultdict[str, dict[str, bool]](dict)
    for entry in yaml.safe_load(TRUTH.read_text())["tracks"]:
        right = set(_flat(entry["right"]))
        wrong = {*_flat(entry.get("wrong", ()))}
        wrong |= {text for kind in entry.get("whole", ()) for text in vocabulary[kind]}
        for track in entry["tracks"]:
            if part_of[track] == half:
                told = truth[track]
                told |= dict.fromkeys(wrong - told.keys(), False) | dict.fromkeys(right, True)
    return dict(truth)


def _flat(listed: Sequence[Any]) -> Iterator[str]:
    for one in listed:
        yield from _flat(one) if isinstance(one, list) else [one]


def heard(library: Library) -> dict[str, np.ndarray]:
    """The embedding of each track by its id."""
    table = library.store.tracks(library.embedding_version)
    assert table is not None
    rows = table.search().select(["path", "vector"]).limit(None).to_arrow().to_pylist()
    return {Path(row["path"]).stem: np.array(row["vector"], np.float32) for row in rows}


def odds(probabilities: np.ndarray) -> np.ndarray:
    """The log-odds of probabilities."""
    inside = probabilities.clip(1e-4, 1 - 1e-4)
    return np.asarray(np.log(inside / (1 - inside)))


def embeddings(model: MusCALL, windows: WindowFeatures) -> np.ndarray:
    """(windows, dim) of the recordings, unit norm."""
    with torch.inference_mode():
        projected = model.project_audio(model.audio.pool(torch.from_numpy(windows.features)))
        return F.normalize(projected, dim=1).numpy()


def fit_tagger(windows: WindowFeatures, vectors: np.ndarray) -> dict[Name, np.ndarray]:
    """For each label of HEARD (dim + 1,) float32: from an embedding and 1 to its log-odds."""
    tags = 1 / (1 + np.exp(-windows.features[:, : 2 * TAGS]))
    any_of = {
        ("instrument", text): 1 - np.prod(1 - tags[:, list(map(NAMES.index, own.split(", ")))], 1)
        for text, own in HEARD.items()
    }
    known = np.c_[vectors, np.ones(len(vectors))]
    weighted = known.T * (windows.weights() * len(vectors))
    square = weighted @ known + RIDGE * np.eye(known.shape[1])
    maps = np.linalg.solve(square, weighted @ odds(np.stack([*any_of.values()], 1)))
    return dict(zip(any_of, maps.T.astype(np.float32), strict=True))


def calibrate(library: Library, truth: Truth) -> Calibration:
    """Which labels can be trusted, and from what strength on."""
    windows = recordings(CACHE)
    vectors = embeddings(library.model, windows)
    maps, zeros = fit_tagger(windows, vectors), np.zeros(vectors.shape[1] + 1, np.float32)
    names = [*maps, *(("sound", text) for text in read_labels()["sound"])]
    where = embedded(library.model, [text for _, text in names], None)
    tracks = windows.of_tracks(vectors)[0]
    cosines = tracks @ where.T / np.linalg.norm(tracks, axis=1, keepdims=True)
    tagger = np.stack([maps.get(name, zeros) for name in names])
    usual = np.stack([cosines.mean(axis=0), cosines.std(axis=0)]).astype(np.float32)

    def of(chosen: Sequence[int], least: Mapping[str, float]) -> Calibration:
        labels: dict[str, list[str]] = {}
        for n in chosen:
            labels.setdefault(names[n][0], []).append(names[n][1])
        lowest = np.array([least.get(names[n][0], LOWEST) for n in chosen], np.float32)
        return Calibration(labels, tagger[chosen], lowest, usual[:, chosen])

    found = heard(library)
    those = {track: found[track] for track in truth}
    strengths = vocabulary(library, of(range(len(names)), {})).strengths(
        np.stack([*those.values()])
    )
    trusted = [
        n
        for n, name in enumerate(names)
        if name in maps or _tells(strengths[:, n], [told.get(name[1]) for told in truth.values()])
    ]
    right = defaultdict[str, list[tuple[float, bool]]](list)
    for track, label in given(vocabulary(library, of(trusted, {})), those):
        if label.text in truth[track]:
            right[label.kind].append((label.strength + LOWEST, truth[track][label.text]))
    least = {kind: _least(pairs) for kind, pairs in right.items()}
    least["sound"] = max(least["sound"], UNUSUAL)
    return of(trusted, least)


def _tells(strengths: np.ndarray, told: Sequence[bool | None]) -> bool:
    known = [
        (one, strength) for one, strength in zip(told, strengths, strict=True) if one is not None
    ]
    labels = [one for one, _ in known]
    if min(labels.count(True), labels.count(False)) < MANY:
        return False
    return float(roc_auc_score(labels, [strength for _, strength in known])) >= AUC


def _least(pairs: Sequence[tuple[float, bool]]) -> float:
    """The lowest strength from which on enough labels are right."""
    best, right = np.inf, 0
    for count, (strength, is_right) in enumerate(sorted(pairs, reverse=True), 1):
        right += is_right
        if (right + 1) / (count + 2) >= RIGHT:
            best = strength
    return best


def vocabulary(library: Library, calibration: Calibration) -> Vocabulary:
    """The labels of a calibration, told against a library."""
    made = Vocabulary(
        library.model, calibration.labels, exclusive=EXCLUSIVE, calibration=calibration
    )
    return made.against(library.finder.sample())


def given(labels: Vocabulary, vectors: Mapping[str, np.ndarray]) -> list[tuple[str, Label]]:
    """All labels that tracks are given, each with the track."""
    return [(track, one) for track, at in vectors.items() for one in labels.describe(at, GIVEN)]


def report(labels: Vocabulary, vectors: Mapping[str, np.ndarray], truth: Truth) -> str:
    """A Markdown table: what is right, and how many tracks are given a label."""
    shown = given(labels, vectors)
    lines = ["| labels | tracks that tell | given them | right | tracks of all with one |",
             "|---|---:|---:|---:|---:|"]  # fmt: skip
    rights: list[bool] = []
    for kind in dict.fromkeys(kind for kind, _ in labels.labels):
        own = [(track, label.text) for track, label in shown if label.kind == kind]
        known = {text for its, text in labels.labels if its == kind}
        telling = sum(not known.isdisjoint(told) for told in truth.values())
        right = [truth[track][text] for track, text in own if text in truth.get(track, {})]
        rights += right
        share = len({track for track, _ in own}) / len(vectors)
        lines.append(f"| {kind} | {telling} | {len(right)} | {_share(right)} | {share:.2f} |")
    mean = len(shown) / len(vectors)
    lines.append(
        f"| all | {len(truth)} | {len(rights)} | {_share(rights)} | {mean:.1f} labels each |"
    )
    return "\n".join(lines)


def _share(right: Sequence[bool]) -> str:
    return f"{np.mean(right):.2f}" if right else ""


def main() -> None:
    """Print the table of one half, or calibrate on the other."""
    parser = argparse.ArgumentParser(description="Measure which labels of real tracks are right.")
    parser.add_argument("--half", default="choosing", choices=["choosing", "final"])
    parser.add_argument("--library", type=Path, default=Path("corpora/queries/library"))
    parser.add_argument("--calibrate", action="store_true", help="write labels.npz first")
    parser.add_argument("--wrong", action="store_true", help="list the labels that are wrong")
    options = parser.parse_args()
    library = Library(options.library)
    if options.calibrate:
        made = calibrate(library, read_truth("choosing"))
        with written_aside(Path(str(trusted.FILE))) as file:
            made.write(file, library.embedding_version)
    labels, vectors, truth = library.vocabulary(), heard(library), read_truth(options.half)
    if options.wrong:
        for track, one in given(labels, vectors):
            if truth.get(track, {}).get(one.text) is False:
                print(f"{track}: {one.text} ({one.strength:.2f})")
    print(report(labels, vectors, truth))


if __name__ == "__main__":
    main()
