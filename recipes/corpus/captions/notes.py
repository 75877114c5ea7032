"""Captions for music of which the form or genre, the players and measured facts are known."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recipes.corpus.captions import article, draw, join, once
from recipes.corpus.captions.facts import PACE_WORDS, character, density, feelings, heard, key_words
from recipes.corpus.rows import Clip, Words


@dataclass(frozen=True)
class Known:
    """What captions may say.

    `subjects` are what the music is, each to be counted ("Irish reel", "piece of game music");
    `genres` stand before "music"; `players` are names of the whole ensemble, also given where
    `facts` names no instrument; `title` is the author's. `facts` has what `midi.read_facts`
    gives, and `bpm`, `bpm_is_felt`, `pace` ("slow", "medium" or "fast"), `metre`, `tonic`, `mode`.
    """

    subjects: Sequence[str]
    genres: Sequence[str]
    players: Sequence[str]
    title: str | None
    facts: dict[str, Any]


class _Phrasing:
    """Draws captions for one clip."""

    def __init__(self, known: Known, rng: random.Random) -> None:
        self.known, self.facts, self.rng = known, known.facts, rng

    def subject(self) -> str:
        return self.rng.choice(self.known.subjects)

    def genre(self) -> str:
        return self.rng.choice(self.known.genres)

    def pace(self) -> str:
        return self.rng.choice(PACE_WORDS[self.facts["pace"]])

    def speed(self) -> str:
        """The tempo in beats a minute where that is felt, otherwise a word for it."""
        bpm = self.facts["bpm"]
        if not self.facts["bpm_is_felt"]:
            return self.pace()
        forms = [f"{bpm} bpm", f"{bpm} BPM", f"about {round(bpm / 5) * 5} bpm", self.pace()]
        return self.rng.choice(forms)

    def key(self) -> str:
        return (key_words(self.facts) or "") if self.rng.random() < 0.6 else ""

    def adjectives(self, most: int) -> str:
        sound = character(self.facts)
        if "acoustic" in sound and self.rng.random() < 0.65:
            sound = []  # true of most, and seldom worth a word
        kinds = [feelings(self.facts), sound, density(self.facts), [self.pace()]]
        # "Fast" and "lively" say one thing.
        kinds = [kinds[0] or kinds[3], *kinds[1:3]] if self.rng.random() < 0.5 else kinds[1:]
        words = [self.rng.choice(kind) for kind in kinds if any(kind)]
        return ", ".join(self.rng.sample(words, min(most, len(words))))

    def instruments(self, most: int) -> str:
        names = heard(self.facts, self.rng, most)
        if not self.facts["instruments"] and self.known.players:
            names.insert(0, self.rng.choice(self.known.players))
        return join(names)

    def by(self) -> str:
        """Who plays: the ensemble, or its instruments."""
        if self.known.players and self.rng.random() < 0.5:
            return self.rng.choice(self.known.players)
        return self.instruments(self.rng.randint(1, 3))

    def author(self) -> str:
        title, subject = self.known.title, self.subject()
        return self.rng.choice([f"{title}", f"{title}, {article(subject)}", f"{title} ({subject})",
                                f"{article(subject)} called {title}"])  # fmt: skip

    def author_and_facts(self) -> str:
        title, lead, by = self.known.title, self.adjectives(1), self.by()
        return self.rng.choice([
            f"{title}, {article(f'{lead} {self.subject()}'.strip())} with {by}",
            f"{title} on {self.instruments(2)}",
            f"{title}, {lead or self.pace()}, {by}",
            f"{lead} {self.genre()} music, {title}, {by}",
        ])  # fmt: skip

    def from_facts(self, form: int) -> str:
        subject, genre, lead = self.subject(), self.genre(), self.adjectives(2)
        key, metre = self.key(), self.facts["metre"]
        in_key = f" in {key}" if key else ""
        in_metre = f" in {metre}" if metre and metre != "4/4" and self.rng.random() < 0.5 else ""
        one = article(f"{self.adjectives(1)} {subject}".strip())
        bare = re.sub(r"^an? ", "", one)
        forms = [
            f"{one} played on {self.instruments(self.rng.randint(1, 3))}{in_key}",
            f"{self.pace()} {subject} with {self.instruments(3)}",
            f"{self.by()} playing {one}{in_metre}",
            f"{subject}, {self.by()}, {self.speed()}{f', {key}' if key else ''}",
            f"{lead} {genre} music with {self.instruments(2)}",
            f"something {lead or self.pace()} with {self.instruments(1)}",
            f"{genre} instrumental, {self.instruments(3)}, {self.speed()}",
            f"{bare}{in_key} for {self.by()}",
            f"{self.instruments(2)}, {lead}, {genre}",
            f"{lead or self.pace()} {genre} tune{in_metre} on {self.instruments(1)}",
            f"{self.by()}, {subject}",
            f"{genre} music, {self.pace()}{in_metre}, with {self.instruments(2)}",
        ]
        return once(forms[form % len(forms)])


_FORMS = 12


def _tidy(text: str) -> str:
    text = re.sub(r"\s+([,.])", r"\1", " ".join(text.split()))
    text = re.sub(r"(?:, )*, ", ", ", text).strip(" ,")
    return re.sub(r"\b([Aa]) (?=1[18]th)", r"\1n ", text)  # an eighteenth-century tune


def describe(
    known: Known, clip: Clip, source: dict[str, Any], licence: dict[str, str], words_from: str
) -> Words:
    """The text side of a clip's row, with 4 to 6 captions."""
    texts, kinds = captions(known, random.Random(clip.seed + 1))
    return Words(texts, kinds, known.facts, source, licence, words_from)


def captions(known: Known, rng: random.Random) -> tuple[list[str], list[str]]:
    """4 to 6 captions and, beside each, its kind: `author`, `author+facts` or `facts`."""
    phrasing = _Phrasing(known, rng)
    kinds = ["author", "author+facts"] if known.title else []
    kinds += ["facts"] * (rng.randint(4, 6) - len(kinds))
    forms = iter(rng.sample(range(_FORMS), _FORMS))

    def write(kind: str) -> str:
        if kind == "facts":
            return _tidy(phrasing.from_facts(next(forms)))
        return _tidy(phrasing.author() if kind == "author" else phrasing.author_and_facts())

    return draw(kinds, write, rng)
