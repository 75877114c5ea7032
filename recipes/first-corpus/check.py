"""Check a corpus written by build.py: splits, sound, sizes and words; exits 1 if it is unsound."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

SPLITS = ("train", "val", "test")


def _read(path: Path) -> tuple[float, float, float, int]:
    """(seconds, peak, RMS, sample rate) of one file, read whole; all zero if it cannot be."""
    try:
        sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError):
        return 0.0, 0.0, 0.0, 0
    if sound.shape[1] != 1 or not len(sound):
        return 0.0, 0.0, 0.0, 0
    rms = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    return len(sound) / rate, float(np.abs(sound).max()), rms, rate


def _range(name: str, values: list[float], unit: str) -> None:
    low, middle, high = np.percentile(values, [0, 50, 100])
    print(f"{name}: {low:.2f} .. {middle:.2f} .. {high:.2f} {unit}")


def _splits(rows: dict[str, list[dict[str, Any]]]) -> int:
    """Print the splits; returns how many style files, families or rows are in two of them."""
    for split in SPLITS:
        files = {row["source"]["style_file"] for row in rows[split]}
        families = {row["source"]["family"] for row in rows[split]}
        hours = sum(row["duration"] for row in rows[split]) / 3600
        print(
            f"{split}: {len(rows[split])} rows, {len(files)} style files, "
            f"{len(families)} families, {hours:.2f} h"
        )
    shared = 0
    for field in ("style_file", "family"):
        places = [{row["source"][field] for row in rows[split]} for split in SPLITS]
        shared += sum(map(len, places)) - len(set().union(*places))
    ids = [row["id"] for split in SPLITS for row in rows[split]]
    shared += len(ids) - len(set(ids))
    print(f"style files, families and ids in two splits: {shared}")
    return shared


def _sound(rows: list[dict[str, Any]], out: Path) -> int:
    """Print what the audio is like; returns how many files are no good."""
    paths = [out / row["audio"] for row in rows]
    with multiprocessing.Pool(2) as pool:
        read = pool.map(_read, paths, chunksize=64)
    seconds, peaks, levels, rates = (list(column) for column in zip(*read, strict=True))
    unreadable = sum(rate != 16_000 for rate in rates)
    wrong = sum(
        abs(length - row["duration"]) > 0.05 for length, row in zip(seconds, rows, strict=True)
    )
    silent = sum(rms < 1e-3 for rms in levels)
    clipped = sum(peak >= 1.0 for peak in peaks)
    sizes = [path.stat().st_size for path in paths]
    print(f"hours: {sum(seconds) / 3600:.2f}, bytes: {sum(sizes)} ({sum(sizes) / 1e6:.0f} MB)")
    _range("bytes a clip", [float(size) for size in sizes], "bytes")
    _range("duration", seconds, "s")
    _range("peak", [20 * float(np.log10(max(peak, 1e-9))) for peak in peaks], "dBFS")
    _range("level", [20 * float(np.log10(max(rms, 1e-9))) for rms in levels], "dBFS RMS")
    print(f"unreadable {unreadable}, wrong length {wrong}, silent {silent}, clipped {clipped}")
    return int(unreadable + wrong + silent + clipped)


def _words(rows: list[dict[str, Any]], sample: int, seed: int) -> None:
    texts = [text.lower().rstrip(".") for row in rows for text in row["caption"]]
    counts = Counter(texts)
    doubled = sum(count for count in counts.values() if count > 1)
    vocabulary = Counter(word for text in texts for word in re.findall(r"[a-z&'-]+", text))
    kinds = Counter(kind for row in rows for kind in row["caption_kind"])
    print(f"captions: {len(texts)}, {len(counts)} different, {doubled / len(texts):.1%} shared")
    print(f"vocabulary: {len(vocabulary)} words, {sum(c >= 5 for c in vocabulary.values())} in 5+")
    print("kinds: " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    print(f"SoundFonts: {dict(Counter(r['source']['soundfont']['package'] for r in rows))}")
    for row in random.Random(seed).sample(rows, min(sample, len(rows))):
        print(f"\n{row['id']} ({row['split']})")
        for text, kind in zip(row["caption"], row["caption_kind"], strict=True):
            print(f"  {kind:13} {text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the corpus")
    parser.add_argument("--sample", type=int, default=12, help="rows whose captions are printed")
    parser.add_argument("--seed", type=int, default=0, help="which rows are printed")
    options = parser.parse_args()

    rows = {
        split: [json.loads(line) for line in (options.out / f"{split}.jsonl").open()]
        for split in SPLITS
    }
    shared = _splits(rows)
    everything = [row for split in SPLITS for row in rows[split]]
    bad = _sound(everything, options.out)
    _words(everything, options.sample, options.seed)
    sys.exit(1 if shared or bad else 0)


if __name__ == "__main__":
    main()
