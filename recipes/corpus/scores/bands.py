"""Who plays: ensembles for parts that are written, and bands that accompany a bare tune."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from recipes.corpus.events import DRUMS
from recipes.corpus.midi import GM
from recipes.corpus.scores.reading import Note

Hit = tuple[float, float, int, int]  # where and how long, in quarter notes; MIDI pitch; velocity

_COUNTED = {2: "duo", 3: "trio", 4: "quartet", 5: "quintet", 6: "sextet"}


@dataclass(frozen=True)
class Voice:
    """One player's notes; `channel` DRUMS is the drum kit, whatever the program."""

    channel: int
    program: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Ensemble:
    """Players of written parts: `programs` from high to low, and what they are called.

    `of` makes "OF quartet" of four parts.
    """

    words: tuple[str, ...]
    programs: tuple[int, ...]
    of: str | None = None

    def names(self, parts: int) -> list[str]:
        """What players of this many parts may be called; two make no choir or orchestra."""
        counted = [f"{self.of} {_COUNTED[parts]}"] if self.of and parts in _COUNTED else []
        many = self.of is not None or len(self.programs) > 1
        return counted if many and parts < 3 else [*counted, *self.words]

    def program(self, rank: int, parts: int) -> int:
        """The General MIDI program of the part that is `rank`-th from the top."""
        return self.programs[round(rank * (len(self.programs) - 1) / max(1, parts - 1))]


ENSEMBLES = {
    "strings": Ensemble(("string ensemble", "strings"), (40, 40, 41, 42), "string"),
    "string orchestra": Ensemble(("string orchestra", "orchestral strings"), (48,)),
    "slow strings": Ensemble(("lush strings", "string orchestra"), (49,)),
    "pizzicato": Ensemble(("pizzicato strings", "plucked strings"), (45,)),
    "choir": Ensemble(("choir", "a cappella choir", "vocal ensemble"), (52,)),
    "voices": Ensemble(("wordless voices", "choir", "vocal ensemble"), (53,)),
    "organ": Ensemble(("church organ", "pipe organ", "organ"), (19,)),
    "chamber organ": Ensemble(("reed organ", "small organ", "harmonium"), (20,)),
    "drawbar organ": Ensemble(("electric organ", "organ"), (16,)),
    "brass": Ensemble(("brass ensemble", "brass choir"), (56, 56, 60, 57, 58), "brass"),
    "trombones": Ensemble(("trombone choir", "trombones"), (57,), "trombone"),
    "horns": Ensemble(("French horns", "horn ensemble"), (60,), "horn"),
    "woodwinds": Ensemble(("woodwind ensemble", "woodwinds"), (73, 68, 71, 70), "woodwind"),
    "clarinets": Ensemble(("clarinet choir", "clarinets"), (71,), "clarinet"),
    "saxes": Ensemble(("saxophone ensemble", "saxophones"), (64, 65, 66, 67), "saxophone"),
    "flutes": Ensemble(("flute choir", "flutes"), (73,), "flute"),
    "recorders": Ensemble(("recorder consort", "recorders"), (74,), "recorder"),
    "early band": Ensemble(("early music ensemble",), (74, 40, 111, 70)),
    "piano": Ensemble(("piano", "solo piano", "piano solo"), (0,)),
    "electric piano": Ensemble(("electric piano", "Rhodes-style electric piano"), (4,)),
    "harpsichord": Ensemble(("harpsichord", "solo harpsichord"), (6,)),
    "celesta": Ensemble(("celesta",), (8,)),
    "music box": Ensemble(("music box",), (10,)),
    "guitar": Ensemble(("classical guitar", "nylon-string guitar"), (24,), "guitar"),
    "harp": Ensemble(("harp", "solo harp"), (46,)),
    "marimbas": Ensemble(("marimba", "marimbas"), (12,), "marimba"),
    "vibraphone": Ensemble(("vibraphone",), (11,)),
    "accordion": Ensemble(("accordion",), (21,)),
    "cellos": Ensemble(("cello ensemble", "cellos"), (42,), "cello"),
    "strings and winds": Ensemble(("chamber orchestra", "small orchestra"), (73, 40, 71, 42)),
    "synth brass": Ensemble(("synth brass", "synthesizers"), (62, 62, 63)),
    "chip": Ensemble(("square-wave synths", "synthesizers"), (80, 80, 80, 38)),
    "synths": Ensemble(("synthesizers", "analog-style synths"), (81, 81, 90, 38)),
    "pads": Ensemble(("synth pads", "ambient synths"), (89, 89, 88)),
}

_LEADS = (110, 110, 40, 73, 73, 78, 72, 21, 105, 74, 109, 22, 23, 15, 46, 24, 25, 71, 0, 68, 79,
          75, 10, 65, 56, 11, 12, 42, 6, 108)  # fmt: skip
