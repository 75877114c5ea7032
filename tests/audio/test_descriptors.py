"""Tempo, key and loudness."""

from __future__ import annotations

import math

import numpy as np
import pytest

from muscall.audio.descriptors import KEYS, Descriptors, Meter

RATE = 16000


def measured(samples: np.ndarray, rate: int = RATE, block: int | None = None) -> Descriptors:
    meter = Meter(rate)
    block = block or max(1, len(samples))
    for start in range(0, len(samples), block):
        meter.add(samples[start : start + block].astype(np.float32))
    return meter.descriptors()


def beats(bpm: float, seconds: float = 30.0, rate: int = RATE) -> np.ndarray:
    """Drums: a low stroke on the beat, a bright one on the off-beat."""
    sound = np.zeros(round(seconds * rate))
    rng = np.random.default_rng(0)
    stroke = np.arange(round(0.1 * rate)) / rate
    low = np.sin(2 * np.pi * 80 * stroke) * np.exp(-stroke * 40)
    bright = 0.2 * rng.standard_normal(len(stroke)) * np.exp(-stroke * 80)
    for beat in np.arange(0, seconds - 0.5, 60 / bpm):
        for shape, late in ((low, 0.0), (bright, 30 / bpm)):
            start = round((beat + late) * rate)
            sound[start : start + len(shape)] += shape[: len(sound) - start]
    return 0.5 * sound


def chords(tonic: int, mode: str, rate: int = RATE) -> np.ndarray:
    """Tonic, subdominant, dominant, tonic, with their roots in the bass."""
    third = 4 if mode == "major" else 3
    time = np.arange(2 * rate) / rate
    sound = []
    for root, its_third in ((0, third), (5, third), (7, 4), (0, third)):
        pitches = [36 + root, *(60 + root + step for step in (0, its_third, 7))]
        tones = [
            np.sin(2 * np.pi * 440 * 2 ** ((tonic + p - 69) / 12) * overtone * time) / overtone
            for p in pitches
            for overtone in (1, 2, 3, 4)
        ]
        sound.append(np.sum(tones, axis=0) * np.exp(-time))
    return 0.05 * np.tile(np.concatenate(sound), 3)


@pytest.mark.parametrize("bpm", [64, 80, 97, 120, 133, 150, 174])
def test_the_tempo_is_that_of_the_drums_up_to_an_octave(bpm: float) -> None:
    tempo = measured(beats(bpm)).tempo
    assert tempo is not None
    octaves = math.log2(tempo / bpm)
    assert round(octaves) in (-1, 0, 1)
    assert abs(2 ** (octaves - round(octaves)) - 1) < 0.03


@pytest.mark.parametrize("mode", ["major", "minor"])
def test_the_key_is_that_of_the_chords_in_every_transposition(mode: str) -> None:
    told = [measured(chords(tonic, mode)).key for tonic in range(12)]
    assert told == [f"{name} {mode}" for name in KEYS]


def test_blocks_and_the_level_change_nothing_but_the_loudness() -> None:
    sound = beats(120)
    sound[: 24 * RATE] += chords(3, "minor")
    whole = measured(sound)
    assert measured(sound, block=777) == whole
    quieter = measured(0.5 * sound)
    assert (quieter.tempo, quieter.key) == (whole.tempo, whole.key)
    assert whole.loudness is not None
    assert quieter.loudness == pytest.approx(whole.loudness - 6.02, abs=0.06)


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_the_rate_changes_nothing(rate: int) -> None:
    assert measured(chords(5, "major", rate), rate).key == "F major"
    tempo = measured(beats(120, rate=rate), rate).tempo
    assert tempo == pytest.approx(measured(beats(120)).tempo, rel=0.02)


@pytest.mark.parametrize("rate", [16000, 48000])
def test_the_loudness_is_that_of_the_standard(rate: int) -> None:
    # ITU-R BS.1770: a full-scale sine of 997 Hz in one channel is at -3.01 LUFS, in two at 0.
    tone = np.sin(2 * np.pi * 997 * np.arange(10 * rate) / rate)
    for level in (0, -23, -40):
        told = measured(10 ** (level / 20) * tone, rate).loudness
        assert told == pytest.approx(level, abs=0.15)
    # What is silent for most of the time is as loud as what is heard of it.
    told = measured(np.concatenate([0.1 * tone, 0 * tone, 0 * tone]), rate).loudness
    assert told == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize("seconds", [0, 0.00007, 0.2, 1.0, 4.9, 30.0])
def test_silence_says_nothing(seconds: float) -> None:
    assert measured(np.zeros(round(seconds * RATE))) == Descriptors()


@pytest.mark.parametrize("seconds", [0.2, 3.0, 5.1, 21.0])
def test_any_length_and_any_sound_gives_numbers_or_nothing(seconds: float) -> None:
    count = round(seconds * RATE)
    impulse = np.zeros(count)
    impulse[count // 2] = 1
    for sound in (np.random.default_rng(0).normal(size=count), np.full(count, 0.7), impulse):
        told = measured(sound)
        for value in (told.tempo, told.loudness):
            assert value is None or math.isfinite(value)
