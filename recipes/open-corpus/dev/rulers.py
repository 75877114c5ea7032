"""Rulers on the development set of real music: what a model has to beat, and models beside them.

    PYTHONPATH=recipes/open-corpus python -m dev.rulers [--model MODEL ...] [--json OUT.json]

On the half of the tracks and sentences that designs are chosen on, or on another by --half.

- chance: random orders. The values are exact, the intervals those of 95 % of random orders.
- file name: cosine, by MiniLM, between the sentence and the file's name.
- title: the same with the title, where the track's tags state one.
- tags: the teacher's tags matched to the sentence by MiniLM. Each tag's log-odds become standard
  scores over the tracks, as the raw ones differ more between tags than between tracks. The
  sentence weighs the tags by a softmax over its cosines with their names at temperature 0.05, and
  a track's score is the weighted sum. Nothing is learned from the relevance.

Intervals of the others: 95 % of 10,000 draws of the sentences with replacement. Tracks are not
drawn anew: one drawn twice would take two of the ten places.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from teacher.tagging import NAMES, listen

import muscall
from muscall.errors import MuscallError
from muscall.evaluation.ranking import (
    average_precision,
    chance_average_precision,
    hit_at,
    mean_over_queries,
    roc_auc,
)
from muscall.models.config import SentenceConfig
from muscall.models.sentence import SentenceEncoder

TRACKS = Path("corpora/dev/tracks.jsonl")
# What tracks are for, as stated of them, and how they sound, as measured: two tables.
SENTENCES = tuple(Path(__file__).with_name(f"{truth}.yaml") for truth in ("sentences", "measured"))
# Where tracks or sentences state no half, they are of this one.
HALF = "choosing"
HITS = 10
STRIDE = 4  # the teacher hears one piece of 3 s in so many, as the default weights do
TEMPERATURE = 0.05
MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "mean average precision": average_precision,
    "AUC": roc_auc,
    f"hit@{HITS}": partial(hit_at, HITS),
}
# Names of tags that no sentence would use, as one would.
SPOKEN = {"mtt/indian": "Indian music", "msd/rnb": "R&B", "msd/00s": "2000s"}

Row = dict[str, tuple[float, float, float]]
"""Of each measure: its value and the ends of its interval."""


class RulerError(MuscallError):
    """Tracks or sentences that cannot be measured on."""


@dataclass(frozen=True)
class DevelopmentSet:
    """Tracks, sentences with the file each is from, and `relevant` (sentences, tracks) bool."""

    tracks: list[dict[str, Any]]
    folder: Path
    sentences: list[str]
    files: list[str]
    relevant: np.ndarray

    @property
    def paths(self) -> list[Path]:
        """The tracks' sound files."""
        return [self.folder / track["audio"] for track in self.tracks]


def read(tracks: Path, sentences: Sequence[Path], half: str = HALF) -> DevelopmentSet:
    """The tracks (JSON lines) and sentences (files of YAML) of one half of the set.

    Raises:
        RulerError: a file is missing, names a track that the half has not, or has a sentence for
            which no track, or every track, is relevant; or the half has no sentences.
    """
    for path in (tracks, *sentences):
        if not path.is_file():
            raise RulerError(f"{path}: no such file")
    lines = tracks.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row.get("half", HALF) == half]
    places = {row["id"]: place for place, row in enumerate(rows)}
    entries = [
        (path, entry)
        for path in sentences
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))
        if entry.get("half", HALF) == half
    ]
    if not entries:
        raise RulerError(f"{sentences[0]}: no sentences of the half {half}")
    relevant = np.zeros((len(entries), len(rows)), bool)
    for (path, entry), marks in zip(entries, relevant, strict=True):
        for track in entry["relevant"]:
            if track not in places:
                raise RulerError(f"{path}: “{entry['sentence']}”: no track {track}")
            marks[places[track]] = True
        if not 0 < marks.sum() < len(rows):
            raise RulerError(
                f"{path}: “{entry['sentence']}”: {marks.sum()} of {len(rows)} tracks relevant"
            )
    return DevelopmentSet(
        rows,
        tracks.parent,
        [entry["sentence"] for _, entry in entries],
        [path.stem for path, _ in entries],
        relevant,
    )


def by_chance(relevant: np.ndarray, *, orders: int = 1000) -> Row:
    """The row of random orders, for `relevant` (sentences, tracks)."""
    items = relevant.shape[1]
    counts = [int(row.sum()) for row in relevant]
    first = min(HITS, items)
    misses = [math.comb(items - count, first) / math.comb(items, first) for count in counts]
    expected = (
        float(np.mean([chance_average_precision(count, items) for count in counts])),
        0.5,
        1 - float(np.mean(misses)),
    )
    generator = np.random.default_rng(0)
    random = [generator.random(relevant.shape) for _ in range(orders)]
    row: Row = {}
    for value, (name, measure) in zip(expected, MEASURES.items(), strict=True):
        means = [mean_over_queries(measure, scores, relevant) for scores in random]
        low, high = np.quantile(means, [0.025, 0.975])
        row[name] = (value, float(low), float(high))
    return row


def by_file(dev: DevelopmentSet, row: Callable[[np.ndarray], Row]) -> dict[str, Row]:
    """`row` of the places of each file's sentences."""
    files = np.array(dev.files)
    return {name: row(np.flatnonzero(files == name)) for name in dict.fromkeys(dev.files)}


def rows_of(dev: DevelopmentSet, scores: np.ndarray) -> dict[str, Row]:
    """The rows of `scores` (sentences, tracks), one for each file of sentences."""
    return by_file(dev, lambda some: measured(scores[some], dev.relevant[some]))


