"""Cuts sound into the pieces that the model hears, and resamples it: mono float32 (n,)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# A whole window for less than this share of one would give a few samples the weight of thousands.
_SHORTEST_TAIL = 1 / 20


def loop_to(samples: Samples, length: int) -> Samples:
    """`samples` (n,) repeated, or cut, to exactly `length` samples.

    Raises:
        ValueError: there are no samples to repeat.
    """
    if not len(samples):
        raise ValueError("no samples to repeat")
    return samples[:length] if len(samples) >= length else np.resize(samples, length)


def centre_start(duration: float, length: float) -> float:
    """Where the central `length` seconds of `duration` seconds begin, in seconds >= 0."""
    return max(0.0, (duration - length) / 2)


def random_start(duration: float, length: float, rng: np.random.Generator) -> float:
    """A start, in seconds >= 0, drawn evenly among those where `length` seconds fit the track."""
    return rng.uniform(0.0, max(0.0, duration - length))


def in_blocks(pieces: Iterable[Samples], length: int) -> Iterator[Samples]:
    """The samples of `pieces` (..., n) again, in blocks of `length`; the last may be shorter."""
    held: list[Samples] = []
    count = 0
    for piece in pieces:
        held.append(piece)
        count += piece.shape[-1]
        if count >= length:
            joined = np.concatenate(held, axis=-1)
            whole = count - count % length
            for start in range(0, whole, length):
                yield joined[..., start : start + length]
            held, count = [joined[..., whole:]], count - whole
    if count:
        yield np.concatenate(held, axis=-1)


def after(count: int, blocks: Iterable[Samples]) -> Iterator[Samples]:
    """`blocks` (..., n) without their first `count` samples."""
    for block in blocks:
        if count < block.shape[-1]:
            yield block[..., count:]
        count = max(0, count - block.shape[-1])


def at_rate(blocks: Iterable[Samples], old: int, new: int) -> Iterator[Samples]:
    """Blocks (n,) at another sample rate."""
    if old == new:
        yield from blocks
        return
    resampler = soxr.ResampleStream(old, new, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.empty(0, np.float32), last=True)


def stream_windows(blocks: Iterable[Samples], length: int) -> Iterator[Samples]:
    """Consecutive windows (`length`,) over a whole track, holding about two of them in memory.

    The last window is aligned to the end of the track and so overlaps the one before it, unless
    what is left is under a twentieth of a window and dropped. A track shorter than one window is
    repeated to fill it; one without samples has no windows.
    """
    previous: Samples | None = None
    for block in in_blocks(blocks, length):
        if len(block) == length:
            yield block
            previous = block
        elif previous is None:
            yield loop_to(block, length)
        elif len(block) >= _SHORTEST_TAIL * length:
            yield np.concatenate([previous[len(block) :], block])
