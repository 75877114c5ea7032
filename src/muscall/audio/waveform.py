"""How loud a track is, from its beginning to its end.

Nothing here imports torch: the processes that decode a library measure too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from muscall.audio import decode
from muscall.audio.windows import Samples

BARS = 200
_PER_SECOND = 20  # of what is measured; bars of short tracks share some


class Waveform:
    """Measures the loudness of one track, block by block.

    Args:
        sample_rate: of the samples, in Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._step = sample_rate // _PER_SECOND
        self._rest = np.empty(0, np.float32)
        self._powers: list[np.ndarray] = []

    def add(self, samples: Samples) -> None:
        """Take the next samples (n,) float32 in [-1, 1], mono."""
        held = np.concatenate([self._rest, samples])
        whole = len(held) // self._step * self._step
        self._rest = held[whole:]
        self._powers.append(np.square(held[:whole]).reshape(-1, self._step).mean(axis=1))

    def bars(self) -> bytes:
        """BARS bytes: the loudness of equal parts of the samples so far, the loudest at 255."""
        rest = np.square(self._rest).sum(keepdims=True) / self._step
        power = np.concatenate([*self._powers, rest] if len(self._rest) else self._powers)
        # Each bar is the mean over its part, of which the cumulated sum is read at both ends.
        total = np.concatenate([[0.0], np.cumsum(power, dtype=np.float64)])
        ends = np.interp(np.linspace(0, len(power), BARS + 1), np.arange(len(total)), total)
        loudness = np.sqrt(np.maximum(np.diff(ends), 0))
        shares = np.rint(255 * loudness / max(loudness.max(), 1e-9))
        return bytes(shares.astype(np.uint8))


def measure(path: Path, sample_rate: int) -> bytes:
    """The bars of a sound file, which is decoded for them.

    Raises:
        AudioError: it cannot be decoded.
    """
    waveform = Waveform(sample_rate)
    for block in decode.stream(path, sample_rate=sample_rate):
        waveform.add(block)
    return waveform.bars()