def measured(scores: np.ndarray, relevant: np.ndarray, *, draws: int = 10_000) -> Row:
    """The row of `scores` (sentences, tracks)."""
    drawn = np.random.default_rng(0).integers(len(scores), size=(draws, len(scores)))
    row: Row = {}
    for name, measure in MEASURES.items():
        values = np.array([measure(*pair) for pair in zip(scores, relevant, strict=True)], float)
        low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
        row[name] = (float(values.mean()), float(low), float(high))
    return row


def embedded(encoder: SentenceEncoder, texts: Sequence[str]) -> np.ndarray:
    """Texts -> (n, dim) float32, unit norm."""
    with torch.inference_mode():
        embeddings: np.ndarray = encoder(encoder.tokenize(texts)).numpy()
    return embeddings


def tag_scores(encoder: SentenceEncoder, sentences: Sequence[str], tags: np.ndarray) -> np.ndarray:
    """Scores (sentences, tracks) from the tags' probabilities (tracks, 100)."""
    kept = np.clip(tags, 1e-6, 1 - 1e-6)
    odds = np.log(kept / (1 - kept))
    standard = (odds - odds.mean(axis=0)) / odds.std(axis=0).clip(min=1e-6)
    names = [SPOKEN.get(name, name.partition("/")[2].lower()) for name in NAMES]
    cosines = embedded(encoder, sentences) @ embedded(encoder, names).T
    weights = np.exp(cosines / TEMPERATURE)
    scores: np.ndarray = (weights / weights.sum(axis=1, keepdims=True)) @ standard.T
    return scores


def heard(paths: Sequence[Path], store: Path) -> np.ndarray:
    """The teacher's probabilities of the tracks (n, 100), kept in `store`.

    Raises:
        RulerError: a track cannot be read.
    """
    for done, _ in listen(paths, store, every=20, stride=STRIDE):
        print(f"heard {done} tracks", file=sys.stderr)
    with np.load(store) as table:
        known = dict(zip(table["paths"].tolist(), table["probabilities"], strict=True))
    missing = [path for path in paths if str(path) not in known]
    if missing:
        raise RulerError(f"{missing[0]}: not heard, and {len(missing) - 1} more")
    return np.stack([known[str(path)] for path in paths])


def file_names(tracks: Sequence[dict[str, Any]]) -> list[str]:
    """The files' names in words: `boss_theme-2.ogg` -> `boss theme 2`."""
    return [Path(track["audio"]).stem.replace("_", " ").replace("-", " ") for track in tracks]


def by_model(dev: DevelopmentSet, source: str | None) -> np.ndarray:
    """Scores (sentences, tracks) of a checkpoint, None for the packaged one; whole tracks."""
    model = muscall.load(source)
    tracks = model.encode_audio(dev.paths, windows="all")
    scores: np.ndarray = model.encode_text(dev.sentences) @ tracks.T
    return scores


def by_rulers(dev: DevelopmentSet) -> dict[str, np.ndarray]:
    """By name, the scores (sentences, tracks) of the rulers that are not chance."""
    encoder = SentenceEncoder.pretrained(SentenceConfig()).eval()
    queries = embedded(encoder, dev.sentences)
    names = file_names(dev.tracks)
    titles = [track.get("title") or name for track, name in zip(dev.tracks, names, strict=True)]
    tags = heard(dev.paths, dev.folder / "tags.npz")
    return {
        "file name": queries @ embedded(encoder, names).T,
        "title": queries @ embedded(encoder, titles).T,
        "tags": tag_scores(encoder, dev.sentences, tags),
    }


def together(*scores: np.ndarray) -> np.ndarray:
    """The sum of scores (sentences, tracks), each sentence's brought to unit variance."""
    spread = [table.std(axis=1, keepdims=True).clip(min=1e-9) for table in scores]
    total: np.ndarray = sum(table / by for table, by in zip(scores, spread, strict=True))
    return total


def rulers(dev: DevelopmentSet, models: Sequence[str | None]) -> dict[str, dict[str, Row]]:
    """By name of a ruler or model, its rows: one for each file of sentences."""
    scores = by_rulers(dev)
    for source in models:
        scores[source or "packaged"] = by_model(dev, source)
    rows = {"chance": by_file(dev, lambda some: by_chance(dev.relevant[some]))}
    return rows | {name: rows_of(dev, table) for name, table in scores.items()}


def as_markdown(rows: dict[str, Row]) -> str:
    """The table, percentages but for AUC."""
    lines = ["| | " + " | ".join(MEASURES) + " |", "|---|" + "---:|" * len(MEASURES)]
    for name, row in rows.items():
        cells = [
            "{:.3f} ({:.3f}-{:.3f})".format(*row[measure])
            if measure == "AUC"
            else "{:.1f} ({:.1f}-{:.1f})".format(*(100 * value for value in row[measure]))
            for measure in MEASURES
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Baselines and models on the development set.")
    parser.add_argument("--model", action="append", help="checkpoint; without, the packaged one")
    parser.add_argument("--tracks", type=Path, default=TRACKS)
    parser.add_argument("--sentences", type=Path, nargs="+", default=SENTENCES)
    parser.add_argument("--half", default=HALF, help="of the set (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file to write the values into")
    options = parser.parse_args()
    dev = read(options.tracks, options.sentences, options.half)
    rows = rulers(dev, options.model or [None])
    for file in dict.fromkeys(dev.files):
        table = as_markdown({name: by[file] for name, by in rows.items()})
        print(f"{file}: {len(dev.tracks)} tracks, {dev.files.count(file)} sentences\n\n{table}\n")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    try:
        main()
    except MuscallError as error:
        sys.exit(f"rulers: {error}")
