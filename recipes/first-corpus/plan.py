"""Which rows the corpus has, and which split each family of styles belongs to."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from pathlib import Path

from grooves import Family, Groove
from render import Job

SHARES = {"test": 0.115, "val": 0.105}


def row_id(groove: Groove, variation: int) -> str:
    """A file name for one row."""
    slug = re.sub(r"[^a-z0-9]+", "-", f"{groove.style}-{groove.name}".lower()).strip("-")
    return f"{slug}-{variation + 1:02d}"


def allot(grooves: list[Groove], clips: int) -> dict[str, int]:
    """Variations per groove, by style file: two each, more where a file has few grooves.

    Drum loops differ by tempo alone, so a file of them gets one variation each. The floor under
    a file's clips is raised until the total reaches `clips`.
    """
    sizes: dict[str, int] = defaultdict(int)
    for groove in grooves:
        sizes[groove.style] += 1
    drums = {groove.style for groove in grooves if groove.drums_only}
    plan: dict[str, int] = {}
    for floor in range(1, clips + 1):
        for style, size in sizes.items():
            wanted = -(-floor // size)
            plan[style] = min(wanted, 4) if style in drums else max(wanted, 2)
        if sum(plan[style] * size for style, size in sizes.items()) >= clips:
            break
    return plan


def jobs(
    grooves: list[Groove], table: dict[str, Family], clips: int, seed: int, out: Path
) -> list[Job]:
    """Every row to render, first variations first, so an early stop still covers all grooves."""
    plan = allot(grooves, clips)
    rows = [
        Job(row_id(g, variation), g, table[g.family], variation, seed, str(out))
        for g in grooves
        for variation in range(plan[g.style])
    ]
    if len({row.id for row in rows}) != len(rows):
        raise ValueError("two grooves share an id")
    rows.sort(key=lambda row: (row.variation, hashlib.sha256(row.id.encode()).digest()))
    return rows[:clips]


def split_families(counts: dict[str, int]) -> dict[str, str]:
    """A split per family, from its clip count, drawn in the order of the names' hashes."""
    total = sum(counts.values())
    order = sorted(counts, key=lambda name: hashlib.sha256(f"split|{name}".encode()).digest())
    splits = dict.fromkeys(order, "train")
    for split, share in SHARES.items():
        room = share * total
        for name in order:
            # A family too big for what is left would leave the split a matter of one style.
            if splits[name] == "train" and counts[name] <= min(room, 0.25 * share * total):
                splits[name] = split
                room -= counts[name]
    return splits
