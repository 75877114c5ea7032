"""Captions of a recording, from what a tagger and measurements say of it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from recipes.corpus.captions import article, join
from recipes.corpus.teacher.calibration import stated
from recipes.corpus.teacher.concepts import CONCEPTS, Kind


def captions(measures: Mapping[str, float], rng: random.Random) -> list[str]:
    """Up to five captions of one clip, each of some of what is stated; none if nothing is sure.

    Args:
        measures: of all 100 tags, as `teacher.tagging.named` gives them, and of the quantities of
            `acoustics.Measured`.
        rng: draws words, grammar and length.
    """
    said = stated(measures)
    if not said:
        return []
    texts: dict[str, str] = {}
    wanted = rng.randint(3, 5)
    for _ in range(4 * wanted):  # what is short of words soon repeats itself
        text = _caption(said, rng)
        texts.setdefault(text.lower(), text)
        if len(texts) == wanted:
            break
    return list(texts.values())


def _caption(said: Sequence[str], rng: random.Random) -> str:
    def some(kind: Kind, most: int) -> list[str]:
        names = [name for name in said if CONCEPTS[name].kind == kind][:most]
        count = min(len(names), rng.choice((1, 1, 2, 2, 3)))
        # In the order drawn: people name what they noticed, not the loudest first.
        return [rng.choice(CONCEPTS[name].words) for name in rng.sample(names, count)]

    genres, adjectives = some("genre", 2), some("adjective", 3)
    instruments, voices = some("instrument", 3), some("voice", 1)
    sung = bool(voices) and "instrumental" not in said
    if "instrumental" in said and rng.random() < 0.5:
        voices, adjectives = [], [*adjectives, "instrumental"]
    # A listener rarely says all of it.
    for part in (genres, adjectives, voices):
        rest = len(genres + adjectives + voices + instruments) - len(part)
        if part and rest and rng.random() < 0.25:
            part.clear()

    form = rng.random()
    if form < 0.2:
        keywords = [_bare(word) for word in adjectives + genres + instruments + voices]
        rng.shuffle(keywords)
        return ", ".join(keywords)
    played = join(instruments + voices)
    if not (adjectives or genres):
        return played if instruments and rng.random() < 0.5 else f"music with {played}"
    if form < 0.35 and adjectives and played:
        return f"something {join(adjectives)} with {played}"
    words = " ".join(adjectives + genres[:1])
    if form < 0.5 and genres and played:
        return f"{words}, {played}"
    noun = rng.choice(("song", "track") if sung else ("track", "piece", "tune", "music", "music"))
    if noun != "music" and rng.random() < 0.6:
        words = article(words)
    return f"{words} {noun} with {played}" if played else f"{words} {noun}"


def _bare(words: str) -> str:
    return words.removeprefix("a ").removeprefix("an ")
