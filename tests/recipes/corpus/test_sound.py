"""The open corpus's sound: effects, the SoundFont player, and what is stored."""

from __future__ import annotations

import ctypes.util
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

if ctypes.util.find_library("fluidsynth") is None:
    pytest.skip("needs Debian's libfluidsynth3", allow_module_level=True)

from recipes.corpus import events
from recipes.corpus.sound import realism, store, synth

RATE = 16_000
EFFECTS = (
    "saturation", "equaliser", "compression", "room", "tape", "noise", "band", "limiter", "drift",
    "fade", "codec",
)  # fmt: skip


@pytest.fixture
def music() -> Any:
    """Six seconds that rise and fall, with a chord and noise in them."""
    seconds = np.arange(6 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * pitch * seconds) for pitch in (220.0, 277.2, 329.6, 2093.0))
    hiss = np.random.default_rng(0).standard_normal(len(seconds))
    beat = 0.55 + 0.45 * np.sin(2 * np.pi * 1.5 * seconds)
    return (0.08 * beat * (chord + 0.3 * hiss)).astype(np.float32)


def test_the_table_has_the_effects_tested_here() -> None:
    assert tuple(realism.EFFECTS) == EFFECTS


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_is_heard_repeats_and_keeps_its_length(music: Any, name: str) -> None:
    effect = realism.EFFECTS[name][1]
    for seed in range(4):
        made = effect(music, RATE, random.Random(seed))
        assert made.shape == music.shape
        assert made.dtype == np.float32
        assert np.isfinite(made).all()
        assert np.array_equal(made, effect(music, RATE, random.Random(seed)))
        changed = np.sqrt(np.mean((made - music) ** 2)) / np.sqrt(np.mean(music**2))
        assert changed > 1e-3
        # Still the same music: no effect turns the level over by more than 20 dB.
        assert 0.1 < np.sqrt(np.mean(made**2)) / np.sqrt(np.mean(music**2)) < 10


@pytest.mark.parametrize("name", EFFECTS)
def test_silence_stays_all_but_silent(name: str) -> None:
    silence = np.zeros(3 * RATE, np.float32)
    for seed in range(6):
        made = realism.EFFECTS[name][1](silence, RATE, random.Random(seed))
        assert np.isfinite(made).all()
        assert np.abs(made).max() < 1e-4


