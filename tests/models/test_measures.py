"""What is measured of a sound, whatever its level."""

import numpy as np
import pytest
import torch

from muscall.models.measures import Measures

RATE = 16000
TIME = torch.arange(12 * RATE) / RATE
HELD = 0.1 * torch.sin(2 * torch.pi * 220 * TIME)
BEATS = torch.from_numpy(np.random.default_rng(0).standard_normal(len(TIME))).float()
BEATS = 0.5 * BEATS * torch.exp(-30 * (TIME % 0.5))
ONSETS, PERCUSSION, PULSE, DYNAMICS, BRIGHTNESS = range(5)


def measured(*sounds: torch.Tensor) -> torch.Tensor:
    return Measures()(torch.stack(sounds))


def test_measurements_rank_what_they_are_about():
    held, beaten, both = measured(HELD, BEATS, HELD + BEATS)
    assert held[ONSETS] < 0.5
    assert beaten[ONSETS] == pytest.approx(2.0, abs=0.15)
    assert held[PERCUSSION] < both[PERCUSSION] < beaten[PERCUSSION]
    assert beaten[PULSE] > 0.8
    assert held[BRIGHTNESS].exp() < 500 < beaten[BRIGHTNESS].exp()


def test_dynamics_are_high_where_the_level_changes():
    rising = HELD * torch.linspace(0.01, 1, len(HELD))
    even, swelling = measured(HELD, rising)[:, DYNAMICS]
    assert even < -1
    assert swelling > 1.5


def test_the_level_of_a_recording_and_its_neighbours_in_a_batch_mean_nothing():
    sound = HELD + BEATS
    alone = measured(sound)
    torch.testing.assert_close(measured(0.2 * sound), alone, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(measured(HELD, sound, BEATS)[1:2], alone)


@pytest.mark.parametrize("seconds", [2, 3, 30])
def test_silence_of_any_length_is_finite(seconds):
    assert measured(torch.zeros(seconds * RATE)).isfinite().all()
