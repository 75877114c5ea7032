"""FFmpeg (in PyAV) and libsndfile behind one face: an open file as mono float32 from any sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from io import FileIO
from itertools import chain, groupby
from typing import Any, Protocol

import av
import numpy as np
import soundfile
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from muscall.audio.inside import Part
from muscall.audio.windows import Samples, after, at_rate, in_blocks

# What both libraries raise, beside their own errors, on damaged files.
FAILURES = (av.FFmpegError, soundfile.SoundFileError, OSError, ValueError, TypeError, MemoryError)

_PIECE = 1 << 14  # samples decoded at a time
# Hz, up to DSD512, which FFmpeg gives at an eighth of its rate; a damaged header outside these
# would fill the memory.
_RATES = range(1_000, 3_072_001)
_CANCELLED = 0.02  # share of the channels' power below which their mean is no mix of them

# Containers, and the codecs in them, whose time stamps tell the very sample that a packet begins
# with (measured: a decoder that sought equals one that did not). Matroska and ASF count in
# milliseconds, others are searched by trial: there, decoding starts at the beginning of the file.
_SEEKABLE = {
    "aac": ("aac",),
    "aiff": ("pcm_",),
    "au": ("pcm_",),
    "caf": ("pcm_",),
    "flac": ("flac",),
    "mov,mp4,m4a,3gp,3g2,mj2": ("aac", "alac", "pcm_"),
    "mp3": ("mp3",),
    "ogg": ("opus", "vorbis"),
    "tta": ("tta",),
    "w64": ("pcm_",),
    "wav": ("pcm_", "mp3"),
    "wv": ("wavpack",),
}
_UNKNOWN = 2**62  # samples; libsndfile states more where it found no end, as in chained Ogg
# By FFmpeg, from the bit rate, or with the bytes that fill up the last block.
_LENGTH_GUESSED = frozenset({"aac", "ac3", "dsf", "eac3", "mp3"})

# FFmpeg's names of sample formats: the type of a sample and the value of full scale.
_FORMATS: dict[str, tuple[type[np.number[Any]], float]] = {
    "u8": (np.uint8, 2.0**7),
    "s16": (np.int16, 2.0**15),
    "s32": (np.int32, 2.0**31),
    "s64": (np.int64, 2.0**63),
    "flt": (np.float32, 1.0),
    "dbl": (np.float64, 1.0),
}


class Decoder(Protocol):
    """An open sound file. Where it cannot be decoded, all of this raises one of `FAILURES`."""

    sample_rate: int
    channels: int
    duration: float | None  # seconds, as the file states them; None where it does not

    def measure(self) -> float:
        """The length in seconds, from the packets where the file does not state it."""

    def blocks(self, first: int) -> Iterator[Samples]:
        """The channels mixed to one from sample `first` on, once, in pieces (n,) of any length."""

    def close(self) -> None:
        """Let go of what the library holds; the file itself stays open."""


def open_stream(file: FileIO) -> tuple[InputContainer, AudioStream]:
    """A file opened by FFmpeg and its first audio stream. The caller closes the container.

    Raises:
        What is in `FAILURES`, where there is none.
    """
    file.seek(0)
    # By number: names may be no text, and PyAV prints tracebacks of what fails in Python files.
    # Nothing else may be opened: a playlist could name any other file or address.
    options = {"fd": str(file.fileno()), "protocol_whitelist": "fd,subfile"}
    address = "fd:"
    if isinstance(file, Part):
        address = f"subfile,,start,{file.start},end,{file.start + file.size},,:fd:"
    container = av.open(address, "r", metadata_errors="surrogateescape", options=options)
    streams = container.streams.audio
    if not streams or streams[0].codec_context is None:
        container.close()
        raise ValueError("no decoder for its sound" if streams else "no audio stream")
    return container, streams[0]


def codec_of(file: FileIO) -> str:
    """FFmpeg's name of what is in a file, whatever its container says; empty for no sound."""
    try:
        container, stream = open_stream(file)
    except FAILURES:
        return ""
    with closing(container):
        return stream.codec_context.codec.canonical_name