def test_leaving_an_effect_out_leaves_the_others_as_they_were(music: Any) -> None:
    for seed in range(30):
        _, whole = realism.apply(music[: RATE // 2], RATE, f"{seed}", EFFECTS)
        rest = set(EFFECTS) - {"room"}
        _, less = realism.apply(music[: RATE // 2], RATE, f"{seed}", rest)
        assert less == [name for name in whole if name != "room"]
    sound, chain = realism.apply(music, RATE, "1", ())
    assert chain == []
    assert np.array_equal(sound, music)


def test_a_room_rings_on_and_a_band_cuts() -> None:
    click = np.zeros(2 * RATE, np.float32)
    click[100] = 1.0
    rung = realism.room(click, RATE, random.Random(3))
    assert np.abs(rung[100 + RATE // 50 :]).max() > 1e-4

    hiss = np.random.default_rng(0).standard_normal(4 * RATE).astype(np.float32)
    cut = np.abs(np.fft.rfft(realism.band(hiss, RATE, random.Random(1)))) ** 2
    before = np.abs(np.fft.rfft(hiss)) ** 2
    pitch = np.fft.rfftfreq(len(hiss), 1 / RATE)
    assert cut[pitch > 7800].sum() < 0.3 * before[pitch > 7800].sum()
    assert cut[pitch < 15].sum() < 0.3 * before[pitch < 15].sum()


def test_stored_sound_is_mono_trimmed_levelled_and_reads_back(tmp_path: Path) -> None:
    import soundfile

    seconds = np.arange(26 * 32_000) / 32_000
    tone = np.sin(2 * np.pi * 330 * seconds).astype(np.float32) * (seconds > 1.0)
    mono = store.mono(np.stack([tone, 0.5 * tone], axis=1), 32_000)
    assert len(mono) == 26 * RATE
    shaped = store.level(store.trim(mono), -6.0, 0.8)
    assert len(shaped) == pytest.approx(25 * RATE, abs=200)
    assert 20 * np.log10(np.abs(shaped).max()) == pytest.approx(-6.0, abs=0.01)

    path = tmp_path / "clip.ogg"
    level = store.write_checked(shaped, path)
    back, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    assert len(back) == len(shaped)
    assert level["duration"] == pytest.approx(len(back) / RATE, abs=0.001)
    assert np.corrcoef(back, shaped)[0, 1] > 0.97
    assert np.abs(back[-50:]).max() < 0.02


@pytest.mark.parametrize(
    ("sound", "said"),
    [
        (np.zeros(30 * RATE, np.float32), "silent"),
        (np.ones(5 * RATE, np.float32), "only 5.0 s"),
    ],
)
def test_what_is_silent_or_short_is_refused(sound: Any, said: str) -> None:
    with pytest.raises(store.ClipError, match=said):
        store.trim(sound)


def test_what_falls_silent_is_refused(tmp_path: Path) -> None:
    sound = np.zeros(24 * RATE, np.float32)
    sound[: 12 * RATE] = 0.3 * np.sin(np.arange(12 * RATE) / 10)
    assert store.silence(sound) == pytest.approx(0.5)
    with pytest.raises(store.ClipError, match="silent for"):
        store.write_checked(sound, tmp_path / "half.ogg")
    assert not (tmp_path / "half.ogg").exists()


def test_samples_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(store.ClipError, match="not all of its samples are numbers"):
        store.mono(np.array([0.0, np.nan], np.float32), RATE)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Eight bars of a scale with drums."""
    import mido

    score = mido.MidiFile(ticks_per_beat=96)
    for channel, program in ((0, 73), (9, 0)):
        track = mido.MidiTrack()
        track.append(mido.Message("program_change", channel=channel, program=program))
        for step in range(32):
            note = 38 if channel == 9 else 60 + step % 12
            track.append(mido.Message("note_on", channel=channel, note=note, velocity=90))
            track.append(mido.Message("note_off", channel=channel, note=note, time=96))
        score.tracks.append(track)
    path = tmp_path / "song.mid"
    score.save(path)
    return path


def test_hands_move_notes_by_milliseconds_and_never_lose_one(song: Path) -> None:
    notes, _ = events.read(song)
    played = synth.humanise(notes, random.Random(1))
    assert [t for t, _ in played] == sorted(t for t, _ in played)
    assert played[0][0] >= 0

    def starts(some: Any) -> dict[tuple[int, int], list[float]]:
        found: dict[tuple[int, int], list[float]] = {}
        for seconds, m in some:
            if m.type == "note_on" and m.velocity:
                found.setdefault((m.channel, m.note), []).append(seconds)
        return found

    before, after = starts(notes), starts(played)
    moved = [
        abs(a - b) for place in before for a, b in zip(before[place], after[place], strict=True)
    ]
    assert 0.0005 < np.mean(moved) < 0.03
    assert len({m.velocity for _, m in played if m.type == "note_on"}) > 3


def test_the_same_seed_plays_the_same_samples(
    song: Path, small_soundfonts: tuple[str, ...]
) -> None:
    first, rate, told = synth.perform(song, random.Random(5), seconds=10.0)
    synth.perform(song, random.Random(6), seconds=10.0)
    again, _, _ = synth.perform(song, random.Random(5), seconds=10.0)
    other, _, _ = synth.perform(song, random.Random(7), seconds=10.0)
    assert rate == synth.RATE
    assert first.shape == (round(11.5 * rate), 2)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert {font["name"] for font in told["soundfonts"]} <= set(small_soundfonts)
    assert all(font["licence"] for font in told["soundfonts"])

    broken = song.with_name("broken.mid")
    broken.write_bytes(b"MThd nothing")
    with pytest.raises(synth.ClipError, match=r"broken\.mid: unreadable MIDI"):
        synth.perform(broken, random.Random(1), seconds=10.0)
