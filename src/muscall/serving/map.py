"""A map of the library: tracks that sound alike lie close together.

A few thousand tracks are laid out by t-SNE. All others, and whatever is asked for, lie among those
of them that sound most like it: so a map costs seconds however large the library is, and stays as
it is while tracks are added.
"""

from __future__ import annotations

import threading
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from muscall.library.cache import Cache

_LANDMARKS = 2000
_FEW = 10  # tracks, of which t-SNE makes nothing
_DIMENSIONS = 50  # of which t-SNE sees the distances
_NEAREST = 5
_REGIONS = 12  # at most
_ENOUGH = 0.8  # share of the landmarks that a layout must know


class _Layout(NamedTuple):
    """Tracks by key, in which of the `vectors` (n, dim) and `places` (n, 2) they are."""

    rows: dict[str, int]
    vectors: np.ndarray
    places: np.ndarray


class Map:
    """Lays out tracks; `cache` keeps that over restarts. Safe to use from several threads."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._layout = _Layout({}, np.empty((0, 0)), np.empty((0, 2)))

    def lay_out(self, keys: list[str], vectors: np.ndarray) -> np.ndarray:
        """The places (n, 2) in 0..1 of tracks with embeddings (n, dim), n >= 1.

        They are those of before as long as the library is much the same.

        Args:
            keys: sorted; as they are hashes, the first ones stand for all.
        """
        chosen = keys[:_LANDMARKS]
        with self._lock:
            known = self._layout.rows
            if sum(key in known for key in chosen) < _ENOUGH * len(chosen):
                self._layout = self._laid_out(chosen, vectors[: len(chosen)])
            layout, places = self._layout, self.place(vectors)
        for row, key in enumerate(keys):
            if key in layout.rows:
                places[row] = layout.places[layout.rows[key]]
        return places

    def place(self, vectors: np.ndarray) -> np.ndarray:
        """Embeddings (n, dim) -> (n, 2): the mean of the nearest tracks, the nearer the more.

        To be called after `lay_out`.
        """
        layout = self._layout
        nearest = min(_NEAREST, len(layout.vectors) - 1)
        scores = vectors @ layout.vectors.T
        # The farthest of them counts for nothing, so that no track comes or goes with a jump.
        order = np.argpartition(-scores, nearest, axis=1)[:, : nearest + 1]
        near = np.take_along_axis(scores, order, axis=1)
        weights = near - near.min(axis=1, keepdims=True) + 1e-9
        weights /= weights.sum(axis=1, keepdims=True)
        return np.asarray(np.einsum("nk,nkd->nd", weights, layout.places[order]), np.float32)

    def _laid_out(self, keys: list[str], vectors: np.ndarray) -> _Layout:
        digest = blake2b("".join(keys).encode(), digest_size=10)
        digest.update(vectors.tobytes())
        name = f"{digest.hexdigest()}.places"
        places = self._cache.array(name, (len(keys), 2), lambda: _lay_out(vectors))
        return _Layout({key: row for row, key in enumerate(keys)}, vectors, places)


def together(places: np.ndarray) -> list[np.ndarray]:
    """The rows of places (n, 2), n >= 2, in groups that lie together; the more, the more groups."""
    from sklearn.cluster import KMeans  # slow to import

    number = int(np.clip(np.sqrt(len(places) / 6), 2, _REGIONS))
    whose = KMeans(number, n_init=3, random_state=0).fit_predict(places)
    return [np.flatnonzero(whose == one) for one in range(number)]


def _lay_out(vectors: np.ndarray) -> np.ndarray:
    """Embeddings (n, dim) -> places (n, 2) float32 in 0..1."""
    centred = vectors - vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    reduced = (left * sizes)[:, :_DIMENSIONS]
    if len(vectors) < _FEW:
        places = np.zeros((len(vectors), 2), np.float32)
        places[:, : reduced.shape[1]] = reduced[:, :2]
    else:
        from sklearn.manifold import TSNE  # slow to import

        perplexity = min(30.0, (len(vectors) - 1) / 3)
        places = TSNE(init="pca", perplexity=perplexity, random_state=0).fit_transform(reduced)
    lowest, highest = places.min(axis=0), places.max(axis=0)
    return np.asarray((places - lowest) / np.maximum(highest - lowest, 1e-9), np.float32)
