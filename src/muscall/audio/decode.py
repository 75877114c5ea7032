"""Any sound file as mono float32, in a stream, from any sample on.

FFmpeg decodes first: it is up to three times as fast as libsndfile, reads more formats and finds
the length of every MP3. Only on WAV and AIFF is libsndfile faster. Either of them refuses sound
files that the other can read, some only after minutes, so the next one takes over from the sample
at which one gave up.
"""

from __future__ import annotations

import logging
import math
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path

import av
import numpy as np
import soundfile

from muscall.audio.chained import Chained, links
from muscall.audio.decoders import (
    FAILURES,
    Decoder,
    Ffmpeg,
    Sndfile,
    codec_of,
)
from muscall.audio.inside import Inside, Sound
from muscall.audio.windows import Samples, after, at_rate, in_blocks
from muscall.errors import AudioError, one_line

# Seconds decoded before a start and dropped. Decoders (bit reservoir of MP3, overlap of Opus) and
# the resampler need them to sound from there on as if they had come from the beginning.
_PREROLL = 0.5
_PATIENCE = 10_000  # damaged packets in a row; a wrong header may cut a file up into bytes
_KEPT = 0.1  # seconds of sound that make a damaged file worth keeping
_BITSTREAMS = frozenset({"ac3", "dts", "eac3", "mlp", "truehd"})
_SHORTFALL = 0.25  # seconds by which the length that a sound file states may be wrong

logger = logging.getLogger("muscall")


@dataclass(frozen=True)
class AudioInfo:
    """What a sound file says of itself: `duration` in seconds, `sample_rate` in Hz, `channels`."""

    duration: float
    sample_rate: int
    channels: int


def probe(path: str | Sound) -> AudioInfo:
    """Length, rate and channels of a sound file, of which hardly more than a packet is decoded.

    Raises:
        AudioError: the file cannot be opened, or holds no sound that can be decoded.
    """
    reasons = []
    with open_file(path) as file:
        for turn in _turns(file):
            try:
                with closing(turn(file)) as decoder:
                    return AudioInfo(decoder.measure(), decoder.sample_rate, decoder.channels)
            except FAILURES as error:
                reasons.append(_in_words(error))
    raise AudioError(path, _joined(reasons))


def read(
    path: str | Sound,
    *,
    start: float = 0.0,
    duration: float | None = None,
    sample_rate: int = 16000,
) -> Samples:
    """The sound of a file at once, (n,), n >= 1. Arguments and errors are those of `stream`."""
    blocks = stream(path, start=start, duration=duration, sample_rate=sample_rate)
    return np.concatenate(list(blocks))


def stream(
    path: str | Sound,
    *,
    start: float = 0.0,
    duration: float | None = None,
    sample_rate: int = 16000,
    block_seconds: float = 10.0,
) -> Iterator[Samples]:
    """The sound of a file in mono float32 blocks (n,): the mean of its channels, full scale at 1.

    Where the channels cancel each other out, the first is heard.

    `start` and `duration`, in seconds, are exact to the sample: a part equals that slice of the
    whole, but for rounding and the noise that AAC makes up. What lies beyond the end is left out.
    All blocks but the last take `block_seconds`; not much more than one is in memory at a time.

    What a damaged file gives is kept if it lasts 0.1 s, and what is missing is logged.

    Raises:
        ValueError: `start` is negative, or `duration` or `block_seconds` shorter than one sample.
        AudioError: while iterating, where the file cannot be opened, holds no sound that can be
            decoded, ends before `start`, or contains NaN or infinite samples.
    """
    first = round(start * sample_rate)
    end = None if duration is None else first + round(duration * sample_rate)
    block = round(block_seconds * sample_rate)
    if first < 0 or block < 1 or (end is not None and end <= first):
        raise ValueError(f"cannot read with {start=}, {duration=}, {block_seconds=}")
    return in_blocks(_samples(path, first, end, sample_rate), block)