class Ffmpeg:
    """A file decoded by FFmpeg, which skips up to `patience` damaged packets in a row, then fails.

    With any patience it never seeks, so it needs no index and no time stamps.
    """

    def __init__(self, file: FileIO, *, patience: int = 0) -> None:
        self._container, self._stream = open_stream(file)
        self._patience = patience
        self._frames = self._decoded()
        head = next(self._frames, None)
        if head is None:
            raise ValueError("contains no samples")
        self._head = head
        # The rate of a frame, not of the container: HE-AAC sounds at twice what is stated there.
        self.sample_rate = _plausible(head.sample_rate)
        self.channels = head.layout.nb_channels
        self.duration = self._stated_duration()

    def _stated_duration(self) -> float | None:
        stream = self._stream
        # An MP3 that starts after 0 has a header that states its delay and its length.
        if self._container.format.name in _LENGTH_GUESSED and not stream.start_time:
            return None
        if stream.duration is not None:
            return self._seconds(stream.duration)
        return self._container.duration and self._container.duration / av.time_base

    def measure(self) -> float:
        if self.duration is not None:
            return self.duration
        origin = self._head.pts or 0
        end = self._head.samples / self.sample_rate
        for packet in self._container.demux(self._stream):
            if packet.pts is not None:
                end = max(end, self._seconds(packet.pts + (packet.duration or 0) - origin))
        return end

    def blocks(self, first: int) -> Iterator[Samples]:
        frames, position = self._seek(first - first % _PIECE)
        early = -position % _PIECE  # so that the same samples are mixed together as from 0 on
        return after(first - position - early, self._mono(frames, early, sought=position > 0))

    def _mono(self, frames: Iterator[AudioFrame], early: int, *, sought: bool) -> Iterator[Samples]:
        def kind(frame: AudioFrame) -> tuple[int, int]:
            return frame.sample_rate, frame.layout.nb_channels

        # Joined files may change their rate or their channels on the way.
        for number, ((rate, _), alike) in enumerate(groupby(frames, kind)):
            if sought and number:  # counted from the beginning alone are places sure then
                raise ValueError(f"the sample rate changes to {rate} Hz")
            channels = in_blocks(after(early, map(_channels, alike)), _PIECE)
            yield from at_rate(map(_mix, channels), _plausible(rate), self.sample_rate)
            early = 0

    def close(self) -> None:
        self._container.close()

    def _seek(self, first: int) -> tuple[Iterator[AudioFrame], int]:
        """Frames from sample `first` or from a little before it, and where they begin."""
        codecs = _SEEKABLE.get(self._container.format.name, ())
        exact = codecs and self._stream.codec_context.name.startswith(codecs)
        if self._patience or not exact or first < self._head.samples or self._head.pts is None:
            return chain([self._head], self._frames), 0
        origin = self._seconds(self._head.pts)
        goal = (origin + first / self.sample_rate) / self._seconds(1)
        self._container.seek(int(goal), stream=self._stream)
        frames = self._decoded()
        head = next(frames, None)
        if head is None:
            return iter(()), first
        if head.pts is None:
            raise ValueError("no time stamps")
        if head.sample_rate != self.sample_rate:
            raise ValueError(f"the sample rate changes to {head.sample_rate} Hz")
        position = round((self._seconds(head.pts) - origin) * self.sample_rate)
        if position > first:
            raise ValueError("no way to seek")
        return chain([head], frames), position

    def _decoded(self) -> Iterator[AudioFrame]:
        damaged = 0
        for packet in self._container.demux(self._stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                damaged += 1
                if damaged > self._patience:
                    raise
                continue
            damaged = 0
            for frame in frames:
                assert isinstance(frame, AudioFrame)
                yield frame

    def _seconds(self, ticks: int) -> float:
        """A time or duration that is counted as those of the stream."""
        if self._stream.time_base is None:
            raise ValueError("no time base")
        return float(ticks * self._stream.time_base)


class Sndfile:
    """A file decoded by libsndfile. Not MP3: it guesses the length, often far too short, and stops
    there, and its mpg123 writes to the terminal."""

    def __init__(self, file: FileIO) -> None:
        file.seek(0)
        head = file.read(3)
        if head == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0"):
            raise ValueError  # not asked about MP3, so there is nothing to say
        file.seek(0)
        # By number where that is the file: libsndfile would read on behind a part.
        source = file if isinstance(file, Part) else file.fileno()
        self._sound = soundfile.SoundFile(source, closefd=False)
        if not self._sound.frames:
            raise ValueError("contains no samples")
        self.sample_rate = _plausible(self._sound.samplerate)
        self.channels: int = self._sound.channels
        frames: int = self._sound.frames
        self.duration = frames / self.sample_rate if frames < _UNKNOWN else None

    def measure(self) -> float:
        if self.duration is not None:
            return self.duration
        return sum(map(len, self.blocks(0))) / self.sample_rate

    def blocks(self, first: int) -> Iterator[Samples]:
        start = first - first % _PIECE
        if first >= self._sound.frames:
            return
        self._sound.seek(start)
        yield from after(first - start, map(_mix, self._pieces()))

    def _pieces(self) -> Iterator[Samples]:
        """The channels, (channels, n), from where the file stands."""
        while len(piece := self._sound.read(_PIECE, np.float32, always_2d=True)):
            yield np.ascontiguousarray(piece.T)

    def close(self) -> None:
        self._sound.close()


def _plausible(sample_rate: int) -> int:
    if sample_rate not in _RATES:
        raise ValueError(f"a sample rate of {sample_rate} Hz")
    return sample_rate


def _channels(frame: AudioFrame) -> Samples:
    """The channels of `frame`, (channels, n)."""
    kind = frame.format.name.removesuffix("p")
    dtype, full_scale = _FORMATS[kind]
    count = frame.layout.nb_channels
    # From 8 channels on, PyAV lists planes that do not exist; to touch one may end the process.
    # So does frame.to_ndarray(), which also copies twice. A plane may be longer than its samples.
    planes: Sequence[Any] = frame.planes[:count]
    found: NDArray[Any]
    if frame.format.is_planar:
        found = np.stack([np.frombuffer(plane, dtype, frame.samples) for plane in planes])
    else:
        found = np.frombuffer(planes[0], dtype, frame.samples * count).reshape(-1, count).T
    with np.errstate(over="ignore"):  # who reads this looks for infinite samples
        scaled = np.ascontiguousarray(found, np.float32)
    scaled = scaled / np.float32(full_scale)
    return scaled - 1 if kind == "u8" else scaled


def _mix(channels: Samples) -> Samples:
    """The mean of `channels` (c, n), (n,); the first of them where they cancel each other out."""
    with np.errstate(over="ignore", invalid="ignore"):
        total: Samples = channels[0].copy()
        # Channel by channel: thirty times as fast as numpy's mean over an axis of length two.
        for channel in channels[1:]:
            total += channel
        total /= len(channels)
        power = np.vdot(channels, channels) / len(channels)
        cancelled = bool(np.vdot(total, total) < _CANCELLED * power)
    first: Samples = channels[0]
    return first if cancelled else total
