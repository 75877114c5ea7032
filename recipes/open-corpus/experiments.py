"""What each part of the corpus, and each effect of `sound/realism.py`, is worth on real music.

    PYTHONPATH=recipes/open-corpus python recipes/open-corpus/experiments.py [NAME...] [--seeds 0 1]

Short, equal trainings of `configs/minilm.yaml`, fitted to two processor cores by FITTED, on rows of
`corpora/open` (parts), or on the middle of rows of `corpora/dry`, which is built without effects:
they are then applied here (effects). Each is scored on the development set of real music and on the
rendered test rows of the open corpus, which is the same for all. Resumable: what is finished is not
repeated. Prints a Markdown table of all that is finished.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from dev import rulers
from sound import realism, store

from muscall.audio.decode import read

CONFIG = Path(__file__).parents[2] / "configs" / "minilm.yaml"
OPEN, DRY = Path("corpora/open"), Path("corpora/dry")
ROWS = {"train": 4000, "val": 300, "test": 500}
DRY_ROWS = {"train": 2000, "val": 150}
_DRY_SECONDS = 10.0  # of each dry clip; its effects are most of what an experiment costs
FITTED = [
    "model.audio.window_seconds=5",
    "train.steps=300",
    "train.batch_size=64",
    "train.micro_batch=32",
    "train.recompute=false",
    "train.lr=1e-3",
    "train.warmup=0.1",
    "train.validate_every=100",
    "train.validation_items=300",
]
RECORDED = "recordings"
_EDGE = 0.02  # seconds of fade at the end of a sound, which has faded already

Row = dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """Which rows train, and which effects their sound goes through (None: as it was built)."""

    corpus: Path
    keep: Callable[[Row], bool]
    effects: frozenset[str] | None = None


def _but(parts: frozenset[str], row: Row) -> bool:
    return row["part"] not in parts


def _only(part: str, row: Row) -> bool:
    return bool(row["part"] == part)


_EFFECTS = frozenset(realism.EFFECTS)
EXPERIMENTS: dict[str, Experiment] = {
    "all parts": Experiment(OPEN, partial(_but, frozenset())),
    "without grooves": Experiment(OPEN, partial(_but, frozenset({"grooves"}))),
    "without scores": Experiment(OPEN, partial(_but, frozenset({"scores"}))),
    "without free MIDI and tracker": Experiment(
        OPEN, partial(_but, frozenset({"free_midi", "tracker"}))
    ),
    "without recordings": Experiment(OPEN, partial(_but, frozenset({RECORDED}))),
    "recordings alone": Experiment(OPEN, partial(_only, RECORDED)),
    "rendered, all effects": Experiment(DRY, partial(_but, frozenset()), _EFFECTS),
    "rendered, no effects": Experiment(DRY, partial(_but, frozenset()), frozenset()),
} | {
    f"rendered, without {name}": Experiment(DRY, partial(_but, frozenset()), _EFFECTS - {name})
    for name in realism.EFFECTS
}


def rows(corpus: Path, split: str, keep: Callable[[Row], bool], most: int) -> list[Row]:
    """At most `most` rows that `keep` keeps, drawn the same way every time."""
    lines = (corpus / f"{split}.jsonl").read_text("utf-8").splitlines()
    kept = [row for row in map(json.loads, lines) if keep(row)]
    return random.Random(split).sample(kept, min(most, len(kept)))


def unpack(
    chosen: Iterable[Row], corpus: Path, out: Path, effects: frozenset[str] | None
) -> list[Row]:
    """The rows with their sound as WAV under `out`, through `effects`: read fast by training."""
    (out / "audio").mkdir(parents=True, exist_ok=True)
    jobs, unpacked = [], []
    for row in chosen:
        target = Path("audio") / f"{row['id']}.wav"
        if not (out / target).exists():
            jobs.append((row["id"], corpus / row["audio"], out / target))
        unpacked.append(row | {"audio": str(target)})
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(partial(_decode, effects=effects), jobs, chunksize=16))
    return unpacked


def _decode(job: tuple[str, Path, Path], effects: frozenset[str] | None) -> None:
    name, source, target = job
    sound = read(source, sample_rate=store.RATE)
    if effects is not None:
        first = max(0, len(sound) - round(_DRY_SECONDS * store.RATE)) // 2
        sound = sound[first : first + round(_DRY_SECONDS * store.RATE)]
        sound, _ = realism.apply(sound, store.RATE, name, effects)
        sound = store.level(sound, -3.0, _EDGE)
    aside = target.with_suffix(".part")
    soundfile.write(aside, sound, store.RATE, format="WAV", subtype="PCM_16")
    aside.rename(target)


def unpacked(dev: rulers.DevelopmentSet, out: Path) -> rulers.DevelopmentSet:
    """The development set with its tracks as WAV under `out`: they are read again and again."""
    tracks = [row | {"audio": dev.folder / row["audio"]} for row in dev.tracks]
    return replace(dev, tracks=unpack(tracks, Path(), out, None), folder=out)


def write(chosen: list[Row], path: Path) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in chosen), "utf-8")
    return str(path)


def muscall(*arguments: str) -> str:
    """Run the command; its messages go on to the terminal."""
    command = [sys.executable, "-m", "muscall", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def run(name: str, seed: int, out: Path, dev: rulers.DevelopmentSet) -> None:
    """Train and score one experiment, unless that is done."""
    slug = name.replace(",", "").replace(" ", "-")
    done = out / slug / f"seed-{seed}.json"
    if done.exists():
        return
    experiment = EXPERIMENTS[name]
    own = experiment.effects is not None
    counts = DRY_ROWS if own else ROWS
    sound = out / (slug if own else "open") / "corpus"
    manifests = {
        split: write(
            unpack(
                rows(experiment.corpus, split, experiment.keep, counts[split]),
                experiment.corpus,
                sound,
                experiment.effects,
            ),
            sound / f"{slug}-{split}.jsonl",
        )
        for split in ("train", "val")
    }
    held_out = rows(OPEN, "test", partial(_but, frozenset({RECORDED})), ROWS["test"])
    shared = out / "open" / "corpus"
    test = write(unpack(held_out, OPEN, shared, None), shared / "test.jsonl")
    folder = out / slug / f"seed-{seed}"
    changes = [f"data.{split}={path}" for split, path in manifests.items()]
    muscall("train", str(CONFIG), *changes, f"train.out={folder}", f"train.seed={seed}", *FITTED)
    best = str(folder / "best")
    scores = json.loads(muscall("evaluate", "retrieval", best, test, "--json"))
    real = rulers.rows_of(dev, rulers.by_model(dev, best))
    done.write_text(json.dumps({"name": name, "real": real, "rendered": scores}, indent=2))


def table(out: Path) -> str:
    """Markdown of every experiment that is finished: the mean over its seeds, and each of them."""
    lines = ["| trained on | seeds | stated mAP | AUC | measured mAP | AUC | rendered T→A R@10 |"]
    lines.append("|---|---" + "|---:" * 5 + "|")
    for name in EXPERIMENTS:
        slug = name.replace(",", "").replace(" ", "-")
        found = [json.loads(path.read_text()) for path in sorted(out.glob(f"{slug}/seed-*.json"))]
        if not found:
            continue
        columns = [
            [share * one["real"][file][measure][0] for one in found]
            for file in ("sentences", "measured")
            for measure, share in (("mean average precision", 100), ("AUC", 1))
        ]
        columns.append([one["rendered"]["text_to_audio"]["R@10"] for one in found])
        cells = [
            f"{np.mean(values):{form}} ({', '.join(f'{value:{form}}' for value in values)})"
            for values, form in zip(columns, (".1f", ".3f", ".1f", ".3f", ".1f"), strict=True)
        ]
        lines.append(f"| {name} | {len(found)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--out", type=Path, default=Path("runs/experiments"))
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in EXPERIMENTS]:
        parser.error(f"no experiment is called {unknown[0]!r}: {', '.join(EXPERIMENTS)}")
    dev = unpacked(rulers.read(rulers.TRACKS, rulers.SENTENCES), options.out / "dev")
    for seed in options.seeds:
        for name in options.names or EXPERIMENTS:
            run(name, seed, options.out, dev)
    print(table(options.out))


if __name__ == "__main__":
    main()
