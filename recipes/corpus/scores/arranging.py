"""Arrange a score for players and a tempo, and cut an excerpt of it."""

from __future__ import annotations

import itertools
import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mido
import numpy as np

from recipes.corpus.events import Event
from recipes.corpus.keys import NAMES, estimate
from recipes.corpus.rows import ClipError
from recipes.corpus.scores.bands import ENSEMBLES, Ensemble, Tune, Voice, band, harmonise
from recipes.corpus.scores.reading import Note, Score

SHORTEST, LONGEST = 22.0, 25.0  # seconds
# Felt beats a minute, as each form is danced or sung.
_BPM = {
    "reel": (96, 116), "jig": (104, 124), "slip jig": (100, 122), "hornpipe": (76, 96),
    "clog": (80, 100), "strathspey": (112, 140), "march": (88, 116), "quickstep": (96, 116),
    "waltz": (120, 168), "minuet": (100, 132), "polka": (112, 132), "air": (58, 92),
    "lament": (48, 68), "lullaby": (54, 76), "planxty": (88, 110), "highland fling": (110, 130),
    "slide": (110, 126), "rant": (100, 118), "chorale": (56, 88),
}  # fmt: skip
# Otherwise notes a second, by what the score says of its tempo.
_PACE = {"slow": (1.5, 2.6), "lively": (4.2, 6.5), "": (2.3, 5.8)}
_SLOW = ("slow", "tender", "plaintive", "mournful", "with feeling", "with expression")
_LIVELY = ("lively", "spirit", "animated", "gaily", "gay", "quick", "playful", "cheerful", "joyful")
_FREEDOM = {"tunes": 0.006, "works": 0.03}  # how far the tempo strays, as a share


@dataclass(frozen=True)
class Arrangement:
    """MIDI events by the second, how long they last, and what is known of them."""

    events: list[Event]
    seconds: float
    facts: dict[str, Any]


def felt_beat(metre: str | None, form: str | None) -> float:
    """The beat that a listener taps, in quarter notes."""
    above, _, below = (metre or "4/4").partition("/")
    if below in ("8", "16") and int(above) % 3 == 0:
        return 12 / int(below)
    if below in ("1", "2") or (metre == "4/4" and form in ("reel", "hornpipe", "clog")):
        return 2.0
    return 1.0


def arrange(
    score: Score,
    kind: str,
    *,
    form: str | None,
    mark: str | None,
    tradition: str,
    take: int,
    rng: random.Random,
) -> Arrangement:
    """An excerpt of `score`, of 22 to 25 s; `take` numbers the excerpts of one piece.

    `kind` is that of its collection: written parts are orchestrated, a tune is accompanied.

    Raises:
        ClipError: the excerpt has hardly any notes.
    """
    beat = felt_beat(score.metre, form)
    quarter = _quarter_seconds(score, form, mark, beat, rng)
    seconds = rng.uniform(SHORTEST, LONGEST)
    span = seconds / quarter
    notes, bars = _excerpt(score, span, take, rng)
    if sum(map(len, notes)) < 20:
        raise ClipError("an excerpt with hardly any notes")
    shift = rng.randint(-5, 5)
    notes = [tuple((at, long, pitch + shift) for at, long, pitch in part) for part in notes]
    key = _key(score, notes, shift)
    if kind == "tunes":
        voices, names = _accompanied(score, notes[0], bars, beat, shift, key, tradition, rng)
    else:
        voices, names = _orchestrated(notes, rng)
    warp = _warp(bars, span, quarter, _FREEDOM[kind], rng)
    events = _events(voices, span, warp, rng)
    tapped = 60 / (quarter * beat)
    bpm = tapped
    while bpm > 160:
        bpm /= 2
    lead_rate = len({at for at, _, _ in notes[0]}) / seconds
    return Arrangement(events, seconds, {
        "bpm": round(bpm),
        # What a work's beat is, nobody wrote down; nor is every notated beat one that is tapped.
        "bpm_is_felt": (kind == "tunes" or form == "chorale") and 45 < tapped <= 160,
        "pace": "slow" if lead_rate < 2.4 else "fast" if lead_rate > 4.8 else "medium",
        "metre": score.metre,
        "tonic": key[0] if key else None,
        "mode": key[1] if key else None,
        "ensemble": names,
        "parts": len(notes),
        "transposed": shift,
    })  # fmt: skip


def _quarter_seconds(
    score: Score, form: str | None, mark: str | None, beat: float, rng: random.Random
) -> float:
    """Seconds to a quarter note."""
    said = (mark or "").lower()
    pace = "slow" if any(w in said for w in _SLOW) else ""
    pace = pace or ("lively" if any(w in said for w in _LIVELY) else "")
    if form in _BPM and not pace:
        return 60 / (rng.uniform(*_BPM[form]) * beat)
    onsets = len({at for part in score.parts[:4] for at, _, _ in part})
    quarter = onsets / score.length / rng.uniform(*_PACE[pace])
    return min(max(quarter, 0.22), 1.6)


def _excerpt(
    score: Score, span: float, take: int, rng: random.Random
) -> tuple[list[tuple[Note, ...]], list[float]]:
    """The parts' notes within `span` quarter notes of some bar, and the bars, both from 0.

    A piece shorter than that is played again, as tunes and hymns are.
    """
    times = math.ceil(span / score.length)
    latest = score.length - span
    starts = [bar for bar in score.bars if bar <= latest] or [0.0]
    # Takes of one piece come from places all over it, the first one from its beginning.
    place = (take * 0.381966) % 1.0
    start = 0.0 if take == 0 and rng.random() < 0.6 else starts[int(place * len(starts))]
    parts = [
        tuple(
            (at + n * score.length - start, min(long, start + span - at - n * score.length), pitch)
            for n in range(times)
            for at, long, pitch in part
            if start <= at + n * score.length < start + span
        )
        for part in score.parts
    ]
    bars = [bar + n * score.length - start for n in range(times) for bar in score.bars]
    inside = sorted({0.0, *(round(bar, 4) for bar in bars if 0 <= bar < span), span})
    return [part for part in parts if part] or [()], inside


