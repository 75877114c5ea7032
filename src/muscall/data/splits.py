"""Which rows are trained on, and which are kept aside to validate on."""

from __future__ import annotations

import hashlib

import numpy as np

from muscall.data.dataset import DataConfig
from muscall.data.manifest import Row, read_manifest


def rows_of(data: DataConfig, *, most: int, seed: int) -> tuple[list[Row], list[Row]]:
    """The rows to train on, and at most `most`, drawn by `seed`, to validate on.

    Raises:
        ManifestError: naming every unusable row.
    """
    rows = read_manifest(data.train, split=data.train_split)
    if data.val:
        return rows, _some(read_manifest(data.val, split=data.val_split), most, seed)
    # By the name's hash: the same rows are kept aside whatever else is in the table.
    order = sorted(rows, key=lambda row: hashlib.sha256(row.id.encode()).digest())
    aside = {row.id for row in order[: kept_aside(len(rows), data.val_share)]}
    kept = [row for row in rows if row.id in aside]
    return [row for row in rows if row.id not in aside], _some(kept, most, seed)


def kept_aside(rows: int, share: float) -> int:
    """How many of `rows` are validated on where there is no table for it: at least two."""
    return max(2, round(share * rows))


def _some(rows: list[Row], count: int, seed: int) -> list[Row]:
    if len(rows) <= count:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), count, replace=False)
    return [rows[index] for index in np.sort(chosen)]
