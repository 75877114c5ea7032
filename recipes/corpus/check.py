"""Check a corpus written by build.py, part by part; exits 1 if it is unsound."""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import random
import re
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from muscall.processes import end_with_parent
from recipes.corpus.sound.store import RATE, silence
from recipes.corpus.splits import SPLITS

Row = dict[str, Any]


@dataclass(frozen=True)
class Sound:
    """One file, read whole; `quiet` is the share of its seconds that are silent.

    `print` is the same for files that decode to the same samples. All zero if it cannot be read.
    """

    seconds: float = 0.0
    peak: float = 0.0
    rms: float = 0.0
    clipped: int = 0
    quiet: float = 0.0
    print: str = ""


def measure(path: Path) -> Sound:
    """What one file of the corpus sounds like."""
    try:
        sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError):
        return Sound()
    if rate != RATE or sound.shape[1] != 1 or len(sound) < rate:
        return Sound()
    return Sound(
        seconds=len(sound) / rate,
        peak=float(np.abs(sound).max()),
        rms=float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))),
        clipped=int(np.sum(np.abs(sound) >= 0.999)),
        quiet=silence(sound[:, 0]),
        print=hashlib.sha256(sound.tobytes()).hexdigest(),
    )


def faults(row: Row, sound: Sound) -> list[str]:
    """What is wrong with a row's audio; nothing if it is sound."""
    if not sound.seconds:
        return ["unreadable"]
    found = []
    if abs(sound.seconds - row["duration"]) > 0.05 or not 19.9 <= sound.seconds <= 30.1:
        found.append(f"{sound.seconds:.2f} s long")
    if sound.rms < 1e-3 or sound.quiet > 0.5:
        found.append(f"silent for {sound.quiet:.0%}")
    if sound.clipped:
        found.append(f"{sound.clipped} samples clipped")
    return found


def leaks(rows: list[Row]) -> list[str]:
    """Groups and ids that are in two splits, or twice."""
    places: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        places[row["group"]].add(row["split"])
    found = [f"group {group} in {sorted(ins)}" for group, ins in places.items() if len(ins) > 1]
    ids = Counter(row["id"] for row in rows)
    return found + [f"id {name} {count} times" for name, count in ids.items() if count > 1]


def _table(rows: list[Row], out: Path) -> None:
    print("part        split   rows  groups   hours      MB  captions")
    for part in sorted({row["part"] for row in rows}):
        for split in SPLITS:
            some = [row for row in rows if (row["part"], row["split"]) == (part, split)]
            hours = sum(row["duration"] for row in some) / 3600
            size = sum((out / row["audio"]).stat().st_size for row in some) / 1e6
            groups, texts = len({r["group"] for r in some}), sum(len(r["caption"]) for r in some)
            print(
                f"{part:11} {split:5} {len(some):6} {groups:7} {hours:7.2f} {size:7.0f} {texts:9}"
            )


def _licences(rows: list[Row]) -> None:
    counts = Counter(
        (row["part"], "; ".join(f"{what}: {name}" for what, name in row["licence"].items()))
        for row in rows
    )
    print("\nlicences")
    for (part, licence), count in sorted(counts.items()):
        print(f"  {part:11} {count:6}  {licence}")


def _words(rows: list[Row]) -> None:
    print()
    for part in sorted({row["part"] for row in rows}):
        some = [row for row in rows if row["part"] == part]
        texts = [text.lower().rstrip(".") for row in some for text in row["caption"]]
        counts = Counter(texts)
        shared = sum(count for count in counts.values() if count > 1) / len(texts)
        vocabulary = {word for text in texts for word in re.findall(r"[a-z&'-]+", text)}
        kinds = Counter(kind for row in some for kind in row["caption_kind"])
        by_kind = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
        print(
            f"{part}: {len(texts)} captions, {shared:.1%} shared, "
            f"{len(vocabulary)} words; {by_kind}"
        )
    effects = Counter(name for row in rows for name in row["facts"]["effects"])
    print("effects: " + ", ".join(f"{name} {count}" for name, count in effects.most_common()))


def _sample(rows: list[Row], sounds: dict[str, Sound], number: int, seed: int) -> None:
    """Twenty rows of each part: what was measured, and what they say."""
    for part in sorted({row["part"] for row in rows}):
        some = [row for row in rows if row["part"] == part]
        print(f"\n{part}")
        for row in random.Random(seed).sample(some, min(number, len(some))):
            sound = sounds[row["id"]]
            level, peak = (20 * np.log10(max(x, 1e-9)) for x in (sound.rms, sound.peak))
            print(
                f"\n  {row['id']} ({row['split']}): {sound.seconds:.1f} s, {level:.1f} dBFS RMS, "
                f"peak {peak:.1f}, {sound.quiet:.0%} silent, {sound.clipped} clipped; "
                f"{' '.join(row['facts']['effects']) or 'no effects'}"
            )
            for text, kind in zip(row["caption"], row["caption_kind"], strict=True):
                print(f"    {kind:13} {text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the corpus")
    parser.add_argument("--sample", type=int, default=20, help="rows of a part that are printed")
    parser.add_argument("--seed", type=int, default=0, help="which rows are printed")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()

    rows = [json.loads(line) for line in (options.out / "manifest.jsonl").open()]
    if not rows:
        sys.exit(f"{options.out}: no rows")
    with multiprocessing.Pool(options.jobs, end_with_parent) as pool:
        measured = pool.map(measure, [options.out / row["audio"] for row in rows], chunksize=64)
    sounds = {row["id"]: sound for row, sound in zip(rows, measured, strict=True)}

    _table(rows, options.out)
    _licences(rows)
    _words(rows)
    _sample(rows, sounds, options.sample, options.seed)
    prints = Counter(sound.print for sound in measured if sound.print)
    wrong = [f"{r['id']}: {', '.join(f)}" for r in rows if (f := faults(r, sounds[r["id"]]))]
    wrong += [f"{count} rows sound exactly alike" for count in prints.values() if count > 1]
    wrong += leaks(rows)
    print(f"\n{len(wrong)} faults", *wrong, sep="\n  ")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
