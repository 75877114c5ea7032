"""How a sound is, by measurement: its onsets, percussion, pulse, level, swing and brightness."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from scipy.ndimage import median_filter
from scipy.signal import find_peaks

from muscall.audio.mel import LogMel
from muscall.audio.mel_config import MelConfig

MEL = MelConfig()
RATE = MEL.sample_rate
_FRAMES = RATE / MEL.hop  # a second
_CENTRES = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 130)[1:-1] / 2595) - 1)


@dataclass(frozen=True)
class Measured:
    """Of one sound.

    `onsets` a second; `drums`, the share of the energy that is percussive (median filtering,
    Fitzgerald, DAFx 2010); `pulse`, how well the onsets repeat at a beat of 50 to 180 a minute,
    in 0..1; `level`, dBFS RMS; `swing`, the standard deviation of the level over seconds, dB;
    `brightness`, the centroid in Hz.
    """

    onsets: float
    drums: float
    pulse: float
    level: float
    swing: float
    brightness: float


@cache
def _log_mel() -> LogMel:
    return LogMel(MEL)


def measure(sound: np.ndarray) -> Measured:
    """Measure samples (n,) float32, mono at RATE, of two seconds at least."""
    decibels = _log_mel()(torch.from_numpy(sound)[None])[0].numpy()
    rise = np.maximum(np.diff(decibels.clip(-60), axis=1), 0).mean(axis=0)
    rise /= rise.std() + 1e-9
    peaks, _ = find_peaks(rise, prominence=1.0, distance=round(0.08 * _FRAMES))

    flat = rise - rise.mean()
    likeness = np.correlate(flat, flat, "full")[len(flat) - 1 :]
    beats = slice(round(60 / 180 * _FRAMES), round(60 / 50 * _FRAMES) + 1)

    power = 10 ** (decibels / 10)
    steady, struck = median_filter(power, (1, 17)), median_filter(power, (17, 1))
    drums = power * struck**2 / (steady**2 + struck**2 + 1e-20)

    whole = sound[: len(sound) // RATE * RATE]
    levels = 10 * np.log10(np.square(whole.reshape(-1, RATE)).mean(axis=1) + 1e-9)
    return Measured(
        onsets=len(peaks) / (len(sound) / RATE),
        drums=float(drums.sum() / power.sum()),
        pulse=float(max(likeness[beats].max(), 0) / max(likeness[0], 1e-9)),
        level=float(10 * np.log10(np.square(sound).mean() + 1e-9)),
        swing=float(levels.std()),
        brightness=float((power.sum(axis=1) @ _CENTRES) / power.sum()),
    )
