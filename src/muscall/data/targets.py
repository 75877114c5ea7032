"""A teacher's vectors of the training items, for distillation."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from muscall.data.manifest import Row
from muscall.errors import ManifestError


def read_targets(path: str | Path, rows: Sequence[Row]) -> np.ndarray:
    """The teacher's vectors of `rows`, each column with zero mean and unit variance.

    Args:
        path: an npz of `ids` (n,), as in the manifest, and `vectors` (n, dim).

    Returns:
        (len(rows), dim) float32; NaN for rows that are not in the file.

    Raises:
        ManifestError: naming the file, if it cannot be read or has none of the rows.
    """
    try:
        with np.load(path) as table:
            ids, vectors = table["ids"].tolist(), table["vectors"].astype(np.float32)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or error
        raise ManifestError(Path(path), [f"{path}: no teacher's vectors: {reason}"]) from None
    if vectors.ndim != 2 or len(ids) != len(vectors) or not np.isfinite(vectors).all():
        raise ManifestError(
            Path(path), [f"{path}: {vectors.shape} vectors for {len(ids)} ids, or not finite"]
        )
    places = {name: place for place, name in enumerate(ids)}
    known = np.array([places.get(row.id, -1) for row in rows])
    if (known < 0).all():
        raise ManifestError(Path(path), [f"{path}: it has vectors of none of the rows"])
    found = vectors[known]
    found[known < 0] = np.nan
    found = (found - np.nanmean(found, axis=0)) / np.nanstd(found, axis=0).clip(min=1e-6)
    return np.asarray(found, np.float32)
