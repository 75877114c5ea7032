"""The map of a library as it is shown: its tracks, and words for its parts."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from muscall.library.cache import Cache
from muscall.library.describing import ENOUGH
from muscall.library.library import Library
from muscall.library.scan import text_path
from muscall.library.store import matrix
from muscall.serving.map import Map, together
from muscall.serving.shown import MapPoint, MapRegion, title_of

_SHOWN = 20_000  # tracks on a map
_COLUMNS = ["key", "path", "title", "artist", "genre", "year", "loudness", "vector"]
_STRONG = 0.25  # standard deviations from which a word says something of a region


@dataclass(frozen=True)
class _Drawn:
    """The map of a version of the table; `places` (n, 2) and `vectors` (n, dim) of its points."""

    version: int
    points: list[MapPoint]
    places: np.ndarray
    vectors: np.ndarray


class Atlas:
    """Draws the tracks of a library; `cache` keeps where they lie. For several threads."""

    def __init__(self, library: Library, cache: Cache) -> None:
        self._library = library
        self._map = Map(cache)
        self._lock = threading.Lock()
        self._drawn: _Drawn | None = None
        self._regions: tuple[int, list[MapRegion]] | None = None

    def points(self) -> list[MapPoint]:
        """All tracks on a plane, or 20,000 of them. The first time takes seconds."""
        drawn = self._draw()
        return [] if drawn is None else drawn.points

    def regions(self) -> list[MapRegion]:
        """A word for each part of the map that has one, no word twice; none for few tracks."""
        drawn = self._draw()
        if drawn is None or len(drawn.points) < ENOUGH:
            return []
        if self._regions is None or self._regions[0] != drawn.version:
            self._regions = drawn.version, self._named(drawn)
        return self._regions[1]

    def place(self, direction: np.ndarray) -> tuple[float, float] | None:
        """Where an embedding (dim,) lies, x and y in 0..1; None where there is no map."""
        if self._draw() is None:
            return None
        x, y = self._map.place(direction[None])[0].tolist()
        return x, y

    def _named(self, drawn: _Drawn) -> list[MapRegion]:
        groups = together(drawn.places)
        vocabulary = self._library.vocabulary()
        strengths = vocabulary.strengths(np.stack([drawn.vectors[rows].mean(0) for rows in groups]))
        found: dict[int, MapRegion] = {}
        said: set[int] = set()
        for at in np.argsort(-strengths, axis=None).tolist():
            group, label = divmod(at, strengths.shape[1])
            if strengths[group, label] < _STRONG:
                break
            if group not in found and label not in said:
                said.add(label)
                x, y = np.median(drawn.places[groups[group]], axis=0).tolist()
                found[group] = MapRegion(x, y, vocabulary.labels[label][1])
        return [found[group] for group in sorted(found)]

    def _draw(self) -> _Drawn | None:
        library = self._library
        table = library.store.tracks(library.embedding_version)
        if table is None:
            return None
        version, condition = table.version, "offline = false"
        with self._lock:
            if self._drawn is not None and self._drawn.version == version:
                return self._drawn
            count = table.count_rows(condition)
            if count > _SHOWN:
                condition += f" AND key < '{int(_SHOWN / count * 16**8):08x}'"
            rows = table.search().where(condition).select(_COLUMNS).limit(None).to_arrow()
            if not len(rows):
                return None
            rows = rows.sort_by("key")
            vectors = matrix(rows["vector"])
            places = self._map.lay_out(rows["key"].to_pylist(), vectors)
            points = [
                MapPoint(
                    key=row["key"],
                    x=x,
                    y=y,
                    title=title_of(row, text_path(row["path"])),
                    artist=row["artist"] or "",
                    genre=row["genre"] or "",
                    year=row["year"],
                    loudness=row["loudness"],
                )
                for row, (x, y) in zip(
                    rows.drop_columns("vector").to_pylist(), places.tolist(), strict=True
                )
            ]
            self._drawn = _Drawn(version, points, places, vectors)
            return self._drawn
