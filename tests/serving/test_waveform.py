"""Bars follow the loudness of a track."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from muscall.errors import AudioError
from muscall.library.cache import Cache
from muscall.serving.waveform import BARS, waveform

RATE = 22_050


@pytest.mark.parametrize("seconds", [0.3, 7.0, 61.3])
def test_bars_are_loud_where_the_track_is(tmp_path: Path, seconds: float) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, round(seconds * RATE))
    noise[: len(noise) // 2] *= 0.25
    soundfile.write(tmp_path / "a.wav", 0.5 * noise, RATE)
    cache = Cache(tmp_path / "cache", 1 << 20)
    bars = waveform(tmp_path / "a.wav", "key", cache)
    assert bars.shape == (BARS,)
    assert bars.max() == 1
    edge = BARS // 8  # of short tracks neighbours share what is measured
    np.testing.assert_allclose(bars[: BARS // 2 - edge].mean(), 0.25, atol=0.06)
    np.testing.assert_allclose(bars[BARS // 2 + edge :].mean(), 1, atol=0.12)
    (tmp_path / "a.wav").unlink()
    np.testing.assert_array_equal(waveform(tmp_path / "a.wav", "key", cache), bars)


def test_bars_that_a_full_disk_cut_off_are_made_anew(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.ones(RATE) / 2, RATE)
    cache = Cache(tmp_path / "cache", 1 << 20)
    bars = waveform(tmp_path / "a.wav", "key", cache)
    for size in (0, 100):
        os.truncate(tmp_path / "cache" / "key.bars", size)
        np.testing.assert_array_equal(waveform(tmp_path / "a.wav", "key", cache), bars)


def test_silence_is_flat_and_a_broken_file_an_error(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    (tmp_path / "b.wav").write_bytes(b"no")
    cache = Cache(tmp_path / "cache", 1 << 20)
    assert not waveform(tmp_path / "a.wav", "a", cache).any()
    with pytest.raises(AudioError):
        waveform(tmp_path / "b.wav", "b", cache)
