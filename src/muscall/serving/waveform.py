"""How loud a track is, from its beginning to its end."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from muscall.audio import decode
from muscall.library.cache import Cache

BARS = 200
_RATE = 16_000  # Hz
_PER_SECOND = 20  # of what is measured; bars of short tracks share some


def waveform(path: Path, key: str, cache: Cache) -> np.ndarray:
    """(BARS,) float32, 0..1: the loudness of equal parts of a sound file, the loudest at 1.

    Args:
        key: of its sound, under which `cache` keeps the bars.

    Raises:
        AudioError: the file cannot be decoded.
    """
    return cache.array(f"{key}.bars", (BARS,), lambda: _measure(path))


def _measure(path: Path) -> np.ndarray:
    step = _RATE // _PER_SECOND
    powers = []
    for block in decode.stream(path, sample_rate=_RATE):
        squares = np.pad(np.square(block), (0, -len(block) % step))
        powers.append(squares.reshape(-1, step).mean(axis=1))
    power = np.concatenate(powers)
    # Each bar is the mean over its part, of which the cumulated sum is read at both ends.
    total = np.concatenate([[0.0], np.cumsum(power, dtype=np.float64)])
    ends = np.interp(np.linspace(0, len(power), BARS + 1), np.arange(len(total)), total)
    loudness = np.sqrt(np.maximum(np.diff(ends), 0))
    return np.asarray(loudness / max(loudness.max(), 1e-9), np.float32)
