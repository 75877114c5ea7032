"""What the API and the page show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muscall.errors import one_line
from muscall.library.playlists.m3u8 import called
from muscall.library.scan import text_path
from muscall.library.search.hits import Hit, Passage, Results
from muscall.library.search.query import Part
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
    """The file's own, or measured where it says none."""
    musical_key: str | None
    """Measured, as "Eb minor"."""
    loudness: float | None
    """Measured, in LUFS."""
    rating: float | None
    """The file's own, in stars to 5."""
    duration: float
    """In seconds."""
    has_cover: bool


@dataclass(frozen=True)
class Found:
    """A track that was found."""

    rank: int
    """From 1."""
    track: Track
    relative_score: float
    """From the library's mean (0) to the best that was found (1), names included."""
    keyword_match: bool
    """Whether words of the query stand in its tags or its file's name."""
    passage: Passage | None
    """The part that fits best."""
    versions: tuple[Track, ...]
    """Tracks that sound the same."""


@dataclass(frozen=True)
class Answer:
    """What a search found."""

    understood: tuple[Part, ...]
    """What the sentence was taken to ask for."""
    results: list[Found]
    """Best first."""


@dataclass(frozen=True)
class Waveform:
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
    genre: str
    year: int | None
    loudness: float | None
    """Measured, in LUFS."""


@dataclass(frozen=True)
class MapRegion:
    """A part of the map; `x` and `y` in 0..1 are its middle."""

    x: float
    y: float
    text: str
    """A label that fits its tracks more than the others."""


def answer_of(results: Results) -> Answer:
    """What was found, as it is shown."""
    return Answer(results.understood, [_found(hit) for hit in results])


def _found(hit: Hit) -> Found:
    return Found(
        rank=hit.rank,
        track=track_of(vars(hit)),
        relative_score=hit.relative_score,
        keyword_match=hit.keyword_match,
        passage=hit.passage,
        versions=tuple(track_of(vars(version)) for version in hit.versions),
    )


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
        bpm=row["bpm"] or row.get("tempo"),
        musical_key=row["musical_key"],
        loudness=row["loudness"],
        rating=row["rating"],
        duration=row["duration"],
        has_cover=covers.has_cover(path),
    )


def title_of(row: Mapping[str, Any], path: Path) -> str:
    """The title in a row, or the file's name."""
    return one_line(called(path, row["title"] or "", artist=""))
