"""What a search of a library finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from muscall.library.search.query import Part


@dataclass(frozen=True)
class Passage:
    """The part of a track that fits best, in seconds."""

    start: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A track that was found. Tags are empty, or None, where the file says nothing."""

    rank: int = 0
    """From 1."""
    key: str = ""
    """In a library, of the track."""
    path: Path
    title: str
    artist: str
    album: str
    genre: str
    year: int | None
    bpm: float | None
    """The file's own, or in a library measured where it says none."""
    rating: float | None = None
    """The file's own, in stars to 5."""
    musical_key: str | None = None
    """Measured, as "Eb minor"."""
    loudness: float | None = None
    """Measured, in LUFS."""
    duration: float
    """In seconds."""
    score: float = 0.0
    """Cosine similarity; 0 without anything to compare to. Its height means nothing."""
    relative_score: float = 0.0
    """From the mean of all tracks (0) to the best that was found (1), names included; never more
    than that of a hit before. 0 where the model does not know what is asked for.
    """
    keyword_match: bool = False
    """Whether words of the query stand in its tags or its file's name."""
    passage: Passage | None = None
    versions: tuple[Hit, ...] = field(default=(), repr=False)
    """Tracks of their own that sound the same (`ranking.VERSION_SIMILARITY`), best first."""


class Results(list[Hit]):
    """The tracks that were found, best first, and how the sentence was understood."""

    def __init__(self, hits: Iterable[Hit] = (), understood: tuple[Part, ...] = ()) -> None:
        super().__init__(hits)
        self.understood = understood