_EASTERN = (107, 77, 75, 73, 106, 15, 24, 110, 46, 79, 52, 13)
_SUNG = (52, 53, 73, 40, 24, 0, 46, 71, 74, 21, 68, 42, 10, 19, 11)
_OCTAVE = {78: 12, 72: 12, 74: 12, 10: 12, 42: -12, 12: 0, 70: -12}


def lead(tradition: str, rng: random.Random) -> int:
    """A program for the tune, as its tradition has it: "eastern", "sung" or anything else."""
    return rng.choice({"eastern": _EASTERN, "sung": _SUNG}.get(tradition, _LEADS))


@dataclass(frozen=True)
class Tune:
    """A tune to accompany: its notes, and its segments of one harmony as (place, length, chord).

    A chord is its root and its other pitch classes. `beat` is the felt one, in quarter notes.
    """

    notes: tuple[Note, ...]
    segments: tuple[tuple[float, float, tuple[int, ...]], ...]
    beat: float
    tonic: int


def harmonise(
    notes: Sequence[Note], bars: Sequence[float], tonic: int, minor: bool
) -> tuple[tuple[float, float, tuple[int, ...]], ...]:
    """A triad for each bar, or half of a long one: the one that holds most of the tune's notes."""
    steps = ((0, 3, 7), (10, 2, 5), (3, 7, 10), (5, 8, 0)) if minor else (
        (0, 4, 7), (7, 11, 2), (5, 9, 0), (9, 0, 4))  # fmt: skip
    triads = [tuple((tonic + step) % 12 for step in steps_of) for steps_of in steps]
    found = []
    for start, end in itertools.pairwise(bars):
        halves = 2 if end - start > 3 else 1
        for half in range(halves):
            length = (end - start) / halves
            at = start + half * length
            weights: dict[int, float] = {}
            for place, long, pitch in notes:
                sounding = min(place + long, at + length) - max(place, at)
                if sounding > 0:
                    weights[pitch % 12] = weights.get(pitch % 12, 0.0) + sounding
            # The earlier triads are the commoner ones.
            fits = [
                sum(weights.get(pitch, 0.0) for pitch in triad) - 0.12 * length * rank
                for rank, triad in enumerate(triads)
            ]
            found.append((at, length, triads[fits.index(max(fits))]))
    return tuple(found)


def _pitch(pitch_class: int, low: int) -> int:
    return low + (pitch_class - low) % 12


def _chord(triad: tuple[int, ...], low: int) -> list[int]:
    return sorted(_pitch(pitch_class, low) for pitch_class in triad)


def melody(tune: Tune, program: int, channel: int, rng: random.Random, octave: int = 0) -> Voice:
    """The tune itself, a little louder on its beats."""
    shift = _OCTAVE.get(program, 0) + octave
    hits = []
    for at, length, pitch in tune.notes:
        accent = 8 if at % tune.beat < 0.05 else 0
        hits.append((at, length * 0.95, pitch + shift, 88 + accent + rng.randint(-5, 5)))
    return Voice(channel, program, tuple(hits))


def strum(tune: Tune, program: int, channel: int) -> Voice:
    """Chords on the beats, lighter ones between."""
    hits = []
    for at, length, triad in tune.segments:
        for n in range(round(2 * length / tune.beat)):
            velocity = 62 if n % 2 == 0 else 46
            place = at + n * tune.beat / 2
            for pitch in (_pitch(triad[0], 40), *_chord(triad, 52)):
                hits.append((place, tune.beat / 2, pitch, velocity))
    return Voice(channel, program, tuple(hits))


def vamp(tune: Tune, program: int, channel: int) -> Voice:
    """Bass on the beat, chord after it."""
    after = tune.beat * (2 / 3 if tune.beat == 1.5 else 1 / 2)
    hits = []
    for at, length, triad in tune.segments:
        for n in range(max(1, round(length / tune.beat))):
            place = at + n * tune.beat
            hits.append((place, after * 0.9, _pitch(triad[2 * (n % 2)], 38), 66))
            hits += [(place + after, tune.beat * 0.3, p, 54) for p in _chord(triad, 55)]
    return Voice(channel, program, tuple(hits))


def arpeggio(tune: Tune, program: int, channel: int) -> Voice:
    """The chord broken upwards, three or four notes to a beat."""
    hits = []
    for at, length, triad in tune.segments:
        notes = [_pitch(triad[0], 43), *_chord(triad, 55)]
        step = tune.beat / (3 if tune.beat == 1.5 else 2)
        hits += [
            (at + n * step, step * 1.6, notes[n % len(notes)], 58)
            for n in range(round(length / step))
        ]
    return Voice(channel, program, tuple(hits))


def held(tune: Tune, program: int, channel: int, velocity: int = 50) -> Voice:
    """Chords held for as long as the harmony stays."""
    hits = [(at, n, p, velocity) for at, n, triad in tune.segments for p in _chord(triad, 52)]
    return Voice(channel, program, tuple(hits))