def _samples(path: str | Sound, first: int, end: int | None, sample_rate: int) -> Iterator[Samples]:
    """Samples `first` to `end` (None: all) of a file, counted at `sample_rate`, from all turns."""
    position = first
    promised: float | None = None
    reasons = []
    with open_file(path) as file:
        turns = _turns(file)
        for turn in turns:
            try:
                with closing(turn(file)) as decoder:
                    promised = promised or decoder.duration
                    for piece in _resampled(decoder, position, sample_rate):
                        wanted = piece if end is None else piece[: end - position]
                        if not np.isfinite(wanted).all():
                            raise AudioError(path, "contains NaN or infinite samples")
                        position += len(wanted)
                        yield wanted
                        if position == end:
                            return
                break
            except FAILURES as error:
                reasons.append(_in_words(error))
    reached = position / sample_rate
    failed = len(reasons) == len(turns)
    missing = failed if promised is None else reached < promised - _SHORTFALL
    if position == first and not failed:
        raise AudioError(path, f"ends before {reached:.2f} s" if first else "contains no samples")
    if position == first or (missing and position - first < _KEPT * sample_rate):
        raise AudioError(path, _joined(reasons))
    if missing:
        whole = "" if promised is None else f" of {promised:.1f}"
        reason = _joined(reasons)
        logger.warning("%s: decoded only %.1f%s s: %s", one_line(path), reached, whole, reason)


def _turns(file: FileIO) -> list[Callable[[FileIO], Decoder]]:
    """The decoders to try, one after the other."""
    patient = partial(Ffmpeg, patience=_PATIENCE)
    file.seek(0)
    head = file.read(4)
    if head in (b"RIFF", b"FORM"):
        # A WAV may say PCM and hold DTS or AC-3, which libsndfile would play as noise.
        return [Ffmpeg, patient] if codec_of(file) in _BITSTREAMS else [Sndfile, Ffmpeg, patient]
    if head == b"OggS" and len(links(file)) > 1:
        return [Chained, Ffmpeg, patient]
    return [Ffmpeg, Sndfile, patient]


def _resampled(decoder: Decoder, first: int, sample_rate: int) -> Iterator[Samples]:
    """The sound of `decoder` at `sample_rate` from sample `first`, counted at that rate, on."""
    # Both rates have a sample at every multiple of 1 / step seconds. Starting on one of these puts
    # the samples of a part where those of the whole are.
    step = math.gcd(decoder.sample_rate, sample_rate)
    steps = int(max(0, first / sample_rate - _PREROLL) * step)
    excess = first - steps * (sample_rate // step)
    blocks = decoder.blocks(steps * (decoder.sample_rate // step))
    return after(excess, at_rate(blocks, decoder.sample_rate, sample_rate))


def open_file(path: str | Sound) -> FileIO:
    """Open a sound file, also one that lies inside another.

    Raises:
        AudioError: it cannot be opened, is empty or no regular file.
    """
    try:
        file = path.file if isinstance(path, Inside) else path
        status = Path(file).stat()  # first, because opening a pipe waits for its other end
        if stat.S_ISDIR(status.st_mode):
            raise AudioError(file, "is a folder")
        if not stat.S_ISREG(status.st_mode):
            raise AudioError(file, "is not a regular file")
        if not status.st_size:
            raise AudioError(file, "empty file")
        return path.open() if isinstance(path, Inside) else FileIO(path)
    except (OSError, ValueError) as error:
        raise AudioError(file, _in_words(error)) from error


def _in_words(error: Exception) -> str:
    words = str(error)
    if isinstance(error, soundfile.LibsndfileError):
        words = error.error_string.removeprefix("Error : ")
    elif isinstance(error, OSError | av.FFmpegError):
        words = error.strerror or words
    return words[:1].lower() + words[1:].rstrip(".")


def _joined(reasons: list[str]) -> str:
    """One reason from those that the decoders gave."""
    given = list(dict.fromkeys(reasons))
    words = "; ".join(filter(None, given)) or "ends early"
    return f"not audio, or damaged: {words}" if len(given) > 1 else words
