"""Rows to train on, and rows to validate on."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np

from muscall.audio.inside import Sound
from muscall.data.dataset import DataConfig
from muscall.data.manifest import Row, read_manifest
from muscall.errors import ManifestError

logger = logging.getLogger("muscall")


def rows_of(data: DataConfig, *, most: int, seed: int) -> tuple[list[Row], list[Row]]:
    """The rows to train on, and at most `most` rows to validate on, drawn by `seed`.

    If a share of the training rows is held out, all rows of a file are on one side. If there is a
    manifest to validate on, files that are in both are logged.

    Raises:
        ManifestError: naming every unusable row.
    """
    rows = read_manifest(data.train, split=data.train_split)
    if data.val:
        validation = read_manifest(data.val, split=data.val_split)
        both = {row.audio.resolve() for row in rows} & {row.audio.resolve() for row in validation}
        if both:
            logger.warning(
                "%d files are both trained and validated on: the scores will be too good", len(both)
            )
        return rows, _some(validation, most, seed)
    # By the hash of the name, so that other rows in the table do not change what is held out.
    by_file: dict[Sound, list[Row]] = {}
    for row in rows:
        by_file.setdefault(row.audio.resolve(), []).append(row)
    if len(by_file) < 2:
        raise ManifestError(Path(data.train), [f"{data.train}: one file cannot be split in two"])
    wanted, aside = kept_aside(len(rows), data.val_share), set[str]()
    for shared in sorted(by_file.values(), key=lambda rows: _hash(rows[0].id)):
        if len(aside) >= wanted:
            break
        aside |= {row.id for row in shared}
    kept = [row for row in rows if row.id in aside]
    return [row for row in rows if row.id not in aside], _some(kept, most, seed)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def kept_aside(rows: int, share: float) -> int:
    """How many of `rows` are held out for validation: at least two."""
    return max(2, round(share * rows))


def _some(rows: list[Row], count: int, seed: int) -> list[Row]:
    if len(rows) <= count:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), count, replace=False)
    return [rows[index] for index in np.sort(chosen)]
