"""Captions from tag probabilities and measurements, as a listener would type them.

    PYTHONPATH=recipes/open-corpus python -m teacher.describe CORPUS/facts

writes calibration.json from what is stored in the facts of a corpus's recordings. The raw
probabilities cannot be compared: the teacher gives `guitar` 0.3 lightly and `harp` hardly ever. So
a concept is stated where it stands out among the recordings and is likely besides, or is likely
beyond doubt; and what contradicts something as likely is not stated at all.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from teacher.concepts import CONCEPTS, CONTRADICTIONS, Kind

CALIBRATION = Path(__file__).parent / "calibration.json"
_STANDS_OUT = 0.75  # of the recordings score less
_VOWELS = ("a", "e", "i", "o", "u", "A", "E", "I", "O", "R&B")  # no word here starts as "unit"
_LEVELS = np.linspace(0, 1, 21)


def describe(measures: Mapping[str, float], rng: random.Random) -> list[str]:
    """Up to five captions of one clip, each of some of what is stated; none if nothing is sure.

    Args:
        measures: of all 100 tags, as `teacher.tagging.named` gives them, and of the quantities of
            `acoustics.Measured`.
        rng: draws words, grammar and length.
    """
    said = stated(measures)
    if not said:
        return []
    captions: dict[str, str] = {}
    wanted = rng.randint(3, 5)
    for _ in range(4 * wanted):  # what is short of words soon repeats itself
        text = _caption(said, rng)
        captions.setdefault(text.lower(), text)
        if len(captions) == wanted:
            break
    return list(captions.values())


def stated(measures: Mapping[str, float]) -> list[str]:
    """The concepts that hold, those that stand out most first."""
    ranks = {}
    for name, concept in CONCEPTS.items():
        score = concept.score(measures)
        rank = float(np.interp(score, calibration()[name], _LEVELS))
        if score >= concept.sure or (score >= concept.floor and rank >= _STANDS_OUT):
            ranks[name] = rank
    unsure: set[str] = set()
    for some, others in CONTRADICTIONS:
        if some & ranks.keys() and others & ranks.keys():
            unsure |= some | others
    sure = ranks.keys() - unsure
    needless = {wider for name in sure for wider in CONCEPTS[name].within}
    return sorted(sure - needless, key=lambda name: (-ranks[name], name))


@cache
def calibration() -> dict[str, list[float]]:
    """Of each concept, the quantiles of its score in steps of 5 % over the recordings."""
    quantiles: dict[str, list[float]] = json.loads(CALIBRATION.read_text())["quantiles"]
    return quantiles


def calibrate(rows: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """The quantiles of each concept's score, from what was heard in many clips."""
    return {
        name: np.quantile([concept.score(row) for row in rows], _LEVELS).round(4).tolist()
        for name, concept in CONCEPTS.items()
    }


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
    played = _listed(instruments + voices)
    if not (adjectives or genres):
        return played if instruments and rng.random() < 0.5 else f"music with {played}"
    if form < 0.35 and adjectives and played:
        return f"something {_listed(adjectives)} with {played}"
    words = " ".join(adjectives + genres[:1])
    if form < 0.5 and genres and played:
        return f"{words}, {played}"
    noun = rng.choice(("song", "track") if sung else ("track", "piece", "tune", "music", "music"))
    if noun != "music" and rng.random() < 0.6:
        words = ("an " if words.startswith(_VOWELS) else "a ") + words
    return f"{words} {noun} with {played}" if played else f"{words} {noun}"


def _listed(things: Sequence[str]) -> str:
    """`piano, strings and no vocals`."""
    *others, last = things or [""]
    return f"{', '.join(others)} and {last}" if others else last


def _bare(words: str) -> str:
    return words.removeprefix("a ").removeprefix("an ")


def main() -> None:
    """Calibrate on the clips of a corpus that the teacher has heard."""
    stored = [json.loads(path.read_text())["facts"] for path in Path(sys.argv[1]).glob("*.json")]
    rows = [facts["tags"] | facts["measured"] for facts in stored if "tags" in facts]
    if not rows:
        sys.exit(f"{sys.argv[1]}: no facts with tags")
    lines = ",\n".join(f'  "{name}": {value}' for name, value in calibrate(rows).items())
    CALIBRATION.write_text(f'{{"clips": {len(rows)}, "quantiles": {{\n{lines}\n}}}}\n')


if __name__ == "__main__":
    main()
