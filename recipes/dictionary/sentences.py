"""Sentences and the profiles they ask for: phrases of the dictionary, joined, or less something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from recipes.dictionary.dictionary import ATTRIBUTES, Concept, profiles

Sentence = tuple[str, np.ndarray]
"""What is typed, and its profile (attributes,) float32."""

FORMS = ("{} music", "music that sounds like {}", "a {} track", "something {}", "{} song")
JOINTS = ("{}, {}", "{} with {}", "{} and {}", "{} {}", "{} for {}")
WITHOUT = ("{}, no {}", "{} without {}", "{} with no {}", "{}, without any {}")
# What may be unwanted, and what it lacks then (and has then, with a plus).
_SINGING = ("singing", "female voice", "male voice", "+instrumental", "+instrumentalness")
ABSENT: dict[str, tuple[str, ...]] = {
    "drums": ("drums", "beat", "percussive"),
    "percussion": ("percussive", "drums"),
    "beat": ("beat", "drums", "pulse"),
    "vocals": _SINGING,
    "singing": _SINGING,
    "guitar": ("guitar",),
    "piano": ("piano",),
    "synths": ("synth", "electronic"),
    "electronics": ("electronic", "synth", "techno"),
    "strings": ("strings", "violin", "cello"),
    "brass": ("brass",),
    "choir": ("choir",),
}
SHORT = 6  # words that a phrase may have to be put into a form or joined to another
JOINED, LESS = 0.35, 0.25  # shares: of sentences made of more, and of these that lack something
AGREE = 0.05  # cosine of two profiles that may be asked for together
_LACK, _HAVE, _LARGEST = 1.5, 1.1, 3.0  # standard deviations


class Composer:
    """Draws sentences from concepts.

    Args:
        attributes: what a profile consists of.
        composed: the share of sentences that are made of more than one phrase.
    """

    def __init__(
        self,
        concepts: Sequence[Concept],
        attributes: Sequence[str] = ATTRIBUTES,
        composed: float = JOINED,
    ) -> None:
        table = profiles(concepts, attributes)
        self.attributes = tuple(attributes)
        self.composed = composed
        self.phrases: list[Sentence] = [
            (phrase, row)
            for concept, row in zip(concepts, table, strict=True)
            for phrase in concept.phrases
        ]
        self._short = [pair for pair in self.phrases if len(pair[0].split()) <= SHORT]

    def draw(self, rng: np.random.Generator, count: int) -> Iterator[Sentence]:
        """So many sentences, one after the other."""
        for _ in range(count):
            text, profile = self.phrases[rng.integers(len(self.phrases))]
            if rng.random() < self.composed:
                less = rng.random() < LESS
                yield self.less(text, profile, rng) if less else self.joined(text, profile, rng)
            elif len(text.split()) <= SHORT and rng.random() < 0.5:
                yield FORMS[rng.integers(len(FORMS))].format(text), profile
            else:
                yield text, profile

    def joined(self, text: str, profile: np.ndarray, rng: np.random.Generator) -> Sentence:
        """With another phrase that does not contradict it."""
        for _ in range(20):
            other, wanted = self._short[rng.integers(len(self._short))]
            if cosine(profile, wanted) > AGREE:
                break
        both = np.clip(0.8 * (profile + wanted), -_LARGEST, _LARGEST)
        return JOINTS[rng.integers(len(JOINTS))].format(text, other), both

    def less(self, text: str, profile: np.ndarray, rng: np.random.Generator) -> Sentence:
        """Without something."""
        name = list(ABSENT)[rng.integers(len(ABSENT))]
        return WITHOUT[rng.integers(len(WITHOUT))].format(text, name), self.lacking(profile, name)

    def lacking(self, profile: np.ndarray, name: str) -> np.ndarray:
        """The profile of the same without the thing of that name, one of ABSENT."""
        left = profile.copy()
        for attribute in ABSENT[name]:
            place = _place(self.attributes, attribute.removeprefix("+"))
            if place is not None and attribute.startswith("+"):
                left[place] += _HAVE
            elif place is not None:
                left[place] = min(left[place], 0) - _LACK
        return left


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Of two profiles; 0 where one is empty."""
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))


def _place(names: Iterable[str], name: str) -> int | None:
    return next((place for place, one in enumerate(names) if one == name), None)
