"""Windows cover a track once, in order, whatever the blocks in which it came."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscall.audio.windows import (
    centre_start,
    in_blocks,
    loop_to,
    random_start,
    stream_windows,
)

TRACKS = st.tuples(st.integers(0, 500), st.lists(st.integers(0, 90), max_size=8))


def in_pieces(track: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    """`track` cut up at `cuts` (percent), in pieces of which some may be empty."""
    return np.split(track, sorted(len(track) * cut // 100 for cut in cuts))


@given(st.integers(1, 300), st.integers(1, 300))
def test_loop_to_repeats_or_cuts(count, length):
    samples = np.arange(count, dtype=np.float32)
    looped = loop_to(samples, length)
    assert looped.dtype == np.float32
    assert np.array_equal(looped, np.arange(length) % count)


def test_loop_to_has_nothing_to_repeat():
    with pytest.raises(ValueError, match="no samples"):
        loop_to(np.zeros(0, np.float32), 10)


@given(st.floats(0, 1e4), st.floats(0.1, 100), st.integers(0, 2**32))
def test_crops_lie_inside_the_track(duration, length, seed):
    rng = np.random.default_rng(seed)
    for start in (centre_start(duration, length), random_start(duration, length, rng)):
        assert start == 0 if duration <= length else 0 <= start <= duration - length


def test_the_central_crop_leaves_as_much_on_either_side():
    assert centre_start(100.0, 20.0) == 40.0


def test_random_crops_reach_the_whole_track_and_follow_the_seed():
    starts = [random_start(100.0, 20.0, np.random.default_rng(seed)) for seed in range(200)]
    assert min(starts) < 4
    assert max(starts) > 76
    assert starts == [random_start(100.0, 20.0, np.random.default_rng(seed)) for seed in range(200)]


@given(TRACKS, st.integers(1, 120))
def test_blocks_are_the_track(track, length):
    count, cuts = track
    samples = np.arange(count, dtype=np.float32)
    blocks = list(in_blocks(in_pieces(samples, cuts), length))
    assert np.array_equal(np.concatenate([samples[:0], *blocks]), samples)
    assert all(len(block) == length for block in blocks[:-1])
    assert all(0 < len(block) <= length for block in blocks)


@given(TRACKS, st.integers(1, 120))
def test_windows_cover_the_track_whatever_the_blocks(track, length):
    count, cuts = track
    samples = np.arange(count, dtype=np.float32)
    windows = list(stream_windows(in_pieces(samples, cuts), length))
    assert all(len(window) == length for window in windows)
    if not count:
        assert not windows
        return
    if count < length:
        assert np.array_equal(windows, [loop_to(samples, length)])
        return
    whole, tail = divmod(count, length)
    assert np.array_equal(np.concatenate(windows[:whole]), samples[: whole * length])
    expected = [samples[-length:]] if tail and tail >= length / 20 else []
    assert len(windows) == whole + len(expected)
    assert all(map(np.array_equal, windows[whole:], expected))


@pytest.mark.parametrize(("tail", "windows"), [(0, 1), (4, 1), (5, 2), (99, 2)])
def test_a_tail_under_a_twentieth_of_a_window_is_dropped(tail, windows):
    track = np.zeros(100 + tail, np.float32)
    assert len(list(stream_windows([track], 100))) == windows


def test_windows_of_a_long_track_do_not_fill_the_memory():
    length, block = 100_000, 30_000

    def blocks() -> Iterator[np.ndarray]:
        for _ in range(1000):
            yield np.ones(block, np.float32)

    tracemalloc.start()
    count = sum(1 for _ in stream_windows(blocks(), length))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 300
    assert peak < 4 * 4 * length
