"""Timed MIDI messages: read from a file, cut to an excerpt, written as a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import mido
from mido.midifiles.meta import KeySignatureError

from recipes.corpus.rows import ClipError

Event = tuple[float, mido.Message]

DRUMS = 9
_TICKS = 480  # a beat of half a second, MIDI's default: 960 ticks a second


def read(path: Path) -> tuple[list[Event], list[tuple[float, mido.MetaMessage]]]:
    """A file's channel messages and its meta messages, each with its time in seconds."""
    try:
        clock, events, metas = 0.0, [], []
        for message in mido.MidiFile(path, clip=True):
            clock += message.time
            if message.is_meta:
                metas.append((clock, message))
            elif message.type != "sysex" and not _is_bank(message):
                events.append((clock, message))
    except (ValueError, EOFError, OSError, LookupError, KeySignatureError) as error:
        raise ClipError(f"{path.name}: unreadable MIDI: {error}") from error
    return events, metas


def _is_bank(message: mido.Message) -> bool:
    # Banks are a synthesiser's own; General MIDI, which SoundFonts have, knows one.
    return message.type == "control_change" and message.control in (0, 32)


def cut(events: Iterable[Event], start: float, seconds: float) -> list[Event]:
    """The notes that begin in the excerpt, ended with it, after the settings in force there."""
    settings: dict[tuple[object, ...], mido.Message] = {}
    inside: list[Event] = []
    held: set[tuple[int, int]] = set()
    for clock, message in events:
        at = clock - start
        if at >= seconds:
            break
        if message.type in ("note_on", "note_off"):
            place = (message.channel, message.note)
            if message.type == "note_on" and message.velocity and at >= 0:
                held.add(place)
                inside.append((at, message))
            elif place in held:
                held.discard(place)
                inside.append((at, message))
        elif at >= 0:
            inside.append((at, message))
        else:
            control = message.control if message.type == "control_change" else None
            settings[message.channel, message.type, control] = message
    ends = [
        (seconds, mido.Message("note_off", channel=channel, note=note))
        for channel, note in sorted(held)
    ]
    return [(0.0, message) for message in settings.values()] + inside + ends


def write(events: Sequence[Event], path: Path) -> None:
    """A one-track file of the events, which may come in any order; equal times keep theirs."""
    track, before = mido.MidiTrack(), 0
    for seconds, message in sorted(events, key=lambda event: event[0]):
        ticks = round(seconds * 2 * _TICKS)
        track.append(message.copy(time=ticks - before))
        before = ticks
    mido.MidiFile(type=0, ticks_per_beat=_TICKS, tracks=[track]).save(path)
