"""What is measured of a sound."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest

from recipes.corpus import acoustics

TIME = np.arange(20 * 16000) / 16000
HELD = (0.1 * np.sin(2 * np.pi * 220 * TIME)).astype(np.float32)
BEATS = np.random.default_rng(0).standard_normal(len(TIME)) * np.exp(-30 * (TIME % 0.5))
BEATS = (0.5 * BEATS).astype(np.float32)


def test_measurements_rank_what_they_are_about() -> None:
    measure = acoustics.measure
    held, beaten, both = (measure(sound) for sound in (HELD, BEATS, HELD + BEATS))
    assert held.onsets < 0.5
    assert beaten.onsets == pytest.approx(2.0, abs=0.15)
    assert held.drums < both.drums < beaten.drums
    assert beaten.pulse > 0.8
    assert held.brightness < 500 < beaten.brightness
    assert held.level == pytest.approx(-23, abs=0.2)
    assert measure(HELD) == held


def test_level_swings_where_it_changes() -> None:
    measure = acoustics.measure
    rising = HELD * np.linspace(0.01, 1, len(HELD), dtype=np.float32)
    assert measure(HELD).swing < 0.1
    assert measure(rising).swing > 5


def test_silence_is_measured_too() -> None:
    measured = acoustics.measure(np.zeros(5 * 16000, np.float32))
    assert all(math.isfinite(value) for value in astuple(measured))
    assert measured.level == pytest.approx(-90)
