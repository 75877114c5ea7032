"""On a map, what sounds alike lies close together, and stays where it is."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from muscall.library.cache import Cache
from muscall.serving import map as maps
from muscall.serving.map import Map, together


def clusters(count: int, seed: int = 0) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Keys, vectors (count, 32) of unit norm around five centres, and whose each is."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(9).normal(size=(5, 32))
    whose = generator.integers(5, size=count)
    vectors = centres[whose] + 0.15 * generator.normal(size=(count, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    keys = sorted(f"{generator.integers(16**8):08x}{seed:032x}" for _ in range(count))
    return keys, vectors.astype(np.float32), whose


def apart(places: np.ndarray, whose: np.ndarray, others: np.ndarray, theirs: np.ndarray) -> float:
    """Share of `places` whose nearest of `others` is of the same cluster."""
    distances = np.linalg.norm(places[:, None] - others[None], axis=2)
    distances[distances == 0] = np.inf
    return float((theirs[distances.argmin(axis=1)] == whose).mean())


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path, 1 << 20)


def test_what_sounds_alike_lies_together(cache: Cache) -> None:
    keys, vectors, whose = clusters(150)
    chart = Map(cache)
    places = chart.lay_out(keys, vectors)
    assert places.shape == (150, 2)
    assert places.min() == 0
    assert places.max() == 1
    assert apart(places, whose, places, whose) > 0.95
    _, new, theirs = clusters(40, seed=1)
    put = chart.place(new)
    assert put.min() >= 0
    assert put.max() <= 1
    assert apart(put, theirs, places, whose) > 0.95


def test_it_stays_while_the_library_is_much_the_same(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "_LANDMARKS", 100)
    keys, vectors, whose = clusters(150)
    chart = Map(cache)
    before = chart.lay_out(keys, vectors)
    assert apart(before[100:], whose[100:], before[:100], whose[:100]) > 0.95
    # The same after a restart, and not computed again.
    monkeypatch.setattr(maps, "_lay_out", None)
    np.testing.assert_array_equal(Map(cache).lay_out(keys, vectors), before)
    fewer = np.arange(0, 150, 10)
    kept = np.setdiff1d(np.arange(150), fewer)
    after = chart.lay_out([keys[row] for row in kept], vectors[kept])
    np.testing.assert_allclose(after, before[kept], atol=1e-6)
    monkeypatch.undo()
    other, new, _ = clusters(150, seed=2)
    assert len(Map(cache).lay_out(other, new)) == 150


def test_a_layout_that_a_full_disk_cut_off_is_made_anew(cache: Cache, tmp_path: Path) -> None:
    keys, vectors, _ = clusters(12)
    places = Map(cache).lay_out(keys, vectors)
    (kept,) = tmp_path.iterdir()
    for size in (0, 40):
        os.truncate(kept, size)
        np.testing.assert_array_equal(Map(cache).lay_out(keys, vectors), places)


@pytest.mark.parametrize("count", [1, 2, 3, 9, 10, 11])
def test_small_libraries_have_a_map_too(cache: Cache, count: int) -> None:
    keys, vectors, _ = clusters(count)
    chart = Map(cache)
    places = chart.lay_out(keys, vectors)
    assert places.shape == (count, 2)
    assert ((places >= 0) & (places <= 1)).all()
    assert chart.place(vectors[:1]).shape == (1, 2)


def test_groups_are_what_lies_together(cache: Cache) -> None:
    keys, vectors, whose = clusters(400)
    groups = together(Map(cache).lay_out(keys, vectors))
    assert sorted(np.concatenate(groups).tolist()) == list(range(400))
    assert 5 <= len(groups) <= 12
    purity = sum(np.bincount(whose[rows]).max() for rows in groups) / 400
    assert purity > 0.9
    assert len(together(np.random.default_rng(0).random((2, 2)))) == 2
