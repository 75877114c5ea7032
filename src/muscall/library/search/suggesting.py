"""Names and musical words that begin as somebody types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from muscall.library.describing import read_labels
from muscall.library.names import several_names, words_of
from muscall.library.search.tracks import Tracks

_LOOKED_AT = 300  # tracks

SuggestionKind = Literal["artist", "album", "title", "label"]
_NAMED: tuple[SuggestionKind, ...] = ("artist", "album", "title")


@dataclass(frozen=True)
class Suggestion:
    """What might be typed on: a name of the library, or a musical word."""

    kind: SuggestionKind
    text: str


@lru_cache(maxsize=1)
def _labels() -> frozenset[str]:
    return frozenset(label for labels in read_labels().values() for label in labels)


def suggestions(tracks: Tracks | None, typed: str, n: int) -> list[Suggestion]:
    """The `n` names and labels that have each typed word, the last one perhaps in part.

    Those that begin so come first, then artists, albums, labels and titles, each the more tracks
    the earlier.
    """
    words = words_of([typed])
    if not words:
        return []
    counts: Counter[Suggestion] = Counter()
    for row in _rows(tracks, words):
        for kind in _NAMED:
            names = several_names(row[kind]) if kind == "artist" else [row[kind] or ""]
            counts.update(Suggestion(kind, name) for name in names)
    counts.update({Suggestion("label", label) for label in _labels()})
    order = ("artist", "album", "label", "title")
    its = {one: tuple(words_of([one.text])) for one in counts}

    def place(one: Suggestion) -> tuple[bool, int, int, str]:
        leads = its[one][0].startswith(words[0])
        return not leads, order.index(one.kind), -counts[one], one.text.casefold()

    found: dict[tuple[str, ...], Suggestion] = {}
    for one in sorted((one for one in counts if _begins(its[one], words)), key=place):
        found.setdefault(its[one], one)
    return list(found.values())[:n]


def _rows(tracks: Tracks | None, words: Sequence[str]) -> Iterable[Mapping[str, Any]]:
    if tracks is None:
        return []
    whole = map(tracks.has_word, words[:-1])
    return tracks.names([*whole, tracks.has_word(words[-1], in_part=True)], _LOOKED_AT, _NAMED)


def _begins(words: Sequence[str], typed: Sequence[str]) -> bool:
    whole, last = set(typed[:-1]), typed[-1]
    return whole <= set(words) and any(word.startswith(last) for word in words)
