"""Embedding tracks fast, and independently of what else is embedded."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Full, Queue
from typing import Literal, Protocol

import numpy as np
import soxr
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from muscall.audio import decode
from muscall.audio.inside import Sound
from muscall.audio.windows import centre_start, loop_to, stream_windows
from muscall.errors import AudioError
from muscall.models.audio import AudioEncoder
from muscall.models.precision import native_precision
from muscall.several import several

Windows = Literal["all", "centre"]


@dataclass(frozen=True)
class Segment:
    """A part of a file: `start` and `duration` in seconds, None for the rest of it."""

    path: Sound
    start: float = 0.0
    duration: float | None = None


AudioInput = str | Sound | Segment | tuple[np.ndarray, int]


def listed(inputs: AudioInput | Sequence[AudioInput]) -> list[AudioInput]:
    """`inputs` as a list. A single one, such as a pair of samples and rate, makes a list of one."""
    is_pair = isinstance(inputs, tuple) and isinstance(next(iter(inputs), None), np.ndarray)
    return several([inputs] if is_pair else inputs)


class AudioEmbedder:
    """Inference copy of the audio branch: (n, samples) windows to (n, dim), unit norm.

    Batch norms are folded into their convolutions, and the network runs channels-last. From the
    log-mel to the feature map it runs in `precision`, by default the one that the device is fastest
    with, bfloat16 or float32. Log-mel and pooling stay in float32. All chunks have the same shape,
    the last one is filled up with silence. So the other windows of a chunk cannot change an
    embedding.
    """

    def __init__(
        self, encoder: AudioEncoder, projection: nn.Module, *, precision: torch.dtype | None = None
    ) -> None:
        self.device = next(encoder.parameters()).device
        self.precision = precision or native_precision(self.device)
        self.encoder = _fused(encoder)
        self.encoder.backbone.to(self.precision)
        self.projection = copy.deepcopy(projection).requires_grad_(False)
        # Small chunks stay in the processor's caches. A GPU needs large ones to be busy.
        self.chunk = 8 if self.device.type == "cpu" else 64

    @torch.inference_mode()
    def __call__(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        """At most `chunk` windows, each (samples,) float32 -> (len(windows), dim) float32."""
        stacked = np.zeros((self.chunk, len(windows[0])), np.float32)
        for row, window in zip(stacked, windows, strict=False):
            row[:] = window
        waveform = torch.from_numpy(stacked).to(self.device)
        features = self.encoder(waveform, self.precision)
        embeddings = F.normalize(self.projection(features), dim=-1)
        return np.asarray(embeddings[: len(windows)].cpu().numpy())


def _fused(encoder: AudioEncoder) -> AudioEncoder:
    encoder = copy.deepcopy(encoder).eval().requires_grad_(False)
    for module in encoder.modules():
        for conv, norm in (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"), ("conv", "bn")):
            if hasattr(module, conv) and hasattr(module, norm):
                folded = fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm))
                folded.weight.data = folded.weight.contiguous(memory_format=torch.channels_last)
                setattr(module, conv, folded)
                setattr(module, norm, nn.Identity())
    return encoder


def track_windows(
    item: AudioInput, length: int, sample_rate: int, windows: Windows
) -> Iterator[np.ndarray]:
    """Windows of `length` samples over a track, or its central one; (length,) float32 each.

    Raises:
        AudioError: when the track cannot be used.
    """
    if isinstance(item, tuple):
        samples = _resampled(*item, sample_rate)
        if windows == "centre":
            first = max(0, (len(samples) - length) // 2)
            yield loop_to(samples[first : first + length], length)
        else:
            yield from stream_windows([samples], length)
        return
    if isinstance(item, str):
        item = Path(item)
    segment = item if isinstance(item, Segment) else Segment(item)
    start, duration = segment.start, segment.duration
    if windows == "centre":
        seconds = length / sample_rate
        if duration is None:
            duration = max(0.0, decode.probe(segment.path).duration - start)
        samples = decode.read(
            segment.path,
            start=start + centre_start(duration, seconds),
            duration=min(seconds, duration),
            sample_rate=sample_rate,
        )
        yield loop_to(samples, length)
    else:
        blocks = decode.stream(
            segment.path, start=start, duration=duration, sample_rate=sample_rate
        )
        yield from stream_windows(blocks, length)


def _resampled(samples: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    samples = np.asarray(samples, np.float32)
    if samples.ndim not in (1, 2) or not samples.size:
        raise AudioError("samples", f"shape {samples.shape}: expected (n,) or (channels, n), n > 0")
    if not np.isfinite(samples).all():
        raise AudioError("samples", "contain NaN or infinite values")
    if samples.ndim == 2:
        samples = samples.mean(axis=0)
    return np.asarray(soxr.resample(samples, rate, sample_rate), np.float32)


@dataclass(eq=False)
class TrackEmbedding:
    """The vectors of a track's windows so far, each (dim,) float32, unit norm."""

    vectors: list[np.ndarray] = field(default_factory=list)
    waiting: int = 0
    """How many further windows are in a chunk and have no vector yet."""

    def embedding(self) -> np.ndarray:
        """The embedding of the track, (dim,) float32: the normalised mean of its vectors."""
        total = np.asarray(np.sum(self.vectors, axis=0, dtype=np.float64))
        return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32)


