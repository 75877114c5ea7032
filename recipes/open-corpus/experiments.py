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
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from dev import rulers
from rows import slug
from sound import realism, store
from unpacking import RECORDED, Change, Row, muscall, rows_of, unpack, write

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
# Fewer rows need fewer steps, and augmentation would do some of what the effects do.
SHORTER = ("train.steps=150", "train.validate_every=50", "data.augment.enabled=false")
_EDGE = 0.02  # seconds of fade at the end of a sound, which has faded already


@dataclass(frozen=True)
class Experiment:
    """Which rows train, which effects their sound goes through (None: as it was built), and what
    else is set.
    """

    corpus: Path
    keep: Callable[[Row], bool]
    effects: frozenset[str] | None = None
    settings: tuple[str, ...] = ()


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
} | {
    f"rendered, {name}": Experiment(DRY, partial(_but, frozenset()), effects, SHORTER)
    for name, effects in {
        "all effects": _EFFECTS,
        "no effects": frozenset(),
        **{f"without {name}": _EFFECTS - {name} for name in realism.EFFECTS},
    }.items()
}


def rows(corpus: Path, split: str, keep: Callable[[Row], bool], most: int) -> list[Row]:
    """At most `most` rows that `keep` keeps, drawn the same way every time."""
    kept = [row for row in rows_of(corpus / f"{split}.jsonl") if keep(row)]
    return random.Random(split).sample(kept, min(most, len(kept)))


def _recorded(name: str, sound: np.ndarray, effects: frozenset[str]) -> np.ndarray:
    """The middle of a dry clip, through `effects`."""
    first = max(0, len(sound) - round(_DRY_SECONDS * store.RATE)) // 2
    middle = sound[first : first + round(_DRY_SECONDS * store.RATE)]
    changed, _ = realism.apply(middle, store.RATE, name, effects)
    return store.level(changed, -3.0, _EDGE)


def unpacked(dev: rulers.DevelopmentSet, out: Path) -> rulers.DevelopmentSet:
    """The development set with its tracks as WAV under `out`: they are read again and again."""
    tracks = [row | {"audio": dev.folder / row["audio"]} for row in dev.tracks]
    return replace(dev, tracks=unpack(tracks, Path(), out), folder=out)


def run(
    name: str, experiment: Experiment, seed: int, out: Path, dev: rulers.DevelopmentSet
) -> None:
    """Train and score one experiment, unless that is done."""
    kept = slug(name)
    done = out / kept / f"seed-{seed}.json"
    if done.exists():
        return
    shared = out / "open" / "corpus"
    counts, sound = ROWS, shared
    change: Change | None = None
    if experiment.effects is not None:
        counts, sound = DRY_ROWS, out / kept / "corpus"
        change = partial(_recorded, effects=experiment.effects)
    changes = []
    for split in ("train", "val"):
        chosen = rows(experiment.corpus, split, experiment.keep, counts[split])
        ready = unpack(chosen, experiment.corpus, sound, change)
        if change is not None:
            ready = [row | {"duration": _DRY_SECONDS} for row in ready]
        changes.append(f"data.{split}={write(ready, sound / f'{kept}-{split}.jsonl')}")
    held_out = rows(OPEN, "test", partial(_but, frozenset({RECORDED})), ROWS["test"])
    test = write(unpack(held_out, OPEN, shared), shared / "test.jsonl")
    folder = out / kept / f"seed-{seed}"
    changes += [f"train.out={folder}", f"train.seed={seed}", *FITTED, *experiment.settings]
    _share_sentences(folder, out / "sentences")
    muscall("train", CONFIG, *changes)
    best = str(folder / "best")
    scores = json.loads(muscall("evaluate", "retrieval", best, test, "--json"))
    real = rulers.rows_of(dev, rulers.by_model(dev, best))
    done.write_text(json.dumps({"name": name, "real": real, "rendered": scores}, indent=2))


def _share_sentences(folder: Path, shared: Path) -> None:
    """What `muscall train` keeps of its captions is the same for all runs that have them."""
    shared.mkdir(exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "sentences").exists():
        (folder / "sentences").symlink_to(shared.resolve())


def table(names: Iterable[str], out: Path) -> str:
    """Markdown of what is finished of these: the mean over their seeds, and each of them."""
    lines = ["| trained on | seeds | stated mAP | AUC | measured mAP | AUC | rendered T→A R@10 |"]
    lines.append("|---|---" + "|---:" * 5 + "|")
    for name in names:
        done = sorted((out / slug(name)).glob("seed-*.json"))
        found = [json.loads(path.read_text()) for path in done]
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


def main(experiments: Mapping[str, Experiment], out: Path) -> None:
    """Run the recipe with these experiments."""
    parser = argparse.ArgumentParser(description="Short, equal trainings, compared on real music.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(experiments))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--out", type=Path, default=out)
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in experiments]:
        parser.error(f"no experiment is called {unknown[0]!r}: {', '.join(experiments)}")
    dev = unpacked(rulers.read(rulers.TRACKS, rulers.SENTENCES), options.out / "dev")
    for seed in options.seeds:
        for name in options.names or experiments:
            run(name, experiments[name], seed, options.out, dev)
    print(table(experiments, options.out))


if __name__ == "__main__":
    main(EXPERIMENTS, Path("runs/experiments"))
