"""The MIDI files of free packages, and excerpts of them as they are or made over."""

from __future__ import annotations

import random
import re
import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path
from typing import Any

import yaml

from recipes.corpus.events import DRUMS, Event, cut, read
from recipes.corpus.keys import estimate
from recipes.corpus.midi import swap_for
from recipes.corpus.packages import Package, debian
from recipes.corpus.rows import ClipError, slug

SHORTEST, LONGEST = 21.0, 26.0  # seconds
_MEDIUM, _FAST = 88, 132  # felt beats a minute


@once
def sources() -> dict[str, dict[str, Any]]:
    """The packages and what is known of them, from `sources.yaml`."""
    table: dict[str, dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("sources.yaml").read_text()
    )
    return table


@dataclass(frozen=True)
class Song:
    """A MIDI file of a package."""

    id: str
    package: str
    version: str
    path: str
    title: str | None


def songs(cache: Path) -> list[Song]:
    """Every MIDI file of the sources' packages, fetched into `cache`."""
    return [
        song
        for name, entry in sources().items()
        for song in _of(debian(name, cache), entry, cache / "lumps")
    ]


def _of(package: Package, entry: dict[str, Any], lumps: Path) -> Iterator[Song]:
    paths = sorted(package.root.glob(entry["files"])) if "files" in entry else []
    for wad in entry.get("wad", ()):
        paths += _unpack_music(package.root / wad, lumps)
    for path in paths:
        titles = entry.get("titles", {})
        title = titles.get(path.stem) if path.stem in titles else _title(path.stem)
        yield Song(
            f"{package.name}-{slug(path.stem)}", package.name, package.version, str(path), title
        )


def _title(stem: str) -> str | None:
    """The title that a file's name is, or None where it is a code."""
    words = re.sub(r"^\d+[-_ ]|\d$", "", stem).replace("-", " ").replace("_", " ").strip()
    if not re.fullmatch(r"[A-Za-z][a-z']+( [A-Za-z][a-z']*)+", words):
        return None
    return words if words[0].isupper() else words.title()


def _unpack_music(wad: Path, into: Path) -> list[Path]:
    """The archive's pieces of music as files of their own; the same music only once."""
    data = wad.read_bytes()
    _, count, table = struct.unpack_from("<4sii", data)
    into.mkdir(parents=True, exist_ok=True)
    seen: set[bytes] = set()
    paths = []
    for n in range(count):
        at, size, name = struct.unpack_from("<ii8s", data, table + 16 * n)
        music = data[at : at + size]
        if not name.startswith(b"D_") or music[:4] != b"MThd" or music in seen:
            continue
        seen.add(music)
        path = into / f"{wad.stem}-{name.rstrip(bytes(1)).decode('ascii', 'replace')}.mid"
        if not path.exists():
            aside = path.with_suffix(".part")
            aside.write_bytes(music)
            aside.rename(path)
        paths.append(path)
    return paths


@dataclass(frozen=True)
class Passage:
    """Events from 0 s, how long they last, and what the file and the making-over say of them."""

    events: list[Event]
    seconds: float
    facts: dict[str, Any]


def passage(song: Song, take: int, rng: random.Random) -> Passage:
    """The `take`-th excerpt of a song: every other one as it is, the rest made over.

    Made over: another tempo (within 15 %), another pitch, and other instruments for some parts.

    Raises:
        ClipError: unreadable, or too little music.
    """
    events, metas = read(Path(song.path))
    starts = sorted(at for at, m in events if m.type == "note_on" and m.velocity)
    if len(starts) < 40:
        raise ClipError(f"{Path(song.path).name}: hardly any notes")
    pace = rng.uniform(0.87, 1.15) if take % 2 else 1.0
    seconds = rng.uniform(SHORTEST, LONGEST)
    first, room = starts[0], starts[-1] + 1.0 - starts[0] - seconds * pace
    if room < 0:
        raise ClipError(f"{Path(song.path).name}: {starts[-1] - first:.0f} s of music")
    # Takes come from places all over the song, the first from its beginning.
    start = first + room * ((take * 0.381966) % 1.0)
    start = max((at for at in starts if at <= start + 0.01), default=first)
    excerpt = [(at / pace, m) for at, m in cut(events, start, seconds * pace)]
    shift, swapped = (rng.randint(-5, 5), True) if take % 2 else (0, False)
    if swapped:
        excerpt = _made_over(excerpt, shift, rng)
    onsets = len({round(at, 2) for at, m in excerpt if m.type == "note_on" and m.velocity})
    bpm = _tapped(_bpm(metas, start + seconds * pace / 2) * pace, onsets / seconds)
    key = estimate(_sounding(excerpt))
    beats = [m for at, m in metas if m.type == "time_signature" and at <= start + 1.0]
    return Passage(excerpt, seconds, {
        "bpm": round(bpm),
        "bpm_is_felt": any(m.type == "set_tempo" for _, m in metas),
        "pace": "slow" if bpm < _MEDIUM else "fast" if bpm >= _FAST else "medium",
        "metre": f"{beats[-1].numerator}/{beats[-1].denominator}" if beats else None,
        "tonic": key[0] if key else None,
        "mode": key[1] if key else None,
        "start": round(start, 2),
        "tempo_factor": round(pace, 3),
        "transposed": shift,
        "made_over": swapped,
    })  # fmt: skip


def _bpm(metas: Sequence[tuple[float, Any]], until: float) -> float:
    """The beats a minute in force."""
    bpm = 120.0
    for at, message in metas:
        if message.type == "set_tempo" and at <= until:
            bpm = 60e6 / message.tempo
    return bpm


def _tapped(bpm: float, onsets: float) -> float:
    """The tempo as one would tap it: 60 to 170, and no fast beat where little happens."""
    while bpm >= 170 or (bpm >= 140 and onsets < 6):
        bpm /= 2
    while bpm < 60:
        bpm *= 2
    return bpm


def _sounding(events: Sequence[Event]) -> dict[int, float]:
    """Seconds that each pitch sounds, without drums."""
    seconds: dict[int, float] = defaultdict(float)
    since: dict[tuple[int, int], float] = {}
    for at, message in events:
        if message.type not in ("note_on", "note_off") or message.channel == DRUMS:
            continue
        place = (message.channel, message.note)
        if place in since:
            seconds[message.note] += at - since.pop(place)
        if message.type == "note_on" and message.velocity:
            since[place] = at
    return seconds


def _made_over(events: Sequence[Event], shift: int, rng: random.Random) -> list[Event]:
    """Transposed, and with half of the sounds exchanged for others that can play the part."""
    others: dict[tuple[int, int], int] = {}
    found: list[Event] = []
    for at, message in events:
        if message.type == "program_change" and message.channel != DRUMS:
            part = (message.channel, message.program)
            if part not in others:
                swap = rng.random() < 0.5
                others[part] = swap_for(message.program, rng) if swap else message.program
            message = message.copy(program=others[part])
        elif message.type in ("note_on", "note_off") and message.channel != DRUMS:
            note = message.note + shift
            message = message.copy(note=note if 0 <= note <= 127 else message.note)
        found.append((at, message))
    return found
