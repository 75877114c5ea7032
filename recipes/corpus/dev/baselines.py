"""Scores of baselines and models on the development set of real music.

    python -m recipes.corpus.dev.baselines [--model MODEL ...] [--json OUT.json]

On the part of the tracks and sentences that designs are chosen on, or with --part final on the part
that chose nothing.

- chance: random orders. The values are exact, the intervals those of 95 % of random orders.
- file name: cosine, by MiniLM, between the sentence and the file's name.
- title: the same with the title, where the track's tags state one.
- tags: the teacher's tags matched to the sentence by MiniLM. Each tag's log-odds become standard
  scores over the tracks, as the raw ones differ more between tags than between tracks. The
  sentence weighs the tags by a softmax over its cosines with their names at temperature 0.05, and
  a track's score is the weighted sum. Nothing is learned from the relevance.

The intervals of the others are bootstrap intervals over the sentences, with 10,000 draws. Tracks
are not drawn: one that is drawn twice would take two of the ten places.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from sklearn.metrics import average_precision_score, roc_auc_score

import muscall
from muscall.errors import MuscallError
from muscall.evaluation.metrics import ranks
from muscall.evaluation.ranking import chance_average_precision
from muscall.evaluation.score import Score, bootstrap, markdown
from muscall.models.config import SentenceConfig
from muscall.models.sentence import SentenceEncoder
from recipes.corpus.teacher.tagging import NAMES, listen

TRACKS = Path("corpora/dev/tracks.jsonl")
# What metadata say that tracks are for, and how they sound as measured: two tables.
SENTENCES = tuple(Path(__file__).with_name(f"{kind}.yaml") for kind in ("metadata", "acoustic"))
PART = "choosing"  # of tracks and sentences that name no part
HITS = 10
STRIDE = 4  # the teacher hears one piece of 3 s in so many, as the default weights do
TEMPERATURE = 0.05
HIT = f"hit@{HITS}"
FORMS = {"AUC": ".3f"}
# Names of tags that no sentence would use, as one would.
SPOKEN = {"mtt/indian": "Indian music", "msd/rnb": "R&B", "msd/00s": "2000s"}


class BaselineError(MuscallError):
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


def part_of(row: dict[str, Any]) -> str:
    """The part of the set that a track or a sentence is of."""
    # Tables of tracks that were built before 2026-11-27 say `half`.
    return str(row.get("part") or row.get("half") or PART)


def read(tracks: Path, sentences: Sequence[Path], part: str = PART) -> DevelopmentSet:
    """The tracks (JSON lines) and sentences (files of YAML) of one part of the set.

    Raises:
        BaselineError: a file is missing; it names a track that the part does not have; no track, or
            every track, is relevant for a sentence; or the part has no sentences.
    """
    for path in (tracks, *sentences):
        if not path.is_file():
            raise BaselineError(f"{path}: no such file")
    lines = tracks.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if part_of(row) == part]
    places = {row["id"]: place for place, row in enumerate(rows)}
    entries = [
        (path, entry)
        for path in sentences
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))
        if part_of(entry) == part
    ]
    if not entries:
        raise BaselineError(f"{sentences[0]}: no sentences of the part {part}")
    relevant = np.zeros((len(entries), len(rows)), bool)
    for (path, entry), marks in zip(entries, relevant, strict=True):
        for track in entry["relevant"]:
            if track not in places:
                raise BaselineError(f"{path}: “{entry['sentence']}”: no track {track}")
            marks[places[track]] = True
        if not 0 < marks.sum() < len(rows):
            raise BaselineError(
                f"{path}: “{entry['sentence']}”: {marks.sum()} of {len(rows)} tracks relevant"
            )
    return DevelopmentSet(
        rows,
        tracks.parent,
        [entry["sentence"] for _, entry in entries],
        [path.stem for path, _ in entries],
        relevant,
    )


def by_chance(relevant: np.ndarray, *, orders: int = 1000) -> dict[str, Score]:
    """The scores of random orders, for `relevant` (sentences, tracks)."""
    items, counts = relevant.shape[1], relevant.sum(axis=1)
    first = min(HITS, items)
    misses = [math.comb(items - n, first) / math.comb(items, first) for n in counts.tolist()]
    expected = {
        "mAP": 100 * float(np.mean([chance_average_precision(n, items) for n in counts.tolist()])),
        "AUC": 0.5,
        HIT: 100 * (1 - float(np.mean(misses))),
    }
    generator = np.random.default_rng(0)
    places = np.arange(1, items + 1)
    drawn: dict[str, list[float]] = {name: [] for name in expected}
    for _ in range(orders):
        order = np.argsort(-generator.random(relevant.shape), axis=1)
        ranked = np.take_along_axis(relevant, order, axis=1)
        precisions = ranked * ranked.cumsum(axis=1) / places
        # Pairs of a relevant track and one that is not relevant and comes before it.
        wrong = (ranked * places).sum(axis=1) - counts * (counts + 1) / 2
        drawn["mAP"].append(100 * float(np.mean(precisions.sum(axis=1) / counts)))
        drawn["AUC"].append(float(np.mean(1 - wrong / (counts * (items - counts)))))
        drawn[HIT].append(100 * float(np.mean(ranked[:, :HITS].any(axis=1))))
    return {
        name: Score(value, *np.quantile(drawn[name], [0.025, 0.975]).tolist())
        for name, value in expected.items()
    }


def by_file(
    dev: DevelopmentSet, scores_of: Callable[[np.ndarray], dict[str, Score]]
) -> dict[str, dict[str, Score]]:
    """The scores of each file's sentences, by file; `scores_of` takes their places."""
    files = np.array(dev.files)
    return {name: scores_of(np.flatnonzero(files == name)) for name in dict.fromkeys(dev.files)}


