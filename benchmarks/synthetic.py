"""A library of tracks that nobody recorded: vectors in clusters, with tags, drawn by a seed.

Clusters (sub-genres) lie around the centres of genres, differ in size and width, and overlap.
Sentences lie away from all tracks, as those of a trained model do. Everything is drawn in chunks
that depend on the seed and their number alone, so that what was interrupted goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # who draws vectors for another engine shall not hold ours in memory
    from muscall.library.indexing.batch import Track
    from muscall.library.store import Store

CHUNK = 10_000
GENRES = 120
WORDS = [one + two + three for one in "bdfglmnrst" for two in "aeiou" for three in "lmnr"]


@dataclass(frozen=True)
class Drawn:
    """A chunk: vectors (n, dim) float32 of unit norm, and the cluster, bpm and year of each."""

    vectors: np.ndarray
    clusters: np.ndarray
    bpm: np.ndarray
    year: np.ndarray


class Synthetic:
    """`tracks` tracks in `clusters` clusters of `GENRES` genres, in `dim` dimensions."""

    def __init__(self, tracks: int, *, clusters: int = 3000, dim: int = 512, seed: int = 0) -> None:
        self.tracks, self.dim, self.seed = tracks, dim, seed
        generator = np.random.default_rng([seed, 0])
        self.genre = generator.integers(GENRES, size=clusters)
        genres = _unit(generator.normal(size=(GENRES, dim)))
        self._centres = _unit(genres[self.genre] + 0.8 * self._noise(generator, clusters))
        self._widths = generator.uniform(0.4, 1.0, size=clusters)
        sizes = 1 / np.arange(10, clusters + 10)
        self._sizes = generator.permutation(sizes / sizes.sum())
        self._apart = _unit(generator.normal(size=dim))

    def chunks(self) -> Iterator[Drawn]:
        """All tracks, CHUNK at a time."""
        for chunk in range(-(-self.tracks // CHUNK)):
            yield self.chunk(chunk)

    def chunk(self, number: int) -> Drawn:
        """The tracks from `number` * CHUNK on; bpm is uniform in 60..180, whatever the sound."""
        generator = np.random.default_rng([self.seed, 1, number])
        count = min(CHUNK, self.tracks - number * CHUNK)
        clusters = generator.choice(len(self._sizes), size=count, p=self._sizes)
        return Drawn(
            vectors=self._members(generator, clusters),
            clusters=clusters,
            bpm=generator.uniform(60, 180, size=count).astype(np.float32),
            year=generator.integers(1950, 2026, size=count),
        )

    def examples(self, count: int) -> np.ndarray:
        """(count, dim) float32: songs that are in no library, of its clusters."""
        generator = np.random.default_rng([self.seed, 2])
        return self._members(generator, generator.integers(len(self._sizes), size=count))

    def sentences(self, count: int) -> np.ndarray:
        """(count, dim) float32: between two clusters, and away from all tracks."""
        generator = np.random.default_rng([self.seed, 3])
        one, other = self._centres[generator.integers(len(self._sizes), size=(2, count))]
        sound = _unit(one + 0.5 * other + 0.5 * self._noise(generator, count))
        return _unit(0.5 * sound + self._apart).astype(np.float32)

    def _members(self, generator: np.random.Generator, clusters: np.ndarray) -> np.ndarray:
        noise = self._widths[clusters, None] * self._noise(generator, len(clusters))
        return _unit(self._centres[clusters] + noise).astype(np.float32)

    def _noise(self, generator: np.random.Generator, count: int) -> np.ndarray:
        return generator.standard_normal((count, self.dim), np.float32) / np.sqrt(self.dim)


def write_library(
    drawn: Synthetic,
    store: Store,
    embedding_version: str,
    *,
    windows: int = 2,
    files: bool = True,
    tell: Callable[[int], None] = lambda _: None,
) -> None:
    """Write the tracks as an index run would, each with its file; goes on where it was left.

    Args:
        tell: called with the number of tracks that are there.
    """
    from muscall.library.indexing.batch import Batch
    from muscall.library.indexing.writer import writing
    from muscall.library.store import File

    with writing(store, embedding_version, drawn.dim) as writer:
        table = store.tracks(embedding_version)
        assert table is not None
        for number in range(-(-table.count_rows() // CHUNK), -(-drawn.tracks // CHUNK)):
            tracks = list(_tracks(drawn, number, windows))
            rows = [track.row for track in tracks] if files else ()
            there = [File(row["path"], "/music", 1, 1, row["key"], None, "present") for row in rows]
            writer.commit(Batch(tracks=tracks, files={file.path: file for file in there}))
            tell(min((number + 1) * CHUNK, drawn.tracks))
        writer.finish()


def key(number: int) -> str:
    """The key of a track: spread as a hash is, and telling its number."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}{number:024x}"


def number_of(key: str) -> int:
    """The number of the track with this key."""
    return int(key[16:], 16)


def _tracks(drawn: Synthetic, number: int, windows: int) -> Iterator[Track]:
    from muscall.library.indexing.batch import Track

    chunk = drawn.chunk(number)
    generator = np.random.default_rng([drawn.seed, 4, number])
    words = generator.integers(len(WORDS), size=(len(chunk.bpm), 3))
    now = datetime.now(UTC)
    for place, vector in enumerate(chunk.vectors):
        track, cluster = number * CHUNK + place, int(chunk.clusters[place])
        artist = f"Artist {cluster}-{track % 17}"
        title = " ".join(WORDS[word] for word in words[place])
        row = {
            "key": key(track),
            "path": f"/music/{artist}/{track:07}.flac",
            "root": "/music",
            "title": title.title(),
            "artist": artist,
            "album": f"Album {words[place, 0]}",
            "genre": f"genre {drawn.genre[cluster]}",
            "year": int(chunk.year[place]),
            "bpm": float(chunk.bpm[place]),
            "duration": 20.0 * windows,
            "offline": False,
            "added": now,
            "windows": windows,
            "vector": vector,
        }
        yield Track(row, [(20.0 * window, 20.0, vector) for window in range(windows)])


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit
