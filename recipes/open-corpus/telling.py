"""Captions for music of which the form or genre, the players and measured facts are known."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from captions import article, join, once
from hearing import character, density, heard, key_words

_PACE = {
    "slow": ("slow", "slow", "unhurried", "slow-paced"),
    "medium": ("mid-tempo", "moderate", "medium-paced"),
    "fast": ("fast", "lively", "brisk", "quick", "up-tempo"),
}
_DRIVEN = {27, 28, 29, 30}  # electric and distorted guitars


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


def feelings(facts: dict[str, Any]) -> list[str]:
    """Words on the feel that pace, mode and sound bear out; often none."""
    pace, mode = facts["pace"], facts["mode"]
    loud = bool(set(facts["programs"]) & _DRIVEN) and facts["kit"]
    found: list[str] = []
    if pace == "slow" and not facts["kit"] and facts["onsets_per_second"] < 7:
        found += ["calm", "gentle", "peaceful", "relaxing"]
        if mode == "minor":
            found += ["sad", "melancholic", "wistful", "mournful"]
    if pace == "fast":
        found += ["lively", "energetic", "spirited"]
        if mode in ("major", "mixolydian") and not loud:
            found += ["cheerful", "happy", "bright", "upbeat"]
    if pace == "medium" and mode == "minor":
        found += ["wistful", "moody"]
    if loud:
        found += ["loud", "hard-hitting"]
    return found


class _Telling:
    """Draws captions for one clip."""

    def __init__(self, known: Known, rng: random.Random) -> None:
        self.known, self.facts, self.rng = known, known.facts, rng

    def subject(self) -> str:
        return self.rng.choice(self.known.subjects)

    def genre(self) -> str:
        return self.rng.choice(self.known.genres)

    def pace(self) -> str:
        return self.rng.choice(_PACE[self.facts["pace"]])

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


def captions(known: Known, rng: random.Random) -> tuple[list[str], list[str]]:
    """4 to 6 captions and, beside each, its kind: `author`, `author+facts` or `facts`."""
    telling = _Telling(known, rng)
    wanted = ["author", "author+facts"] if known.title else []
    wanted += ["facts"] * (rng.randint(4, 6) - len(wanted))
    forms = iter(rng.sample(range(_FORMS), _FORMS))
    texts: list[str] = []
    for kind in wanted:
        text = ""
        while not text or text.lower() in {t.lower().rstrip(".") for t in texts}:
            if kind == "author":
                text = _tidy(telling.author())
            elif kind == "author+facts":
                text = _tidy(telling.author_and_facts())
            else:
                text = _tidy(telling.from_facts(next(forms)))
        if rng.random() < 0.6:
            text = text[0].upper() + text[1:]
        texts.append(text + ("." if rng.random() < 0.2 else ""))
    order = rng.sample(range(len(texts)), len(texts))
    return [texts[i] for i in order], [wanted[i] for i in order]
