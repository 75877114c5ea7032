"""What a search asks for, and what was understood of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from muscall.library.search.examples import AnExample

Kind = Literal[
    "sound", "without", "like", "artist", "album", "title", "folder", "year", "length", "tempo",
    "key", "rating", "unknown", "read as",
]  # fmt: skip


@dataclass(frozen=True)
class SearchQuery:
    """What to find: at least one of `text`, `like` and `where`.

    `text` is a sentence ("dreamy synths from the 90s, no drums"); `like` and `unlike` are files,
    passages, keys of tracks or what was heard; `avoid` are words for what is not wanted; `where`
    is a filter as `parse_filter` reads it. At most `max_per_artist` tracks of one artist are given.
    """

    text: str = ""
    like: Sequence[AnExample] = ()
    unlike: Sequence[AnExample] = ()
    avoid: Sequence[str] = ()
    where: str = ""
    n: int = 10
    max_per_artist: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to find."""
        return not (self.text.strip() or self.like or self.where.strip())


@dataclass(frozen=True)
class Part:
    """One thing that a sentence was understood to ask for."""

    kind: Kind
    value: str
    """What it asks for: "drums" of "without", "1990 to 1999" of "year"."""
    text: str = ""
    """The words of the sentence that say so."""
    where: str = ""
    """The filter that it stands for: which tracks fit, or for "like" which tracks are meant."""

    def __str__(self) -> str:
        kind = "no strong match, unknown" if self.kind == "unknown" else self.kind
        return f"{kind}: {self.value}"
