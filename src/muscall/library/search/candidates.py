"""Which tracks may fit a query: how it is understood, and where its sound lies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from muscall.library.names import (
    COMMON,
    placed_words,
    several_names,
    sounds,
    without_common,
    words_of,
)
from muscall.library.search.examples import Sound
from muscall.library.search.filters import parse_filter
from muscall.library.search.hits import Passage
from muscall.library.search.query import Part, SearchQuery
from muscall.library.search.ranking import direction
from muscall.library.search.reading import is_close, read_sentence
from muscall.library.search.tracks import Row, Tracks
from muscall.library.search.wording import NEGATION, is_plain, musical_words, warn_if_long

if TYPE_CHECKING:
    from muscall.models.reader import Reader

_CANDIDATES = 100
_EXAMPLES = 50  # tracks of an artist or album to find others like
_FEW = 5  # tracks that one word alone stands for, without being all of a name
_SPACED = 8  # letters of a name in which spaces may be misplaced
_MISSPELT = 6  # words of a sentence at most, of which one may be misspelt


class CandidateSearch:
    """One query at work: how it is understood, where its sound lies, and which tracks may fit."""

    def __init__(
        self,
        model: Reader,
        tracks: Tracks,
        query: SearchQuery,
        like: Sequence[Sound],
        unlike: Sequence[Sound],
    ) -> None:
        self._model, self._tracks, self._query = model, tracks, query
        self._where = conditions_of(query.where)
        self._count = max(_CANDIDATES, 4 * query.n) + len(like) + len(unlike)
        # Tracks whose names have words of the sentence, and those that have words like them.
        self._named: list[Row] = []
        self._misspelt: list[Row] = []
        self._looked_up: dict[tuple[str, ...], tuple[list[Row], list[Row] | None]] = {}
        negated = tracks.negated if re.search(NEGATION, query.text, re.IGNORECASE) else ()
        self._reading = read_sentence(query.text, negated, self._look_up, self._is_plain)
        strange = self._strange()
        self.is_known = bool(like) or not strange
        unknown = " ".join(word for word in strange if not self._is_name(word))
        self.understood = (*self._reading.parts, *([Part("unknown", unknown)] if unknown else ()))
        self._examples = {sound.key for sound in (*like, *unlike)}
        likes = [sound.vector for sound in like]
        for where in self._reading.like:
            meant = tracks.some([parse_filter(where)], _EXAMPLES)
            self._examples |= {row["key"] for row in meant}
            likes += [_mean([row["vector"] for row in meant])] if meant else []
        warn_if_long(model, self._reading.sound)
        self._avoid = [*self._reading.without, *query.avoid]
        self.direction = direction(
            model, self._reading.sound, self._avoid, likes, [sound.vector for sound in unlike]
        )

    def candidates(self) -> list[Row]:
        """Rows of the tracks that may fit, each with `keywords` and `called` of `Candidates`."""
        reading, tracks = self._reading, self._tracks
        further = [parse_filter(where) for where in reading.where]
        further += filter(None, map(self._not_called, self._avoid))
        conditions = tracks.narrowed([*self._where, *further])
        asked, sound = words_of([reading.wanted]), words_of([reading.sound])
        named = self._named
        if further or sound != asked:  # names that are said outright are no words beside
            named = tracks.with_words(without_common(sound), conditions, self._count)
        rows = {row["key"]: row for row in self._others(conditions)}
        for row in named:
            rows.setdefault(row["key"], row)["keywords"] = row["keywords"]
        self._mark_called(rows, asked)
        if further or reading.is_translated:
            # What is called as the whole sentence says is meant too, whatever holds for it.
            whole = words_of([self._query.text])
            for row in self._known_by_words() or tracks.with_words(whole, self._where, _FEW):
                if set(whole) <= set((row["words"] or "").split()):
                    rows[row["key"]] = row | {"called": 2}
        found = [row for key, row in rows.items() if key not in self._examples]
        return found if self.direction is None else sorted(found, key=lambda row: row["key"])

    def song_in(self, row: Row) -> Passage | None:
        """The song in a long track that is called what is asked for."""
        said = set(without_common(words_of([self._reading.wanted])))
        lines = [line.partition(" ") for line in (row["chapters"] or "").splitlines()]
        starts = [float(start) for start, _, _ in lines] + [row["duration"]]
        for place, (_, _, title) in enumerate(lines):
            if said and said <= set(words_of([title])):
                return Passage(starts[place], max(0.0, starts[place + 1] - starts[place]))
        return None

    def _others(self, conditions: Sequence[str]) -> list[Row]:
        if self.direction is not None:
            return self._tracks.near(self.direction, conditions, self._count)
        return self._tracks.listed(conditions, self._count)

    def _mark_called(self, rows: dict[str, Row], asked: list[str]) -> None:
        """Mark the tracks that are called as `asked` says: 2, or 1 where that is misspelt."""
        words = {key: set((row["words"] or "").split()) for key, row in rows.items()}
        called = {key for key in rows if asked and words[key].issuperset(asked)}
        # A word of the language that many tracks have is a name only where it is all of one.
        whole = len(asked) != 1 or len(called) <= _FEW
        whole = whole or not (asked[0] in musical_words() or self._is_plain(asked[0]))
        meant = called
        if not whole:
            names = self._tracks.rows([*called], ["key", "title", "album", "artist"]).to_pylist()
            meant = {row["key"] for row in names if _is_called(row, asked)}
        for key, row in rows.items():
            row["called"] = 2 if key in meant else 0
        said = without_common(asked)
        if called or not said or not self._misspelt:
            return
        for row in [*rows.values(), *self._misspelt]:
            if self._is_nearly(said, row["words"] or ""):
                rows.setdefault(row["key"], row)["called"] = 1

    def _is_nearly(self, said: Sequence[str], names: str) -> bool:
        """Whether all words are there, be some of them misspelt, spaced otherwise, or in another
        script.
        """
        words, letters = set(names.split()), "".join(said)
        if len(letters) >= _SPACED and letters in names.replace(" ", ""):
            return True
        other = [word for word in said if word not in words]
        if len(other) == len(said) and all(map(self._is_plain, said)):
            # A word of English may be a name elsewhere: "Tchaikovsky".
            return all(not words.isdisjoint(sounds(word, _least_sound(word))) for word in said)
        least = 1 if len(said) > 1 else 2
        return all(
            not words.isdisjoint(sounds(word, least)) or any(is_close(word, one) for one in words)
            for word in other
        )

    def _look_up(self, words: Sequence[str]) -> Sequence[Row]:
        # A sentence is read in several ways, which have the same words often.
        if (asked := tuple(words)) not in self._looked_up:
            self._looked_up[asked] = self._named_and_misspelt(words)
        self._named, misspelt = self._looked_up[asked]
        self._misspelt = self._misspelt if misspelt is None else misspelt
        return [*self._named, *self._misspelt]

    def _known_by_words(self) -> list[Row]:
        """The tracks of all look-ups: those with all words of the sentence are among them."""
        return [row for named, _ in self._looked_up.values() for row in named]

    def _named_and_misspelt(self, words: Sequence[str]) -> tuple[list[Row], list[Row] | None]:
        """None where no word may be misspelt."""
        tracks = self._tracks
        named = tracks.with_words(words, self._where, self._count)
        known = {word for row in named for word in (row["words"] or "").split()}
        strange = [word for word in words if word not in known]
        if not strange or len(words) > _MISSPELT:
            return named, None
        slips = [word for word in strange if not self._is_plain(word)]
        found = tracks.with_words(slips, self._where, self._count, misspelt=True)
        if tracks.has_scripts:
            heard = [way for word in (*strange, "".join(words)) for way in sounds(word)]
            found += tracks.with_words(heard, self._where, self._count)
        return named, [row | {"keywords": 0.0} for row in found]

    def _strange(self) -> list[str]:
        """What no phrase of the dictionary has, where that is most of what is asked for."""
        if self._model.text.tokenizer is None:
            return []
        sound = self._reading.sound
        words = [place for place in placed_words(sound) if place[0] not in COMMON]
        strange = [sound[start:end] for word, start, end in words if word not in musical_words()]
        return strange if 2 * len(strange) > len(words) else []

    def _is_name(self, word: str) -> bool:
        """Whether a name has a word, also a misspelt one."""
        called = {word for row in self._named for word in (row["words"] or "").split()}
        words = words_of([word])
        return called.issuperset(words) or any(
            self._is_nearly(words, row["words"] or "") for row in self._misspelt
        )

    def _not_called(self, thing: str) -> str | None:
        """The condition that leaves out what is called `thing`, if anything is."""
        words = [word for word in words_of([thing]) if word not in COMMON]
        rows = self._tracks.with_words(words, self._where, _CANDIDATES)
        if not any(set(words) <= set((row["words"] or "").split()) for row in rows):
            return None
        return f"NOT (words IS NOT NULL AND {' AND '.join(map(Tracks.has_word, words))})"

    def _is_plain(self, word: str) -> bool:
        return is_plain(self._model, word)


def _least_sound(word: str) -> int:
    """How many consonants a word of English has in common with a name in another script."""
    return 4 if word in musical_words() else 3


def conditions_of(where: str) -> list[str]:
    """The filter as a condition of the store, if there is one; raises FilterError."""
    return [parse_filter(where)] if where.strip() else []


def _mean(vectors: Sequence[np.ndarray]) -> np.ndarray:
    total = np.stack(vectors).sum(axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)


def _is_called(row: Row, words: list[str]) -> bool:
    """Whether a title, album or artist has those words and no others."""
    names = (row["title"] or "", row["album"] or "", *several_names(row["artist"]))
    return any(words_of([name]) == words for name in names)
