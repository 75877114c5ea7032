"""The corpus's free MIDI: excerpts of files written here, and what is said of them."""

from __future__ import annotations

import ctypes.util
import itertools
import json
import random
import struct
from pathlib import Path
from typing import Any

import mido
import pytest

if ctypes.util.find_library("fluidsynth") is None:
    pytest.skip("needs Debian's libfluidsynth3", allow_module_level=True)

from recipes.corpus import events, free_midi, midi, packages, rows
from recipes.corpus.free_midi.songs import Song, _title, _unpack_music, passage, sources


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Ninety seconds at 120 bpm: a C major scale on a flute, then an oboe, over a kick drum."""
    song = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    song.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=500_000))
    track.append(mido.MetaMessage("time_signature", numerator=3, denominator=4))
    track.append(mido.Message("control_change", control=0, value=5))
    for beat in range(180):
        if beat in (0, 90):
            track.append(mido.Message("program_change", program=73 if beat == 0 else 68))
        note = 60 + (0, 4, 7, 12, 11, 7, 5, 2)[beat % 8]
        track.append(mido.Message("note_on", note=note, velocity=90))
        track.append(mido.Message("note_on", channel=9, note=36, velocity=90))
        track.append(mido.Message("note_off", note=note, time=470))
        track.append(mido.Message("note_off", channel=9, note=36, time=10))
    song.save(tmp_path / "song.mid")
    return tmp_path / "song.mid"


def _song(path: Path, title: str | None = None) -> Any:
    return Song("s", "openttd-openmsx", "1", str(path), title)


def test_an_excerpt_has_the_settings_in_force_and_ends_its_notes(path: Path) -> None:
    notes, _ = events.read(path)
    part = events.cut(notes, 50.25, 20.1)
    assert [m.program for at, m in part if m.type == "program_change"] == [68]
    assert all(0 <= at <= 20.1 for at, _ in part)
    held: set[tuple[int, int]] = set()
    for _, message in part:
        place = (getattr(message, "channel", 0), getattr(message, "note", -1))
        if message.type == "note_on":
            held.add(place)
        elif message.type == "note_off":
            held.remove(place)  # never one that did not begin here
    assert not held


def test_a_written_excerpt_reads_back(path: Path, tmp_path: Path) -> None:
    notes, _ = events.read(path)
    part = events.cut(notes, 0.0, 10.0)
    events.write(part, tmp_path / "part.mid")
    back, _ = events.read(tmp_path / "part.mid")
    assert [m.copy(time=0) for _, m in back] == [m.copy(time=0) for _, m in part]
    assert max(abs(a - b) for (a, _), (b, _) in zip(back, part, strict=True)) < 0.002


@pytest.mark.parametrize("take", [0, 1, 4, 5])
def test_a_passage_says_what_it_plays(path: Path, tmp_path: Path, take: int) -> None:
    heard = passage(_song(path), take, random.Random(take))
    assert 21.0 <= heard.seconds <= 26.0
    starts = [at for at, m in heard.events if m.type == "note_on" and m.channel == 0]
    beats = [b - a for a, b in itertools.pairwise(starts)]
    assert 60 / (sum(beats) / len(beats)) == pytest.approx(heard.facts["bpm"], abs=0.6)
    kicks = {m.note for _, m in heard.events if m.type == "note_on" and m.channel == 9}
    assert kicks == {36}  # drums are never transposed
    low = min(m.note for _, m in heard.events if m.type == "note_on" and m.channel == 0)
    assert low == 60 + heard.facts["transposed"]
    assert heard.facts["metre"] == "3/4"
    assert (heard.facts["tonic"], heard.facts["mode"]) == (
        ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"][
            heard.facts["transposed"] % 12
        ],
        "major",
    )
    if take % 2 == 0:
        assert not heard.facts["made_over"]
        assert heard.facts["bpm"] == 120
    events.write(heard.events, tmp_path / "part.mid")
    programs = midi.read_facts(tmp_path / "part.mid", heard.seconds)["programs"]
    assert programs
    assert take % 2 or set(programs) <= {73, 68}
    again = passage(_song(path), take, random.Random(take))
    assert again == heard


def test_bad_files_are_one_line(tmp_path: Path, path: Path) -> None:
    broken = tmp_path / "broken.mid"
    broken.write_bytes(path.read_bytes()[:40])
    with pytest.raises(rows.ClipError, match=r"^broken\.mid: "):
        passage(_song(broken), 0, random.Random(0))
    notes, _ = events.read(path)
    events.write(events.cut(notes, 0, 15.0), tmp_path / "short.mid")
    with pytest.raises(rows.ClipError, match=r"^short\.mid: \d+ s of music"):
        passage(_song(tmp_path / "short.mid"), 0, random.Random(4))


def test_music_comes_out_of_a_doom_archive_once(tmp_path: Path, path: Path) -> None:
    music = path.read_bytes()
    lumps = [(b"E1M1", b"map"), (b"D_E1M1", music), (b"D_E1M2", music), (b"D_NONE", b"MUS\x1a")]
    body, table = b"", b""
    for name, data in lumps:
        table += struct.pack("<ii8s", 12 + len(body), len(data), name)
        body += data
    wad = tmp_path / "game.wad"
    wad.write_bytes(struct.pack("<4sii", b"IWAD", len(lumps), 12 + len(body)) + body + table)
    (found,) = _unpack_music(wad, tmp_path / "lumps")
    assert found.name == "game-D_E1M1.mid"
    assert found.read_bytes() == music


@pytest.mark.parametrize(
    ("stem", "title"),
    [("07-Transport-chaos", "Transport chaos"), ("music003", None),
     ("keep_on_rolling", "Keep On Rolling"), ("freedoom1-D_E1M1", None), ("default", None)],
)  # fmt: skip
def test_titles_come_from_names_that_are_titles(stem: str, title: str | None) -> None:
    assert _title(stem) == title


def test_no_source_is_reserved_and_every_one_says_what_it_may() -> None:
    forbidden = packages.reserved() | packages.development()
    table = sources()
    assert not set(table) & forbidden
    assert all(entry["licence"] and entry["group"] and entry["genres"] for entry in table.values())


@pytest.mark.usefixtures("small_soundfonts")
def test_a_clip_is_heard_and_named(path: Path) -> None:
    song = _song(path, "Moo Moo Boogie")
    clip = free_midi._clip(song, 1, 1)
    take = free_midi.PART.render(clip)
    assert 20.0 <= len(take.samples) / take.rate <= 30.0
    assert (free_midi.PART.render(clip).samples == take.samples).all()
    words = free_midi.PART.describe(clip, json.loads(json.dumps(take.facts)))
    assert clip.group == "game/openttd"
    assert "author" in words.kinds
    assert any("Moo Moo Boogie" in text for text in words.captions)
    assert "drums" in " ".join(words.captions).lower()
