"""Bars follow the loudness of a track."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from muscall.audio.waveform import BARS, Waveform, measure
from muscall.errors import AudioError

RATE = 22_050


@pytest.mark.parametrize("seconds", [0.3, 7.0, 61.3])
def test_bars_are_loud_where_the_track_is(tmp_path: Path, seconds: float) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, round(seconds * RATE))
    noise[: len(noise) // 2] *= 0.25
    soundfile.write(tmp_path / "a.wav", 0.5 * noise, RATE)
    bars = np.frombuffer(measure(tmp_path / "a.wav", 16_000), np.uint8) / 255
    assert bars.shape == (BARS,)
    assert bars.max() == 1
    edge = BARS // 8  # of short tracks neighbours share what is measured
    np.testing.assert_allclose(bars[: BARS // 2 - edge].mean(), 0.25, atol=0.06)
    np.testing.assert_allclose(bars[BARS // 2 + edge :].mean(), 1, atol=0.12)


def test_blocks_of_any_length_give_the_same_bars() -> None:
    noise = np.random.default_rng(0).normal(size=3 * RATE).astype(np.float32)
    whole, parts = Waveform(RATE), Waveform(RATE)
    whole.add(noise)
    for part in np.split(noise, [1, 500, 1102, 40_000]):
        parts.add(part)
    assert parts.bars() == whole.bars()


def test_silence_is_flat_and_a_broken_file_an_error(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    (tmp_path / "b.wav").write_bytes(b"no")
    assert measure(tmp_path / "a.wav", RATE) == bytes(BARS)
    with pytest.raises(AudioError):
        measure(tmp_path / "b.wav", RATE)