def _key(score: Score, parts: Sequence[Sequence[Note]], shift: int) -> tuple[str, str] | None:
    """The key heard in the excerpt, where the score's signature bears it out."""
    weights: dict[int, float] = defaultdict(float)
    for part in parts:
        for _, long, pitch in part:
            weights[pitch % 12] += long
    heard = estimate(weights)
    if heard is None or score.sharps is None:
        return None
    tonic = NAMES.index(heard[0])
    if score.mode in ("dorian", "mixolydian") and score.tonic in NAMES:
        stated = (NAMES.index(score.tonic) + shift) % 12
        return (heard[0], score.mode) if stated == tonic else None
    major = tonic if heard[1] == "major" else tonic + 3
    return heard if (major * 7 - (score.sharps + shift * 7)) % 12 == 0 else None


def _accompanied(
    score: Score,
    notes: tuple[Note, ...],
    bars: list[float],
    beat: float,
    shift: int,
    key: tuple[str, str] | None,
    tradition: str,
    rng: random.Random,
) -> tuple[list[Voice], list[str]]:
    if key:
        tonic, mode = NAMES.index(key[0]), key[1]
    else:
        # The signature's major key, or its relative where the last note says so.
        tonic, mode = (shift + 7 * (score.sharps or 0)) % 12, "major"
        if (notes[-1][2] - tonic) % 12 == 9:
            tonic, mode = (tonic + 9) % 12, "minor"
    segments = harmonise(notes, bars, tonic, mode in ("minor", "dorian"))
    return band(Tune(notes, segments, beat, tonic), tradition, rng)


def _orchestrated(
    parts: Sequence[tuple[Note, ...]], rng: random.Random
) -> tuple[list[Voice], list[str]]:
    """Each part on an instrument of an ensemble; in a fifth of the takes two ensembles double."""
    name = rng.choice(sorted(ENSEMBLES))
    voices = _played(parts, ENSEMBLES[name], 0, 84, rng)
    names = ENSEMBLES[name].names(len(parts))
    doubles = {"choir": "organ", "strings": "harpsichord", "recorders": "harpsichord",
               "voices": "string orchestra", "woodwinds": "string orchestra"}  # fmt: skip
    if name in doubles and rng.random() < 0.5 and len(parts) <= 7:
        second = ENSEMBLES[doubles[name]]
        voices += _played(parts, second, len(parts), 62, rng)
        names = [f"{own} with {second.words[0]}" for own in names[:2]]
    return voices, names


def _played(
    parts: Sequence[tuple[Note, ...]], by: Ensemble, channel: int, loud: int, rng: random.Random
) -> list[Voice]:
    voices = []
    for rank, part in enumerate(parts):
        # The tenth channel is the drums'.
        own = (channel + rank + (channel + rank >= 9)) % 16
        level = loud + (6 if rank == 0 else 0) + rng.randint(-5, 5)
        hits = tuple((at, long * 0.97, pitch, level) for at, long, pitch in part)
        voices.append(Voice(own, by.program(rank, len(parts)), hits))
    return voices


def _warp(
    bars: Sequence[float], span: float, quarter: float, freedom: float, rng: random.Random
) -> tuple[list[float], list[float]]:
    """The seconds at which each bar begins: phrases press on and hold back."""
    places, clock = [0.0], [0.0]
    phase = rng.uniform(0, 2 * math.pi)
    for n, (start, end) in enumerate(itertools.pairwise(bars)):
        stray = math.sin(2 * math.pi * n / 8 + phase) + rng.gauss(0, 0.4)
        places.append(end)
        clock.append(clock[-1] + (end - start) * quarter * (1 + freedom * stray))
    # Straying must not change how long it takes.
    scale = span * quarter / clock[-1]
    return places, [seconds * scale for seconds in clock]


def _events(
    voices: Sequence[Voice],
    span: float,
    warp: tuple[list[float], list[float]],
    rng: random.Random,
) -> list[Event]:
    events: list[Event] = [
        (0.0, mido.Message("program_change", channel=voice.channel, program=voice.program))
        for voice in voices
    ]
    depth, period = rng.uniform(0, 9), rng.uniform(6, 14)  # the swell: velocity, seconds
    for voice in voices:
        hits = [hit for hit in voice.hits if 0 <= hit[0] < span]
        begins = np.interp([hit[0] for hit in hits], *warp)
        ends = np.interp([min(hit[0] + hit[1], span) for hit in hits], *warp)
        for (_, _, pitch, level), begin, end in zip(hits, begins, ends, strict=True):
            while pitch > 108:
                pitch -= 12
            while pitch < 21:
                pitch += 12
            swell = depth * math.sin(2 * math.pi * begin / period)
            velocity = min(127, max(1, round(level + swell)))
            where: dict[str, Any] = {"channel": voice.channel, "note": pitch}
            events.append((float(begin), mido.Message("note_on", velocity=velocity, **where)))
            events.append((max(float(end), float(begin) + 0.05),
                           mido.Message("note_off", **where)))  # fmt: skip
    return events
