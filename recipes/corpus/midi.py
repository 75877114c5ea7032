"""Exchange a MIDI file's sounds, and read back from it what a listener will hear."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import mido

from recipes.corpus.events import DRUMS

GM = tuple(
    """piano|bright piano|electric grand piano|honky-tonk piano|electric piano|electric piano
harpsichord|clavinet|celesta|glockenspiel|music box|vibraphone|marimba|xylophone|tubular bells
dulcimer|organ|percussive organ|rock organ|church organ|reed organ|accordion|harmonica|bandoneon
nylon guitar|steel-string guitar|jazz guitar|clean electric guitar|muted electric guitar
overdriven guitar|distorted guitar|guitar harmonics|upright bass|electric bass
picked electric bass|fretless bass|slap bass|slap bass|synth bass|synth bass|violin|viola|cello
double bass|tremolo strings|pizzicato strings|harp|timpani|strings|strings|synth strings
synth strings|choir|voices|synth voice|orchestra hit|trumpet|trombone|tuba|muted trumpet
French horn|brass section|synth brass|synth brass|soprano sax|alto sax|tenor sax|baritone sax
oboe|English horn|bassoon|clarinet|piccolo|flute|recorder|pan flute|blown bottle|shakuhachi
whistle|ocarina|square synth lead|sawtooth synth lead|calliope synth|chiff synth|charang synth
synth voice|synth fifths|synth bass and lead|synth pad|warm synth pad|polysynth|choir pad
bowed pad|metallic pad|halo pad|sweep pad|synth rain|soundtrack pad|crystal synth
atmosphere synth|bright synth|goblin synth|echo synth|sci-fi synth|sitar|banjo|shamisen|koto
kalimba|bagpipe|fiddle|shanai|tinkle bell|agogo|steel drums|wood block|taiko drum|melodic tom
synth drum|reverse cymbal|guitar fret noise|breath noise|seashore|bird tweet|telephone
helicopter|applause|gunshot""".replace("\n", "|").split("|")
)

_PIECES: dict[str, tuple[int, ...]] = {
    "kick drum": (35, 36),
    "snare drum": (38, 40),
    "rim clicks": (37,),
    "hi-hat": (42, 44, 46),
    "ride cymbal": (51, 53, 59),
    "crash cymbal": (49, 52, 55, 57),
    "toms": (41, 43, 45, 47, 48, 50),
    "hand claps": (39,),
    "tambourine": (54,),
    "cowbell": (56,),
    "bongos": (60, 61),
    "congas": (62, 63, 64),
    "timbales": (65, 66),
    "agogo bells": (67, 68),
    "cabasa": (69,),
    "maracas": (70,),
    "guiro": (73, 74),
    "claves": (75,),
    "wood blocks": (76, 77),
    "cuica": (78, 79),
    "triangle": (80, 81),
    "shaker": (82,),
    "sleigh bells": (83,),
    "castanets": (85,),
}
PIECE_OF = {note: piece for piece, notes in _PIECES.items() for note in notes}
KIT = ("kick drum", "snare drum", "hi-hat", "ride cymbal", "rim clicks")

# A sound is only ever exchanged for one that can play the same part.
_SWAPS: tuple[tuple[range, tuple[int, ...]], ...] = (
    (range(0, 8), (0, 1, 3, 4, 5, 6, 7, 11, 16, 18, 21, 24, 25, 26, 88)),
    (range(8, 16), (8, 9, 10, 11, 12, 13, 46, 108)),
    (range(16, 24), (16, 17, 18, 19, 20, 21, 22, 4)),
    (range(24, 32), (24, 25, 26, 27, 28, 4, 0, 105, 46)),
    (range(32, 40), (32, 33, 34, 35, 36, 38, 39)),
    (range(40, 48), (40, 41, 42, 45, 46, 73, 71, 110)),
    (range(48, 56), (48, 49, 50, 52, 53, 89, 91, 16, 61)),
    (range(56, 72), (56, 57, 59, 60, 61, 62, 64, 65, 66, 71)),
    (range(72, 80), (71, 72, 73, 74, 75, 68)),
    (range(80, 96), (80, 81, 88, 89, 90, 91, 94, 95)),
    (range(104, 112), (104, 105, 106, 107, 24, 25, 15)),
)


def swap_for(program: int, rng: random.Random) -> int:
    """Another General MIDI program that can take the part of `program` (both 0..127)."""
    for programs, others in _SWAPS:
        if program in programs:
            return rng.choice([other for other in others if other != program])
    return program


def vary(song: mido.MidiFile, rng: random.Random) -> None:
    """In a third of the clips, give one or two parts another sound that can play them."""
    swapping = rng.random() < 0.36
    pitched = sorted(
        {m.channel for t in song.tracks for m in t if m.type == "note_on" and m.channel != DRUMS}
    )
    chosen = set(rng.sample(pitched, min(len(pitched), rng.randint(1, 2)))) if swapping else set()
    others: dict[tuple[int, int], int] = {}
    for track in song.tracks:
        for message in track:
            if message.type == "program_change" and message.channel in chosen:
                part = (message.channel, message.program)
                if part not in others:
                    others[part] = swap_for(message.program, rng)
                message.program = others[part]


def _notes(song: mido.MidiFile) -> list[tuple[float, int, int, int, int, float]]:
    """(start seconds, channel, note, velocity, program, seconds) of every note, by its end."""
    clock = 0.0
    programs: dict[int, int] = defaultdict(int)
    volumes: dict[int, int] = defaultdict(lambda: 100)
    held: dict[tuple[int, int], tuple[float, int, int]] = {}
    notes = []
    for message in song:
        clock += message.time
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "control_change" and message.control == 7:
            volumes[message.channel] = message.value
        elif message.type in ("note_on", "note_off"):
            place = (message.channel, message.note)
            if place in held:
                start, velocity, program = held.pop(place)
                notes.append((start, *place, velocity, program, clock - start))
            if message.type == "note_on" and message.velocity:
                heard = round(message.velocity * volumes[message.channel] / 100)
                held[place] = (clock, heard, programs[message.channel])
    return notes


def read_facts(path: Path, seconds: float) -> dict[str, Any]:
    """Instruments (loudest first), drum pieces and note densities (a second) of a MIDI file."""
    notes = _notes(mido.MidiFile(path))
    weights: dict[int, float] = defaultdict(float)
    counts: dict[int, int] = defaultdict(int)
    pieces: dict[str, int] = defaultdict(int)
    for _, channel, note, velocity, program, length in notes:
        if channel == DRUMS:
            pieces[PIECE_OF.get(note, "percussion")] += 1
        else:
            # A long note is not heard in proportion to its length, nor a short one not at all.
            weights[program] += (velocity / 127) ** 2 * min(length + 0.1, 1.0)
            counts[program] += 1
    total = sum(weights.values()) or 1.0
    # Below 2 % of what sounds, or in a note or two, nobody would name an instrument.
    heard = [p for p in weights if weights[p] / total >= 0.02 and counts[p] >= 3]
    heard.sort(key=lambda p: -weights[p])
    struck = sorted((p for p in pieces if pieces[p] >= 3), key=lambda p: -pieces[p])
    onsets = {(round(n[0], 2), n[1] == DRUMS) for n in notes}
    pitched = [n[3] for n in notes if n[1] != DRUMS]
    drums = [n[3] for n in notes if n[1] == DRUMS]
    return {
        "programs": heard,
        "instruments": list(dict.fromkeys(GM[p] for p in heard)),
        "drums": bool(struck),
        "kit": any(piece in struck for piece in KIT),
        "percussion": struck,
        "onsets_per_second": round(len(onsets) / seconds, 2),
        "drum_onsets_per_second": round(sum(drum for _, drum in onsets) / seconds, 2),
        "mean_velocity": round(sum(pitched) / len(pitched)) if pitched else None,
        "mean_drum_velocity": round(sum(drums) / len(drums)) if drums else None,
    }