class Embedder(Protocol):
    """An `AudioEmbedder`, or a proxy of one in another process."""

    @property
    def chunk(self) -> int:
        """How many windows go through the model at once."""

    def __call__(self, windows: Sequence[np.ndarray], /) -> np.ndarray:
        """At most `chunk` windows, each (samples,) float32 -> (len(windows), dim) float32."""


class StreamingEmbedder:
    """Takes windows of any tracks one by one, and runs the model on full chunks."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._chunk: list[tuple[TrackEmbedding, np.ndarray]] = []

    def add(self, track: TrackEmbedding, window: np.ndarray) -> None:
        """Take the next window (samples,) of `track`. Its vector follows when the chunk is full."""
        track.waiting += 1
        self._chunk.append((track, window))
        if len(self._chunk) == self._embedder.chunk:
            self.flush()

    def flush(self) -> None:
        """Compute the vectors of all windows taken so far."""
        if self._chunk:
            vectors = self._embedder([window for _, window in self._chunk])
            for (track, _), vector in zip(self._chunk, vectors, strict=True):
                track.vectors.append(vector)
                track.waiting -= 1
            self._chunk.clear()


@dataclass(eq=False)
class _Track(TrackEmbedding):
    """A track that is being decoded: its index, its next windows, and its error if any."""

    index: int = 0
    queue: Queue[np.ndarray | AudioError | None] = field(default_factory=lambda: Queue(maxsize=4))
    error: AudioError | None = None


def encode_each(
    embedder: AudioEmbedder,
    inputs: Sequence[AudioInput],
    *,
    length: int,
    sample_rate: int,
    windows: Windows = "all",
    threads: int | None = None,
) -> Generator[tuple[int, np.ndarray | AudioError], None, None]:
    """Embed tracks one after the other; decoding in threads overlaps with the model.

    Args:
        length: samples of a window at `sample_rate`.
        threads: number of decoding threads; None for as many as torch has, at most 8.

    Yields:
        (index, embedding (dim,) float32 with unit norm or the error), in order. The embedding of a
        track is the normalised mean of those of its windows.
    """
    threads = threads or min(8, torch.get_num_threads())
    stop = threading.Event()

    def produce(track: _Track, item: AudioInput) -> None:
        def put(value: np.ndarray | AudioError | None) -> None:
            while not stop.is_set():
                with contextlib.suppress(Full):
                    track.queue.put(value, timeout=0.1)
                    return

        try:
            for window in track_windows(item, length, sample_rate, windows):
                if stop.is_set():
                    return
                put(window)
            put(None)
        except AudioError as error:
            put(error)
        except Exception as error:  # otherwise the reader would wait for ever
            put(AudioError(_name(item), f"{type(error).__name__}: {error}"))

    streaming = StreamingEmbedder(embedder)
    finished: deque[_Track] = deque()

    def ready() -> Iterator[tuple[int, np.ndarray | AudioError]]:
        while finished and (finished[0].error or not finished[0].waiting):
            track = finished.popleft()
            yield track.index, track.error or track.embedding()

    upcoming = iter(enumerate(inputs))
    tracks: deque[_Track] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:

        def start_next() -> None:
            for index, item in upcoming:
                track = _Track(index=index)
                tracks.append(track)
                pool.submit(produce, track, item)
                return

        try:
            for _ in range(threads + 1):
                start_next()
            while tracks:
                track = tracks.popleft()
                while isinstance(window := track.queue.get(), np.ndarray):
                    streaming.add(track, window)
                    yield from ready()
                track.error = window
                finished.append(track)
                start_next()
                yield from ready()
            streaming.flush()
            yield from ready()
        finally:
            stop.set()


def _name(item: AudioInput) -> str | Sound:
    if isinstance(item, tuple):
        return "samples"
    return item.path if isinstance(item, Segment) else item