def bass(tune: Tune, program: int, channel: int) -> Voice:
    """Root and fifth, a note to each beat."""
    hits = [
        (at + n * tune.beat, tune.beat * 0.85, _pitch(triad[2 * (n % 2)], 31), 74)
        for at, length, triad in tune.segments
        for n in range(max(1, round(length / tune.beat)))
    ]
    return Voice(channel, program, tuple(hits))


def drone(tune: Tune, program: int, channel: int) -> Voice:
    """Tonic and fifth below the tune, all the way, taken up again every four harmonies."""
    low = _pitch(tune.tonic, 43)
    hits = []
    for n in range(0, len(tune.segments), 4):
        at = tune.segments[n][0]
        last, length, _ = tune.segments[min(n + 3, len(tune.segments) - 1)]
        hits += [(at, last + length - at, pitch, 58) for pitch in (low, low + 7)]
    return Voice(channel, program, tuple(hits))


# Each: (place in the beat, drum, velocity), for a beat in two and for one in three.
_BEATS = {
    "hand": (((0, 64, 72), (0.5, 62, 46), (0.75, 62, 38)), ((0, 64, 72), (1 / 3, 62, 40),
             (2 / 3, 62, 52))),
    "kit": (((0, 36, 78), (0.5, 38, 62), (0, 42, 50), (0.5, 42, 42)), ((0, 36, 78), (2 / 3, 38,
            58), (0, 42, 50), (1 / 3, 42, 38), (2 / 3, 42, 42))),
    "rock": (((0, 36, 104), (0.5, 38, 104), (0, 42, 74), (0.25, 42, 60), (0.5, 42, 72),
              (0.75, 42, 60)), ((0, 36, 104), (2 / 3, 38, 100), (0, 42, 74), (1 / 3, 42, 62),
              (2 / 3, 42, 70))),
    "four": (((0, 36, 110), (0.5, 46, 72), (0, 39, 40)), ((0, 36, 110), (1 / 3, 42, 60),
             (2 / 3, 46, 72))),
}  # fmt: skip


def drums(tune: Tune, pattern: str) -> Voice:
    """One of the drum patterns, all the way."""
    hits = []
    strokes = _BEATS[pattern][tune.beat == 1.5]
    # What is felt as one long beat is drummed as two.
    step = tune.beat / 2 if tune.beat == 2 else tune.beat
    for at, length, _ in tune.segments:
        for n in range(round(length / step)):
            hits += [(at + (n + place) * step, 0.1, d, v) for place, d, v in strokes]
    return Voice(DRUMS, 0, tuple(hits))


def band(tune: Tune, tradition: str, rng: random.Random) -> tuple[list[Voice], list[str]]:
    """The tune with an accompaniment drawn for it, and what listeners may call the players."""
    program = lead(tradition, rng)
    voices = [melody(tune, program, 0, rng)]
    name = GM[program]
    kind = rng.choices(
        ("solo", "duo", "drone", "strummed", "piano", "broken", "ceilidh", "rock", "electronic"),
        (16, 10, 8, 20, 13, 10, 9, 7, 7),
    )[0]
    if kind == "solo":
        return voices, [f"solo {name}", f"unaccompanied {name}"]
    if kind == "duo":
        other = rng.choice([p for p in (110, 73, 21, 78, 24, 42, 71) if p != program])
        low = rng.choice([0, -12])
        return [*voices, melody(tune, other, 1, rng, low)], ["duo", "duet"]
    if kind == "drone":
        return [*voices, drone(tune, rng.choice((109, 20, 49, 42)), 1)], ["melody over a drone"]
    if kind == "strummed":
        voices.append(strum(tune, rng.choice((25, 25, 24, 105, 26)), 1))
        if rng.random() < 0.5:
            voices.append(bass(tune, rng.choice((32, 32, 33)), 2))
        if rng.random() < 0.35:
            voices.append(drums(tune, "hand"))
        return voices, ["folk group", "acoustic band"] if len(voices) > 2 else []
    if kind == "piano":
        return [*voices, vamp(tune, rng.choice((0, 0, 3)), 1)], []
    if kind == "broken":
        return [*voices, arpeggio(tune, rng.choice((46, 24, 0, 25, 11)), 1)], []
    if kind == "ceilidh":
        voices += [vamp(tune, 0, 1), held(tune, 21, 2, 44), bass(tune, 32, 3), drums(tune, "kit")]
        return voices, ["dance band", "folk band", "ceilidh band"]
    if kind == "rock":
        voices += [strum(tune, rng.choice((29, 30, 27)), 1), bass(tune, 33, 2)]
        return [*voices, drums(tune, "rock")], ["rock band", "folk rock band"]
    synth = melody(tune, rng.choice((80, 81, 84, 87)), 0, rng)
    voices = [synth, arpeggio(tune, rng.choice((80, 81, 88)), 1), bass(tune, 38, 2)]
    voices += [held(tune, rng.choice((89, 90, 50)), 3), drums(tune, "four")]
    return voices, ["electronic version", "synth arrangement", "dance remix"]
