"""Integrated loudness, block by block."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy import fft

from muscall.audio.windows import Samples

_STEPS = 6  # of 0.1 s that are filtered together


class Loudness:
    """Integrated loudness (ITU-R BS.1770-4) of one track.

    The mono mix counts as two channels, as loudspeakers play it. That is up to 3 dB less than the
    loudness of the file where its channels have nothing in common.
    """

    def __init__(self, rate: int) -> None:
        self._step = rate // 10
        self._response = _weighting(rate, _STEPS * self._step)
        self._held = np.zeros(self._step, np.float32)
        self._powers: list[np.ndarray] = []

    def add(self, samples: Samples) -> None:
        """Take the next samples (n,) float32 in [-1, 1], mono."""
        self._held = np.concatenate([self._held, samples])
        count = (len(self._held) // self._step - 1) // (_STEPS - 1)
        if count > 0:
            self._powers.append(self._filtered(self._held, count))
            self._held = self._held[count * (_STEPS - 1) * self._step :]

    def _filtered(self, samples: Samples, count: int) -> np.ndarray:
        """(n,) -> the power of each step of `count` pieces, but of the first step of each.

        That is the last one of the piece before: the filter forgets a sample within it (to 1e-9).
        """
        length = _STEPS * self._step
        pieces = np.lib.stride_tricks.sliding_window_view(samples, length)[:: length - self._step]
        heard = fft.irfft(fft.rfft(pieces[:count], axis=1) * self._response, axis=1)
        steps = np.square(heard[:, self._step :]).reshape(-1, self._step)
        return np.asarray(steps.mean(axis=1, dtype=np.float64))

    def integrated(self) -> float | None:
        """LUFS; None for what is silent or shorter than 0.4 s."""
        rest = np.pad(self._held, (0, _STEPS * self._step - len(self._held)))
        left = len(self._held) // self._step - 1
        steps = np.concatenate([*self._powers, self._filtered(rest, 1)[:left]])
        if len(steps) < 4:
            return None
        blocks = 2 * np.convolve(steps, np.full(4, 0.25), "valid")
        loud = blocks[blocks > _power(-70.0)]
        if not len(loud):
            return None
        loud = loud[loud > loud.mean() / 10]
        return float(-0.691 + 10 * np.log10(loud.mean()))


@cache
def _weighting(rate: int, length: int) -> np.ndarray:
    """(length // 2 + 1,) complex64: what the K-weighting makes of each frequency."""
    sections = (
        _shelf(rate, 1681.974450955533, 3.999843853973347, 0.7071752369554196),
        _high_pass(rate, 38.13547087602444, 0.5003270373238773),
    )
    parts = [fft.rfft(of[:3], length) / fft.rfft(of[3:], length) for of in sections]
    return np.asarray(parts[0] * parts[1], np.complex64)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


def _shelf(rate: int, frequency: float, gain: float, q: float) -> np.ndarray:
    k, high = math.tan(math.pi * frequency / rate), 10 ** (gain / 20)
    middle = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    b = (high + middle * k / q + k * k) / a0, 2 * (k * k - high) / a0
    a = 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0
    return np.array([*b, (high - middle * k / q + k * k) / a0, 1, *a])


def _high_pass(rate: int, frequency: float, q: float) -> np.ndarray:
    k = math.tan(math.pi * frequency / rate)
    a0 = 1 + k / q + k * k
    return np.array([1, -2, 1, 1, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0])
