"""Which split each group of clips belongs to. A group is never in two, whatever its part."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

from recipes.corpus.rows import Clip

SPLITS = ("train", "val", "test")
_ENOUGH = 8  # groups a part must have to be held out from at all
_LARGEST = 0.25  # of a part's share of a split: else it would be a matter of one group


def split_groups(clips: Iterable[Clip], wanted: Mapping[str, int]) -> dict[str, str]:
    """A split per group, drawn in the order of the names' hashes, part by part.

    `wanted` are the rows of `test` and `val` in all. Every part with enough groups gives its
    share. A group of several parts is drawn with the part that has most of it.
    """
    counts: dict[str, Counter[str]] = {}
    for clip in clips:
        counts.setdefault(clip.part, Counter())[clip.group] += 1
    total = sum(part.total() for part in counts.values())
    homes = {
        name: max(sorted(counts), key=lambda part: counts[part][name])
        for name in set().union(*counts.values())
    }
    splits: dict[str, str] = {}
    for part in sorted(counts):
        sizes = counts[part]
        own = [name for name in sizes if homes[name] == part]
        own.sort(key=lambda name: hashlib.sha256(f"split|{name}".encode()).digest())
        splits |= dict.fromkeys(own, "train")
        if len(own) < _ENOUGH:
            continue
        for split in ("test", "val"):
            share = room = wanted[split] * sizes.total() / total
            for name in own:
                if splits[name] == "train" and sizes[name] <= min(room, _LARGEST * share):
                    splits[name] = split
                    room -= sizes[name]
    return splits
