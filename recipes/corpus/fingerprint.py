"""Find recordings that occur twice, across the splits and sets that must not share any.

    python -m recipes.corpus.fingerprint train.jsonl valid.jsonl test.jsonl dev/tracks.jsonl

Each manifest is a side; rows of one side may be alike. Every pair of alike files of two sides is
printed, with its share of equal bits and the seconds that are alike, and the exit code is 1 (2
where a file cannot be read).
Chromaprint (Debian's `libchromaprint1`) makes the fingerprints: 32 bits for every 0.124 s, nearly
untouched by codecs, levels and equalisation. It is blind to changes of key and tempo.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import chromaprint
import numpy as np
import numpy.typing as npt

from muscall.audio.decode import stream
from muscall.errors import AudioError
from muscall.processes import end_with_parent

Items = npt.NDArray[np.uint32]

_RATE = 11025  # Hz; what chromaprint works at
SECONDS = 4096 / 3 / _RATE  # between items: its frames of 4096 samples overlap by two thirds
_SHORTEST = round(8 / SECONDS)  # items that must be alike
_ALIKE = 0.8  # share of equal bits; of chance it is 0.5
_COMMON = 0.002  # an item in more than this share of all files tells nothing: silence, a drone
_SEEDS = 4  # equal items in line that make two files worth comparing


@dataclass(frozen=True)
class Pair:
    """Two alike files: `seconds` of them have `share` of their fingerprint bits in common."""

    first: Path
    second: Path
    share: float
    seconds: float


def fingerprint(path: Path) -> Items:
    """The fingerprint of a whole file, (n,): one item for every 0.124 s, about 20 fewer.

    Raises:
        AudioError: it cannot be decoded.
    """
    printer = chromaprint.Fingerprinter()
    printer.start(_RATE, 1)
    for block in stream(path, sample_rate=_RATE):
        printer.feed((block.clip(-1, 1) * 32767).astype("<i2").tobytes())
    items, _ = chromaprint.decode_fingerprint(printer.finish())
    return np.array(items, dtype=np.int64).astype(np.uint32)


def alike(sides: Sequence[dict[Path, Items]]) -> list[Pair]:
    """All pairs of alike files of two different sides."""
    paths = [path for side in sides for path in side]
    prints = [items for side in sides for items in side.values()]
    owner = np.repeat(np.arange(len(sides)), [len(side) for side in sides])
    pairs = []
    for (one, other), shifts in _candidates(prints, owner).items():
        share, length = max(
            (_compare(prints[one], prints[other], shift) for shift in shifts), key=lambda m: m[0]
        )
        if share >= _ALIKE:
            pairs.append(Pair(paths[one], paths[other], share, length * SECONDS))
    return sorted(pairs, key=lambda pair: -pair.share)


def _candidates(
    prints: Sequence[Items], owner: npt.NDArray[np.int64]
) -> dict[tuple[int, int], set[int]]:
    """Files of two sides with equal items in line -> the shifts, in items, at which they are."""
    lengths = [len(items) for items in prints]
    value = np.concatenate([*prints, np.empty(0, np.uint32)])
    file = np.repeat(np.arange(len(prints)), lengths)
    place = np.concatenate([*map(np.arange, lengths), np.empty(0, np.int64)])
    order = np.lexsort((place, file, value))
    value, file, place = value[order], file[order], place[order]
    starts = np.flatnonzero(np.r_[True, value[1:] != value[:-1]]) if len(value) else []
    limit = max(20, round(_COMMON * len(prints)))
    votes: dict[tuple[int, int, int], int] = {}
    for start, end in zip(starts, [*starts[1:], len(value)], strict=True):
        if not 1 < end - start <= limit or owner[file[start]] == owner[file[end - 1]]:
            continue  # files are in the order of sides, so these all belong to one
        for i in range(start, end):
            for j in range(i + 1, end):
                if owner[file[i]] != owner[file[j]]:
                    key = (int(file[i]), int(file[j]), int(place[j] - place[i]))
                    votes[key] = votes.get(key, 0) + 1
    found: dict[tuple[int, int], set[int]] = {}
    for (one, other, shift), count in votes.items():
        if count >= _SEEDS:
            found.setdefault((one, other), set()).add(shift)
    return found


def _compare(one: Items, other: Items, shift: int) -> tuple[float, int]:
    """The greatest share of equal bits over `_SHORTEST` items in line, and how many are alike."""
    first, second = max(0, -shift), max(0, shift)
    length = min(len(one) - first, len(other) - second)
    if length < _SHORTEST:
        return 0.0, 0
    differ = one[first : first + length] ^ other[second : second + length]
    equal = 32 - np.unpackbits(differ.view(np.uint8).reshape(-1, 4), axis=1).sum(axis=1)
    means = np.convolve(equal / 32, np.ones(_SHORTEST) / _SHORTEST, mode="valid")
    return float(means.max()), int((means >= _ALIKE).sum()) + _SHORTEST - 1


def _files(manifest: Path) -> list[Path]:
    """The sound files that a manifest names, each once."""
    rows = (json.loads(line) for line in manifest.read_text().splitlines() if line.strip())
    return sorted({manifest.parent / row["audio"] for row in rows})


def _prints(paths: Iterable[Path], jobs: int) -> Iterator[tuple[Path, Items]]:
    with ProcessPoolExecutor(jobs, initializer=end_with_parent) as pool:
        yield from zip(paths, pool.map(fingerprint, paths, chunksize=8), strict=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifests", nargs="+", type=Path, help="JSON lines with `audio`; a side")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    try:
        sides = [dict(_prints(_files(path), options.jobs)) for path in options.manifests]
    except (AudioError, OSError, json.JSONDecodeError, KeyError) as error:
        print(f"fingerprint: {error}", file=sys.stderr)
        return 2
    pairs = alike(sides)
    for pair in pairs:
        print(f"{pair.first}\t{pair.second}\t{pair.share:.2f}\t{pair.seconds:.0f} s")
    counts = ", ".join(
        f"{path.name} {len(side)}" for path, side in zip(options.manifests, sides, strict=True)
    )
    print(f"{counts} files: {len(pairs)} alike across them", file=sys.stderr)
    return 1 if pairs else 0


if __name__ == "__main__":
    sys.exit(main())
