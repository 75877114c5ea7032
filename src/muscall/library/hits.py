"""What a search of a library finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muscall.library.scan import text_path


@dataclass(frozen=True)
class Passage:
    """The part of a track that fits best, in seconds."""

    start: float
    seconds: float


@dataclass(frozen=True)
class Hit:
    """A track that was found. Tags are empty, or None, where the file says nothing."""

    rank: int
    key: str
    path: Path
    title: str
    artist: str
    album: str
    genre: str
    year: int | None
    bpm: float | None
    duration: float
    score: float
    """Cosine similarity; 0 without anything to compare to. Its height means nothing."""
    percentile: float
    """Percent of the library that sounds less like the request, 0..100."""
    standing: float
    """From the library's mean (0) to the best that was found (1), words included."""
    named: bool
    """Whether words of the request stand in its tags or its file's name."""
    passage: Passage | None = None
    versions: tuple[Hit, ...] = field(default=(), repr=False)
    """Tracks of their own that sound the same (`finder.SAME`, `finder.LENGTHS`), best first."""


def hit_of(
    rank: int,
    row: Mapping[str, Any],
    passage: Passage | None = None,
    versions: tuple[Hit, ...] = (),
) -> Hit:
    """A row of `tracks` with its `score`, `percentile`, `standing` and `words_score` as a hit."""
    return Hit(
        rank=rank,
        key=row["key"],
        path=text_path(row["path"]),
        title=row["title"] or "",
        artist=row["artist"] or "",
        album=row["album"] or "",
        genre=row["genre"] or "",
        year=row["year"],
        bpm=row["bpm"],
        duration=row["duration"],
        score=row["score"],
        percentile=row["percentile"],
        standing=row["standing"],
        named=row["words_score"] > 0,
        passage=passage,
        versions=versions,
    )
