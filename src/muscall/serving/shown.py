"""What the API and the page show, and what a listener can ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muscall.errors import one_line
from muscall.library.hits import Passage
from muscall.library.playlist import called
from muscall.library.scan import text_path
from muscall.serving import covers


@dataclass(frozen=True)
class Track:
    """A track, as it is shown. Tags are empty, or None, where the file says nothing."""

    key: str
    path: str
    title: str
    """The name of the file where it says none."""
    artist: str
    album: str
    genre: str
    year: int | None
    bpm: float | None
    duration: float
    """In seconds."""
    has_cover: bool


@dataclass(frozen=True)
class Found:
    """A track that was found."""

    rank: int
    """From 1."""
    track: Track
    percentile: float
    """Percent of the library that sounds less like what was asked for, 0..100."""
    named: bool
    """Whether words of the request stand in its tags or its file's name."""
    passage: Passage | None
    """The part that fits best."""
    versions: tuple[Track, ...]
    """Tracks that sound the same."""


@dataclass(frozen=True)
class Strip:
    """A track from its beginning to its end, in equal parts."""

    peaks: list[float]
    """Loudness, 0..1."""
    matches: list[float]
    """How well each part matches the request, 0..1; empty without a request."""


@dataclass(frozen=True)
class MapPoint:
    """A track on the map; `x` and `y` in 0..1."""

    key: str
    x: float
    y: float
    title: str
    artist: str


@dataclass(frozen=True)
class Wish:
    """What a listener asks for; see `finder.Request`. Examples are keys of tracks, or uploads."""

    text: str = ""
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    where: str = ""
    n: int = 20
    most_per_artist: int | None = None


def track_of(row: Mapping[str, Any]) -> Track:
    """A row of `tracks`, or the fields of a hit, as a track."""
    path = row["path"] if isinstance(row["path"], Path) else text_path(row["path"])
    return Track(
        key=row["key"],
        path=one_line(path),
        title=title_of(row, path),
        artist=row["artist"] or "",
        album=row["album"] or "",
        genre=row["genre"] or "",
        year=row["year"],
        bpm=row["bpm"],
        duration=row["duration"],
        has_cover=covers.has_cover(path),
    )


def title_of(row: Mapping[str, Any], path: Path) -> str:
    """The title in a row, or the file's name."""
    return one_line(called(path, row["title"] or "", artist=""))
