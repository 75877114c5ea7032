"""A tune over a groove's chords: phrases that ask and answer, for an instrument of the style."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import mido

from recipes.corpus.events import DRUMS
from recipes.corpus.grooves.library import Family
from recipes.corpus.grooves.songs import Song

# General MIDI programs (0..127) that carry a tune in a kind of progression, by `Family.chords`.
_LEADS: dict[str, tuple[int, ...]] = {
    "jazz": (11, 26, 56, 57, 59, 64, 65, 66, 67, 71, 73, 0),
    "dance": (80, 81, 82, 84, 87, 88, 54, 62, 5, 11),
    "rock": (27, 29, 30, 18, 65, 22, 81),
    "metal": (29, 30, 81),
    "latin": (56, 73, 24, 64, 57, 75, 11),
    "folk": (40, 22, 25, 105, 73, 74, 78, 21, 110, 109, 72),
    "pop": (65, 27, 73, 40, 4, 80, 52, 0, 48, 68),
    "soul": (65, 66, 18, 4, 56, 27, 61),
    "tango": (40, 21, 23, 42, 0, 24),
    "waltz": (40, 71, 21, 73, 68, 42, 48, 6),
    "march": (56, 72, 71, 61, 58, 60),
    "polka": (21, 71, 56, 22, 58),
    "hymn": (19, 52, 48, 68, 42, 60),
    "minor": (42, 68, 70, 73, 65, 81, 40, 27, 104, 77),
}
_KIN = {
    "minorjazz": "jazz", "bossa": "latin", "dixie": "jazz", "showtune": "waltz", "funk": "soul",
    "blues": "soul", "minorblues": "soul", "fifties": "pop", "country": "folk", "calypso": "latin",
    "minorwaltz": "waltz", "jazzwaltz": "jazz",
}  # fmt: skip
# The middle of a lead's range (MIDI note), where it is not near the G above middle C.
_MIDDLES = {42: 55, 57: 55, 58: 48, 66: 60, 67: 53, 70: 55, 60: 58, 72: 84, 74: 77, 78: 77, 11: 70}
_CENTRE = 68

_MAJOR, _MINOR, _BLUES = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 6, 7, 10)
_QUALITIES = {
    "": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10), "M7": (0, 4, 7, 11),
    "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "9": (0, 4, 7, 10), "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9), "sus4": (0, 5, 7), "mM7": (0, 3, 7, 11),
}  # fmt: skip
_NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True)
class Note:
    """A note of a tune; `start` and `length` in notated beats, `velocity` 1..127."""

    start: float
    length: float
    pitch: int
    velocity: int


def pitch_class(name: str) -> int:
    """0..11 of a note name such as "Bb"."""
    return (_NATURAL[name[0]] + name.count("#") - name[1:].count("b")) % 12


def chord_tones(chord: str) -> tuple[int, ...]:
    """Pitch classes of a chord of `songs.PROGRESSIONS`, root first."""
    match = re.fullmatch(r"([A-G][b#]?)(.*)", chord)
    if match is None or match.group(2) not in _QUALITIES:
        raise ValueError(f"not a chord: {chord}")
    root = pitch_class(match.group(1))
    return tuple((root + step) % 12 for step in _QUALITIES[match.group(2)])


def lead_for(family: Family, taken: set[int], rng: random.Random) -> int:
    """A program (0..127) that could lead in this style and is not among those `taken`."""
    kind = rng.choice(family.chords)
    leads = _LEADS[_KIN.get(kind, kind)]
    return rng.choice([p for p in leads if p not in taken] or list(leads))


def _cells(beats: int, shortest: float, rng: random.Random) -> list[tuple[float, float]]:
    """One bar's rhythm: (start, length) in beats; some of it may rest."""
    cell, at = [], 0.0
    while at < beats - 1e-6:
        length = shortest * rng.choices([1, 2, 3, 4], [3, 4, 1.5, 1.5])[0]
        length = min(length, beats - at)
        if rng.random() > (0.2 if at else 0.1):
            cell.append((at, length))
        at += length
    return cell or [(0.0, float(beats))]


