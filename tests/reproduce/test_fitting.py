"""The power law."""

import numpy as np
import pytest

from muscall.reproduce.fitting import power_law


def test_a_power_law_is_found_with_its_interval() -> None:
    pairs = np.array([100, 200, 400, 800, 1600])
    exact = power_law(pairs, 2 * pairs**0.3)
    assert exact is not None
    assert (exact.factor, exact.exponent) == pytest.approx((2, 0.3))
    assert exact([1, 100]) == pytest.approx([2, 2 * 100**0.3])
    generator = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        noisy = power_law(pairs, 2 * pairs**0.3 * np.exp(generator.normal(0, 0.1, 5)))
        assert noisy is not None
        inside += noisy.low <= 0.3 <= noisy.high
    assert 180 <= inside <= 199


def test_values_that_are_all_the_same_do_not_grow() -> None:
    flat = power_law([100, 200, 400], [3.1, 3.1, 3.1])
    assert flat is not None
    assert (flat.factor, flat.exponent) == pytest.approx((3.1, 0))
    assert (flat.low, flat.high) == pytest.approx((0, 0))


def test_there_is_no_law_through_two_points() -> None:
    assert power_law([100, 200], [1, 2]) is None
    assert power_law([100, 200, 400], [1, 0, 2]) is None
