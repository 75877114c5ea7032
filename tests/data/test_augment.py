from __future__ import annotations

import pickle
import random
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscall.audio.windows import Samples
from muscall.data.augment import Augment, AugmentConfig, pitch_shift
from muscall.errors import ConfigError, MissingExtra

RATE = 16000
ALL = {"polarity": 1.0, "noise": 1.0, "gain": 1.0, "pitch_shift": 1.0}
NONE = dict.fromkeys(ALL, 0.0)


def only(**settings: object) -> Augment:
    return Augment(AugmentConfig.parse(NONE | settings), RATE)


def sine(frequency: float, seconds: float = 3.0, rate: int = RATE) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def noise(samples: int) -> Samples:
    return 0.1 * np.random.default_rng(1).standard_normal(samples).astype(np.float32)


def decibels(samples: Samples) -> float:
    return float(10 * np.log10(np.square(samples, dtype=np.float64).mean()))


def peak(samples: Samples, rate: int = RATE) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), n=1 << 19))
    return float(spectrum.argmax() * rate / (1 << 19))


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"noise": 1.1}, "noise"),
        ({"polarity": -0.1}, "polarity"),
        ({"gain": float("nan")}, "gain"),
        ({"semitones": [3, -3]}, "semitones"),
        ({"semitones": [-13, 0]}, "semitones"),
        ({"noise_snr_db": [0, float("inf")]}, "noise_snr_db"),
        ({"gain_db": [1]}, "gain_db"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=f"settings: {name}"):
        AugmentConfig.parse(settings)


def test_the_seed_alone_decides() -> None:
    samples = noise(RATE)
    augment = Augment(AugmentConfig.parse(ALL), RATE)
    first = [augment(samples, seed) for seed in range(4)]
    assert all(not np.array_equal(first[0], other) for other in first[1:])
    copy = pickle.loads(pickle.dumps(augment))
    for seed in (3, 0, 2**32 - 1, 2, 1):
        random.random(), np.random.normal()
        again, copied = augment(samples, seed), copy(samples.copy(), seed)
        np.testing.assert_array_equal(again, copied)
        if seed < 4:
            np.testing.assert_array_equal(again, first[seed])


def test_the_place_in_memory_does_not_matter() -> None:
    augment = Augment(AugmentConfig.parse(ALL), RATE)
    samples = noise(5001)
    expected = augment(samples, 0)
    for offset in range(1, 9):
        moved = np.concatenate([np.zeros(offset, np.float32), samples])[offset:]
        np.testing.assert_array_equal(augment(moved, 0), expected)


def test_the_callers_generators_and_samples_are_left_alone() -> None:
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    samples = noise(RATE)
    before = samples.copy()
    Augment(AugmentConfig.parse(ALL), RATE)(samples, 1)
    assert (random.random(), np.random.random()) == expected
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize("level", [0.0, 1e-30, 1e-4, 1e4])
@pytest.mark.parametrize("length", [1, 2, 777, RATE, 2 * RATE + 1])
def test_length_and_type_stay_and_all_is_finite(level: float, length: int) -> None:
    augment = Augment(AugmentConfig.parse(ALL), RATE)
    changed = augment((10 * level * noise(length)).astype(np.float32), 0)
    assert (changed.shape, changed.dtype) == ((length,), np.float32)
    assert np.isfinite(changed).all()


def test_without_probability_nothing_changes() -> None:
    np.testing.assert_array_equal(only()(noise(RATE), 0), noise(RATE))


def test_polarity_turns_the_wave_over() -> None:
    np.testing.assert_array_equal(only(polarity=1.0)(noise(RATE), 0), -noise(RATE))


def test_probabilities_are_kept() -> None:
    augment = only(polarity=0.8)
    turned = sum(bool(augment(np.ones(1, np.float32), seed)[0] < 0) for seed in range(500))
    assert turned == pytest.approx(400, abs=40)


def test_gain_lies_between_its_bounds() -> None:
    augment = only(gain=1.0, gain_db=[-7.0, -3.0])
    gains = [decibels(augment(noise(RATE), seed)) - decibels(noise(RATE)) for seed in range(60)]
    assert -7.01 < min(gains) < -6.5
    assert -3.5 < max(gains) < -2.99


def test_noise_lies_between_its_bounds() -> None:
    augment = only(noise=1.0, noise_snr_db=[10.0, 14.0])
    clean = sine(440)
    ratios = [decibels(clean) - decibels(augment(clean, seed) - clean) for seed in range(60)]
    assert 9.9 < min(ratios) < 10.5
    assert 13.5 < max(ratios) < 14.1


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100])
@pytest.mark.parametrize("semitones", [-12.0, -4.0, -1.3, 0.0, 3.0, 4.0, 12.0])
def test_a_sine_moves_to_its_new_pitch_and_keeps_its_level(rate: int, semitones: float) -> None:
    before = sine(440, rate=rate)
    after = pitch_shift(before, rate, semitones)
    assert peak(after, rate) == pytest.approx(440 * 2 ** (semitones / 12), rel=1e-3)
    assert decibels(after) == pytest.approx(decibels(before), abs=0.2)


def test_what_rises_above_half_the_sample_rate_is_gone() -> None:
    assert decibels(pitch_shift(sine(7500), RATE, 4.0)) < decibels(sine(7500)) - 40


@pytest.mark.parametrize("semitones", [-4.0, 3.0])
def test_a_chord_moves_and_keeps_its_level(semitones: float) -> None:
    before = sum(sine(frequency) for frequency in (110.0, 277.2, 659.3, 1480.0))
    after = pitch_shift(before, RATE, semitones)
    assert decibels(after) == pytest.approx(decibels(before), abs=1.0)
    spectrum = np.abs(np.fft.rfft(after * np.hanning(len(after)))) ** 2
    frequencies = np.fft.rfftfreq(len(after), 1 / RATE)
    moved = np.array([110.0, 277.2, 659.3, 1480.0]) * 2 ** (semitones / 12)
    near = np.abs(frequencies[:, None] - moved) < 0.03 * moved
    assert spectrum[near.any(axis=1)].sum() > 0.95 * spectrum.sum()


@pytest.mark.parametrize("semitones", [-4.0, -1.0, 2.5, 4.0])
def test_the_tempo_stays(semitones: float) -> None:
    beats = np.arange(0.5, 9.5, 0.5)
    samples = np.zeros(10 * RATE, np.float32)
    for beat in beats:
        first = round(beat * RATE)
        samples[first : first + 400] = noise(400)
    after = np.abs(pitch_shift(samples, RATE, semitones))
    for beat in beats:
        first = round((beat - 0.25) * RATE)
        around = after[first : first + RATE // 2]
        centre = (around * np.arange(len(around))).sum() / around.sum() / RATE - 0.25
        assert centre == pytest.approx(0.0125, abs=0.02)


@settings(deadline=None, max_examples=50)
@given(
    length=st.integers(1, 5000),
    rate=st.integers(1000, 48000),
    semitones=st.floats(-12, 12),
)
def test_any_length_and_rate_can_be_shifted(length: int, rate: int, semitones: float) -> None:
    shifted = pitch_shift(noise(length), rate, semitones)
    assert (shifted.shape, shifted.dtype) == ((length,), np.float32)
    assert np.isfinite(shifted).all()
    assert np.abs(shifted).max() < 2


def test_without_audiomentations_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "audiomentations", None)
    with pytest.raises(MissingExtra, match=r'pip install "muscall\[train\]"'):
        Augment(AugmentConfig(), RATE)
