"""The key of some notes, where they leave little doubt."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

# How well each degree fits a key (Krumhansl and Kessler 1982, the probe-tone ratings).
_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
_PROFILES = np.stack(
    [np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)]
)
_SURE = 0.04  # what the best key's correlation must be ahead by
_FITS = 0.7


def estimate(seconds: Mapping[int, float]) -> tuple[str, str] | None:
    """The tonic and "major" or "minor" of notes given by how long each pitch class sounds.

    None where two keys fit almost as well, or none does.
    """
    heard: npt.NDArray[np.float64] = np.zeros(12)
    for pitch, length in seconds.items():
        heard[pitch % 12] += length
    if np.count_nonzero(heard) < 4:
        return None
    fit = np.corrcoef(np.vstack([heard, _PROFILES]))[0, 1:]
    best, second = np.argsort(fit)[:-3:-1]
    if fit[best] < _FITS or fit[best] - fit[second] < _SURE:
        return None
    return NAMES[best % 12], "major" if best < 12 else "minor"