def tune(song: Song, beats: int, program: int, rng: random.Random) -> list[Note]:
    """Notes over all the song's bars, in phrases of four: a question, its echo, and an answer."""
    # A note of the shortest kind lasts about a quarter of a second, on the metre's own grid.
    second = song.bpm / 60
    shortest = next((unit for unit in (0.25, 0.5, 1.0, 2.0) if unit / second >= 0.17), 2.0)
    first, other = _cells(beats, shortest, rng), _cells(beats, shortest, rng)
    scale = {"major": _MAJOR, "minor": _MINOR, "blues": _BLUES}[song.mode]
    home = pitch_class(song.tonic)
    steps = {(home + step) % 12 for step in scale}
    middle = _MIDDLES.get(program, _CENTRE) + rng.randint(-3, 3)
    pitch, direction = middle, rng.choice([-1, 1])
    silent = rng.choice([0, 0, 0, 2, 4]) if song.bars >= 12 else 0
    notes: list[Note] = []
    for bar, chords in enumerate(song.chords):
        if bar < silent or (bar % 4 == 3 and rng.random() < 0.25):
            continue
        closing = bar % 4 == 3 or bar == song.bars - 1
        cell = [first, other, first, other][bar % 4] if rng.random() < 0.8 else None
        rhythm = cell or _cells(beats, shortest, rng)
        if closing:
            # A phrase ends on a note that is held, after another at most.
            before = rhythm[: min(rng.randint(0, 1), len(rhythm) - 1)]
            at = rhythm[len(before)][0]
            rhythm = [*before, (at, max(beats - at - shortest, min(shortest, beats - at)))]
        for n, (at, length) in enumerate(rhythm):
            chord = chords[-1] if len(chords) > 1 and at >= (beats + 1) // 2 else chords[0]
            tones = set(chord_tones(chord))
            strong = n == 0 or length >= 2 * shortest or (closing and n == len(rhythm) - 1)
            if abs(pitch - middle) > 7 or rng.random() < 0.25:
                direction = -1 if pitch > middle else 1
            # Off the beat the scale is walked, but never a semitone against the chord.
            allowed = tones if strong else {s for s in steps if (s + 1) % 12 not in tones} | tones
            leap = rng.choices([1, 3, 5], [6, 2, 1])[0]
            pitch = _nearest(pitch + direction * leap, allowed, middle)
            loud = 84 + (8 if at == 0 else 0) + rng.randint(-6, 10)
            held = length * rng.uniform(0.78, 0.98)
            notes.append(Note(bar * beats + at, held, pitch, loud))
    return notes


def _nearest(pitch: int, classes: set[int], middle: int) -> int:
    near = sorted(range(pitch - 6, pitch + 7), key=lambda p: (abs(p - pitch), abs(p - middle)))
    found = next(p for p in near if p % 12 in classes)
    return min(max(found, middle - 14), middle + 14) if abs(found - middle) <= 14 else (
        found - 12 if found > middle else found + 12
    )  # fmt: skip


def lay_over(score: mido.MidiFile, notes: list[Note], program: int) -> None:
    """Add the tune to a MIDI file, on a channel that nothing else uses.

    Raises:
        ValueError: all sixteen channels are taken.
    """
    taken = {m.channel for track in score.tracks for m in track if hasattr(m, "channel")}
    free = [channel for channel in range(16) if channel not in taken | {DRUMS}]
    if not free:
        raise ValueError("no channel is free for the tune")
    channel = free[0]
    timed: list[tuple[int, int, mido.Message]] = [
        (0, 0, mido.Message("program_change", channel=channel, program=program)),
        (0, 1, mido.Message("control_change", channel=channel, control=7, value=118)),
    ]
    for note in notes:
        on, off = (round(b * score.ticks_per_beat) for b in (note.start, note.start + note.length))
        place = {"channel": channel, "note": note.pitch}
        timed.append((on, 3, mido.Message("note_on", velocity=note.velocity, **place)))
        timed.append((off, 2, mido.Message("note_off", velocity=0, **place)))
    timed.sort(key=lambda entry: entry[:2])
    track, at = mido.MidiTrack(), 0
    for tick, _, message in timed:
        track.append(message.copy(time=tick - at))
        at = tick
    score.tracks.append(track)
