"""Play a MIDI file through a randomly drawn SoundFont, as a player would, not a clock."""

from __future__ import annotations

import ctypes
import random
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fluidsynth
import mido
import numpy as np

from recipes.corpus.events import DRUMS, Event, read, write
from recipes.corpus.midi import read_facts
from recipes.corpus.rows import ClipError, Samples
from recipes.corpus.sound import fonts
from recipes.corpus.sound.fonts import SOUNDFONTS, SoundFont

# Twice the corpus's rate: what the SoundFonts' treble folds to lies above what is kept.
RATE = 32_000
_TAIL = 1.5  # seconds that sound on after the last bar


# pyfluidsynth has only the 16-bit one, whose dither depends on what was played before.
_write_float = fluidsynth.cfunc(
    "fluid_synth_write_float", ctypes.c_int,
    ("synth", ctypes.c_void_p, 1), ("frames", ctypes.c_int, 1),
    ("left", ctypes.c_void_p, 1), ("left_offset", ctypes.c_int, 1), ("left_step", ctypes.c_int, 1),
    ("right", ctypes.c_void_p, 1), ("right_offset", ctypes.c_int, 1),
    ("right_step", ctypes.c_int, 1),
)  # fmt: skip

_set_log = fluidsynth.cfunc(
    "fluid_set_log_function", ctypes.c_void_p,
    ("level", ctypes.c_int, 1), ("function", ctypes.c_void_p, 1), ("data", ctypes.c_void_p, 1),
)  # fmt: skip
_set_log(2, None, None)  # its warnings: every drum kit that a SoundFont replaces by another


def _play(font: SoundFont, events: Sequence[Event], frames: int) -> Samples:
    """(frames, 2) of what the events sound like through one SoundFont."""
    path = fonts.package(font).root / font.path
    options = {
        # With only the samples that are asked for, opening costs 10 to 30 ms. A synthesiser kept
        # open would save them, but what it plays depends a little on what it played before.
        "synth.dynamic-sample-loading": 1,
        "synth.lock-memory": 0,
        "synth.reverb.active": int(fonts.settings.reverb),
        "synth.chorus.active": int(fonts.settings.reverb),
    }
    synth = fluidsynth.Synth(gain=0.2, samplerate=RATE, channels=16, **options)
    try:
        if synth.sfload(str(path)) < 0:
            raise ClipError(f"{path.name}: not a SoundFont that FluidSynth can read")
        synth.system_reset()
        sound = np.zeros((frames, 2), np.float32)
        at = 0
        for seconds, message in [*events, (frames / RATE, None)]:
            until = min(round(seconds * RATE), frames)
            if until > at:
                where = sound[at:].ctypes.data
                _write_float(synth.synth, until - at, where, 0, 2, where, 1, 2)
                at = until
            if message is not None:
                _send(synth, message)
    finally:
        synth.delete()
    return sound


def _send(synth: fluidsynth.Synth, message: mido.Message) -> None:
    match message.type:
        case "note_on" if message.velocity:
            synth.noteon(message.channel, message.note, message.velocity)
        case "note_on" | "note_off":
            synth.noteoff(message.channel, message.note)
        case "program_change":
            synth.program_change(message.channel, message.program)
        case "control_change":
            synth.cc(message.channel, message.control, message.value)
        case "pitchwheel":
            synth.pitch_bend(message.channel, message.pitch)


def humanise(events: Sequence[Event], rng: random.Random) -> list[Event]:
    """The events as hands play them: notes a few ms off, parts at other levels, beats uneven.

    A note's end moves with its start. Times stay at or above 0.
    """
    loose = rng.uniform(0.002, 0.011)  # seconds, standard deviation
    uneven = rng.uniform(2.0, 8.0)  # velocity, standard deviation
    levels = {channel: rng.uniform(0.72, 1.15) for channel in range(16)}
    lag = {channel: rng.gauss(0, loose / 2) for channel in range(16)}
    shifts: dict[tuple[int, int], float] = defaultdict(float)
    played = []
    for seconds, message in events:
        if message.type not in ("note_on", "note_off"):
            # Ahead of the notes that it sets up, however early they come.
            played.append((max(0.0, seconds - 4 * loose), message))
            continue
        place = (message.channel, message.note)
        if message.type == "note_on" and message.velocity:
            # Drummers keep time.
            own = loose * (0.4 if message.channel == DRUMS else 1.0)
            shifts[place] = lag[message.channel] + rng.gauss(0, own)
            velocity = message.velocity * levels[message.channel] + rng.gauss(0, uneven)
            message = message.copy(velocity=min(127, max(1, round(velocity))))
        played.append((max(0.0, seconds + shifts[place]), message))
    return sorted(played, key=lambda event: event[0])


def _draw(rng: random.Random, without: str | None = None) -> SoundFont:
    drawn = [SOUNDFONTS[name] for name in fonts.settings.fonts if name != without]
    return rng.choices(drawn, [font.weight for font in drawn])[0]


def play(
    events: Sequence[Event], seconds: float, rng: random.Random
) -> tuple[dict[str, Any], Samples, int, dict[str, Any]]:
    """Facts of the notes as `midi.read_facts`, then what `perform` gives of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip.mid")
        write(events, path)
        return read_facts(path, seconds), *perform(path, rng, seconds=seconds)


def perform(
    midi: Path, rng: random.Random, *, seconds: float
) -> tuple[Samples, int, dict[str, Any]]:
    """A MIDI file's first `seconds` and their tail, as (frames, 2) at RATE, and how it was played.

    Raises:
        ClipError: not a MIDI file, or silent.
    """
    font = _draw(rng)
    doubles = rng.random() < fonts.settings.doubled and len(fonts.settings.fonts) > 1
    second = _draw(rng, font.name) if doubles else None
    blend = rng.uniform(0.3, 0.8)
    until = seconds + _TAIL
    events = [event for event in read(midi)[0] if event[0] <= until]
    if fonts.settings.human:
        events = humanise(events, rng)
    frames = round((seconds + _TAIL) * RATE)
    sound = _play(font, events, frames)
    if second is not None:
        sound += np.float32(blend) * _play(second, events, frames)
    if not np.abs(sound).max(initial=0.0) > 1e-4:
        raise ClipError(f"{midi.name}: silent with {font.name}")
    playing = [font] if second is None else [font, second]
    return sound, RATE, {
        "soundfonts": [
            {
                "name": f.name,
                "package": f.package,
                "version": fonts.package(f).version,
                "licence": f.licence,
            }
            for f in playing
        ],
        "human": fonts.settings.human,
    }  # fmt: skip
