"""Musical words of other languages in English: a file each, written by hand.

A line is `English: words or phrases of the language`; `#` stands for a number, and what stands for
no English word has none before the colon. `[adjectives]`, `[nouns]` and `[others]` name what
follows, `-en` is an ending that a word may have beside how it is listed, `-oes ao` one that stands
for another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple

from muscall.library.names import UNSPACED, folded

LANGUAGES = ("de", "fr", "es", "it", "pt", "ja")
_JOINED = {"de"}  # "Klaviermusik"
_SHORTEST = 3  # letters of a word that is joined with another
# A character of what is written without spaces is a word of its own: the longest phrase is found.
TOKENS = re.compile(rf"\d+|[{UNSPACED}]|[^\W\d_{UNSPACED}]+")

Words = tuple[str, ...]


class Entry(NamedTuple):
    """What words mean; `sort` is "adjectives", "nouns" or "others"."""

    english: str
    sort: str


@dataclass(frozen=True)
class Lexicon:
    """The musical words of a language, folded, with "#" for a number."""

    language: str
    entries: dict[Words, Entry]
    endings: tuple[tuple[str, str], ...]
    longest: int

    def at(self, words: Words, start: int) -> tuple[int, Entry] | None:
        """The longest phrase that begins at a word, how many words it has, and what it means."""
        following = words[start : start + self.longest]
        signs = tuple("#" if word.isdigit() else word for word in following)
        for length in range(len(signs), 0, -1):
            entry = self.entries.get(signs[:length])
            if entry is not None:
                for number in filter(str.isdigit, words[start : start + length]):
                    entry = Entry(entry.english.replace("#", number, 1), entry.sort)
                return length, entry
        entry = self.word(words[start])
        return None if entry is None else (1, entry)

    def word(self, word: str) -> Entry | None:
        """What one word means, also with an ending, or as two words joined."""
        if entry := self._simple(word):
            return entry
        places = range(len(word) - _SHORTEST, _SHORTEST - 1, -1) if self.language in _JOINED else ()
        for place in places:
            first, second = self._simple(word[:place]), self.word(word[place:])
            if first and second and "others" not in (first.sort, second.sort):
                return Entry(f"{first.english} {second.english}", second.sort)
        return None

    def _simple(self, word: str) -> Entry | None:
        if entry := self.entries.get((word,)):
            return entry
        for ending, other in self.endings:
            if not word.endswith(ending):
                continue
            stem = word.removesuffix(ending) + other
            entry = self.entries.get((stem,)) if len(stem) >= _SHORTEST else None
            if entry is not None and entry.sort != "others":
                return entry
        return None


@cache
def lexicons() -> tuple[Lexicon, ...]:
    """The lexicon of each of LANGUAGES; read once."""
    return tuple(map(read_lexicon, LANGUAGES))


def read_lexicon(language: str) -> Lexicon:
    """The lexicon of one of LANGUAGES."""
    file = resources.files(__name__).joinpath(f"{language}.txt")
    entries: dict[Words, Entry] = {}
    endings: list[tuple[str, str]] = []
    sort = "others"
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("-"):
            ending, _, other = line[1:].partition(" ")
            endings.append((ending, other))
        elif line.startswith("["):
            sort = line.strip("[]")
        else:
            english, _, listed = line.partition(":")
            for said in listed.split(","):
                words = tuple(folded(word) for word in re.findall(f"#|{TOKENS.pattern}", said))
                entries.setdefault(words, Entry(english, sort))
    return Lexicon(language, entries, tuple(endings), max(map(len, entries)))