def chance_by_file(dev: DevelopmentSet) -> dict[str, dict[str, Score]]:
    """The scores of random orders, by file of sentences."""
    return by_file(dev, lambda some: by_chance(dev.relevant[some]))


def scores_by_file(dev: DevelopmentSet, similarity: np.ndarray) -> dict[str, dict[str, Score]]:
    """How well `similarity` (sentences, tracks) ranks, by file of sentences."""
    return by_file(dev, lambda some: ranking_scores(similarity[some], dev.relevant[some]))


def ranking_scores(
    similarity: np.ndarray, relevant: np.ndarray, *, draws: int = 10_000
) -> dict[str, Score]:
    """`mAP` and `hit@10` in percent and `AUC` in 0..1, of `similarity` (sentences, tracks)."""
    pairs = list(zip(relevant, similarity, strict=True))
    table = np.array(
        [
            [100 * average_precision_score(*pair) for pair in pairs],
            [roc_auc_score(*pair) for pair in pairs],
            100 * (ranks(similarity, relevant) <= HITS),
        ]
    )

    def means(some: np.ndarray) -> dict[str, float]:
        return dict(zip(("mAP", "AUC", HIT), table[:, some].mean(axis=1).tolist(), strict=True))

    return bootstrap(means, len(pairs), draws=draws)


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


def tag_probabilities(paths: Sequence[Path], store: Path) -> np.ndarray:
    """The teacher's probabilities of the tracks (n, 100), kept in `store`.

    Raises:
        BaselineError: a track cannot be read.
    """
    for done, _ in listen(paths, store, every=20, stride=STRIDE):
        print(f"{done} tracks tagged", file=sys.stderr)
    with np.load(store) as table:
        known = dict(zip(table["paths"].tolist(), table["probabilities"], strict=True))
    missing = [path for path in paths if str(path) not in known]
    if missing:
        raise BaselineError(f"{missing[0]}: not tagged, and {len(missing) - 1} more")
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


def by_baselines(dev: DevelopmentSet) -> dict[str, np.ndarray]:
    """By name, the scores (sentences, tracks) of the baselines that are not chance."""
    encoder = SentenceEncoder.pretrained(SentenceConfig()).eval()
    queries = embedded(encoder, dev.sentences)
    names = file_names(dev.tracks)
    titles = [track.get("title") or name for track, name in zip(dev.tracks, names, strict=True)]
    tags = tag_probabilities(dev.paths, dev.folder / "tags.npz")
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


def table(
    dev: DevelopmentSet, models: Sequence[str | None]
) -> dict[str, dict[str, dict[str, Score]]]:
    """By name of a baseline or model, its scores by file of sentences."""
    similarities = by_baselines(dev)
    for source in models:
        similarities[source or "packaged"] = by_model(dev, source)
    rows = {"chance": chance_by_file(dev)}
    return rows | {name: scores_by_file(dev, found) for name, found in similarities.items()}


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Baselines and models on the development set.")
    parser.add_argument("--model", action="append", help="checkpoint; without, the packaged one")
    parser.add_argument("--tracks", type=Path, default=TRACKS)
    parser.add_argument("--sentences", type=Path, nargs="+", default=SENTENCES)
    parser.add_argument("--part", choices=("choosing", "final"), default=PART)
    parser.add_argument("--json", type=Path, help="file to write the values into")
    options = parser.parse_args()
    dev = read(options.tracks, options.sentences, options.part)
    rows = table(dev, options.model or [None])
    for file in dict.fromkeys(dev.files):
        shown = markdown({name: by[file] for name, by in rows.items()}, FORMS)
        print(f"{file}: {len(dev.tracks)} tracks, {dev.files.count(file)} sentences\n\n{shown}\n")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    try:
        main()
    except MuscallError as error:
        sys.exit(f"baselines: {error}")
