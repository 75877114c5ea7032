"""What a listener's sentence asks for: sound, names, conditions, and what it is to be without.

There is no language model behind it: conditions have a grammar (`conditions.py`), negations another
(`wording.py`), and names are those of the library. What may be a name and a sound is both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import PurePath
from typing import Any

from muscall.library.names import (
    COMMON,
    is_latin,
    placed_words,
    several_names,
    sounds,
    spelt_words,
    without_common,
    words_of,
)
from muscall.library.search.conditions import take_conditions, take_keys
from muscall.library.search.query import Kind, Part
from muscall.library.search.translating import translated
from muscall.library.search.wording import NEGATION, read_wording

_CLOSE = 0.8  # share of letters that a misspelt word has in common with the right one
_LONG_ENOUGH = 4  # letters of a word that may be misspelt
_LONG = 8  # letters of a word in which two may be left out
_LONGEST = 12  # words of a name
_NAMES = 5  # of an artist, where only a part of the name is said

_BY = frozenset({"by", "from", "off", "feat", "featuring"})
_END = _BY | {"like", "and", "but", "in", "with", "without", "for", "or"}
_LEADING = re.compile(r"(?:(?:by|from|like|anything|music|songs?|tracks?)\s+)+", re.IGNORECASE)
_DANGLING = re.compile(rf"(?:[\s,;]|\b(?:and|or|but|nor|with|any)\b|{NEGATION})+$", re.IGNORECASE)
_PEOPLE = ("artist", "albumartist", "composer")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Reading:
    """How a sentence was understood."""

    parts: tuple[Part, ...]
    wanted: str
    """What is wanted as it was said, with names and conditions."""

    @property
    def sound(self) -> str:
        """What the sound should be like; "" for no matter."""
        return " ".join(part.value for part in self.parts if part.kind == "sound")

    @property
    def is_translated(self) -> bool:
        """Whether the sentence was of another language than English."""
        return any(part.kind == "read as" for part in self.parts)

    @property
    def without(self) -> list[str]:
        """What it should be without, each."""
        return [part.value for part in self.parts if part.kind == "without"]

    @property
    def like(self) -> list[str]:
        """Filters, each for tracks of the library to find others like."""
        return [part.where for part in self.parts if part.kind == "like"]

    @property
    def where(self) -> list[str]:
        """Filters that hold for what is wanted."""
        return [part.where for part in self.parts if part.where and part.kind != "like"]


def read_sentence(
    sentence: str,
    negated: Iterable[str] = (),
    look_up: Callable[[Sequence[str]], Sequence[Row]] = lambda _: (),
    is_plain: Callable[[str], bool] = lambda _: False,
    *,
    conditions: bool = True,
) -> Reading:
    """Read "calm songs by Nina Simone from the 60s, no drums".

    Args:
        negated: the names that a negation stands in, see `wording.names_in`.
        look_up: gives rows of the tracks whose names have some of these words, be they misspelt.
        is_plain: whether a word is one of the language, and so no misspelt name.
        conditions: whether conditions can be kept; else they are words as others.
    """
    rest = unicodedata.normalize("NFC", sentence)
    rows: Sequence[Row] | None = None

    def names_of_rows() -> set[tuple[str, ...]]:
        nonlocal rows
        rows = look_up(without_common(words_of([rest])))
        names = _names(rows).items()
        whole = spelt_words(rest)
        return {
            words
            for words, those in names
            if len(words) > 1 or words == whole or any(one.kind != "title" for one in those)
        }

    found: list[Part] = []
    if conditions:
        rest, found = take_keys(rest)
    english = translated(rest, is_plain, names_of_rows)
    if english is None:
        rows = None
    said, rest = rest, english or rest
    if conditions:
        rest, others = take_conditions(rest)
        found += others
    wording = read_wording(rest, negated)
    asked = without_common(words_of([wording.wanted]))
    if rows is None:
        rows = look_up(asked) if asked else ()
    names, sound = _take_names(wording.wanted, rows, is_plain)
    if (names or found) and all(word in COMMON for word in words_of([sound])):
        sound = ""
    parts = [Part("read as", english, said)] if english else []
    parts += [Part("sound", sound, sound)] if sound else []
    parts += [*names, *found]
    parts += [Part("without", _LEADING.sub("", thing), thing) for thing in wording.avoided]
    return Reading(tuple(parts), wording.wanted)


def without_part(sentence: str, part: Part) -> str:
    """A sentence without what it says of one of its parts; as it is, where none of its words do."""
    if not part.text or part.text not in unicodedata.normalize("NFC", sentence):
        return sentence
    before, _, after = unicodedata.normalize("NFC", sentence).partition(part.text)
    rest = _DANGLING.sub("", before) + (after if before.strip() else after.lstrip(" ,;"))
    return " ".join(rest.split())


def is_close(word: str, other: str) -> bool:
    """Whether one of two words may be the other, misspelt, or as another script writes it."""
    if is_latin(word) != is_latin(other):
        return not set(sounds(word)).isdisjoint(sounds(other))
    shorter, longer = sorted((len(word), len(other)))
    if shorter < _LONG_ENOUGH or longer - shorter > (1 if longer < _LONG else 2):
        return False
    return SequenceMatcher(None, word, other, autojunk=False).ratio() >= _CLOSE


def _take_names(
    sentence: str, rows: Sequence[Row], is_plain: Callable[[str], bool]
) -> tuple[list[Part], str]:
    """The names in a sentence, and its sound: without the names that it says outright."""
    names, places = _names(rows), placed_words(sentence)
    words = [word for word, _, _ in places]
    parts: list[Part] = []
    taken: list[tuple[int, int]] = []  # from, to; in characters
    start = 0
    while start < len(words):
        role, length = _role(words[:start])
        end, found = _at(names, words, start, role, is_plain)
        if not found:
            start += 1
            continue
        first, last = places[start - length][1], places[end - 1][2]
        kind: Kind = "like" if role == "like" else found[0].kind
        where = " or ".join(one.where for one in found) if role else ""
        value = " or ".join(dict.fromkeys(one.name for one in found))
        parts.append(Part(kind, value, sentence[first:last], where and f"({where})"))
        # "like rain": rain, and the track of that name.
        if role and (found[0].kind != "title" or end > start + 1):
            taken.append((first, last))
        start = end
    for first, last in reversed(taken):
        sentence = sentence[:first] + sentence[last:]
    return parts, " ".join(sentence.split()).strip(" ,;")


@dataclass(frozen=True)
class _Name:
    """What some tracks are called, and the filter that finds them."""

    kind: Kind
    name: str
    where: str


Names = dict[tuple[str, ...], list[_Name]]


def _names(rows: Sequence[Row]) -> Names:
    """What tracks are called, by the words of it."""
    said: dict[_Name, None] = {}
    for row in rows:
        path = PurePath(row["path"])
        people = (name for tag in _PEOPLE for name in several_names(row[tag]))
        said |= dict.fromkeys(_tagged("artist", name, _PEOPLE) for name in people)
        said[_tagged("title", row["title"], ["title"]) if row["title"] else _file(path.stem)] = None
        if row["album"]:
            said[_tagged("album", row["album"], ["album"])] = None
        if not (row["artist"] and row["album"]):
            folders = path.parent.parts[-2:]
            said |= dict.fromkeys(
                _Name("folder", name, f"path ~ {_quoted(f'/{name}/')}") for name in folders
            )
    names: Names = {}
    for name in said:
        names.setdefault(spelt_words(name.name), []).append(name)
    return names


def _tagged(kind: Kind, name: str, columns: Sequence[str]) -> _Name:
    return _Name(kind, name, " or ".join(f"{column} = {_quoted(name)}" for column in columns))


def _file(stem: str) -> _Name:
    return _Name("title", stem, f"path ~ {_quoted(f'/{stem}.')}")


def _quoted(text: str) -> str:
    """A text as filters write it, which know no quotes inside of quotes."""
    return f'"{text}"' if '"' not in text else "'" + text.replace("'", "\u2019") + "'"


def _role(before: list[str]) -> tuple[str, int]:
    """What the words before a name say of it, "by", "like", or "", and how many say so."""
    if before and before[-1] in _BY:
        return "by", 1
    if before[-1:] == ["like"]:
        return "like", 1
    return ("like", 2) if before[-2:] in (["similar", "to"], ["close", "to"]) else ("", 0)


def _at(
    names: Names, words: list[str], start: int, role: str, is_plain: Callable[[str], bool]
) -> tuple[int, list[_Name]]:
    """The longest name that begins at a word, and where it ends; with a role, be it a part of a
    name, or misspelt.
    """
    kinds = {"album", "artist", "folder"} | (set() if role == "by" else {"title"})
    furthest = min(len(words), start + _LONGEST)
    for end in range(furthest, start, -1):
        found = [one for one in names.get(tuple(words[start:end]), ()) if one.kind in kinds]
        if found and (role or end - start > 1 or end - start == len(words)):
            return end, found

    spelt = {word for name in names for word in name}

    def exactly(word: str) -> set[str]:
        return {word}

    @cache
    def nearly(word: str) -> set[str]:
        """The words of names that one which is misspelt may be."""
        close = () if is_plain(word) else (other for other in spelt if is_close(word, other))
        return {word, *close}

    last = next((n for n in range(start, furthest) if words[n] in _END), furthest)
    for end in range(last, start, -1) if role else ():
        said = [word for word in words[start:end] if word not in COMMON]
        if len(said) < 2 and all(map(is_plain, said)):
            continue  # "by the sea" is no part of a name
        for its in (exactly, nearly):
            meant = [its(word) for word in said]
            found = [
                one
                for name, those in names.items()
                if not any(map(set(name).isdisjoint, meant))
                for one in those
                if one.kind in kinds
            ]
            if found:
                return end, found[:_NAMES]
    return start, []
