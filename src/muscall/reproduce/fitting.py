"""A power law through measured points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


@dataclass(frozen=True)
class PowerLaw:
    """y = factor * x ** exponent; the exponent with the ends of its 95 % interval."""

    factor: float
    exponent: float
    low: float
    high: float

    def __call__(self, x: ArrayLike) -> np.ndarray:
        return np.asarray(self.factor * np.asarray(x, float) ** self.exponent)


def power_law(x: ArrayLike, y: ArrayLike) -> PowerLaw | None:
    """Least squares between the logarithms; points that are not positive are left out.

    Returns:
        None for fewer than three points, or only one x.
    """
    at, values = np.asarray(x, float), np.asarray(y, float)
    kept = (at > 0) & (values > 0)
    at, values = np.log(at[kept]), np.log(values[kept])
    if len(at) < 3 or np.ptp(at) == 0:
        return None
    fit = stats.linregress(at, values)
    exponent = float(fit.slope)
    # Values that are all the same have a line through them, but to scipy no correlation.
    half = float(stats.t.ppf(0.975, len(at) - 2) * fit.stderr) if np.ptp(values) else 0.0
    return PowerLaw(float(np.exp(fit.intercept)), exponent, exponent - half, exponent + half)
