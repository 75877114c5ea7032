"""Sound for browsers and apps: as it is, as FLAC or as they ask for it; whole or in ranges."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from fastapi import HTTPException, Request
from fastapi.responses import FileResponse

from muscall.audio import decode
from muscall.audio.decoders import FAILURES, open_stream
from muscall.library.cache import Cache

# FFmpeg's names of containers, what browsers call them, and the codecs in them that they play.
_PLAYED = {
    "aac": ("audio/aac", ("aac",)),
    "flac": ("audio/flac", ("flac",)),
    "mov,mp4,m4a,3gp,3g2,mj2": ("audio/mp4", ("aac",)),
    "mp3": ("audio/mpeg", ("mp3",)),
    "ogg": ("audio/ogg", ("opus", "vorbis")),
    "wav": ("audio/wav", ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_f32le")),
}
_RATE = 44_100  # Hz, of what only `decode` can read
# One range. Of several, or of what is none, the whole may be sent (RFC 9110, 14.2).
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")


@dataclass(frozen=True)
class AudioFormat:
    """A kind of file that sound is written as, in stereo."""

    media_type: str
    container: str
    """FFmpeg's name, as the next two."""
    codec: Literal["aac", "flac", "libmp3lame", "libopus", "pcm_s16le"]
    samples: str
    rates: Sequence[int]
    """In Hz; of any other the last is made."""
    kilobits: Sequence[int] = ()
    """In a second, the usual first and the most last; none of what loses nothing."""


# Every browser plays it.
_FLAC = AudioFormat("audio/flac", "flac", "flac", "s16", range(8_000, 48_001))
FORMS = {
    "aac": AudioFormat("audio/aac", "adts", "aac", "fltp", (48_000, _RATE), (160, 256)),
    "flac": _FLAC,
    "mp3": AudioFormat("audio/mpeg", "mp3", "libmp3lame", "fltp", (48_000, _RATE), (192, 320)),
    "opus": AudioFormat("audio/ogg", "ogg", "libopus", "flt", (48_000,), (128, 256)),
    "wav": AudioFormat("audio/wav", "wav", "pcm_s16le", "s16", range(8_000, 48_001)),
}
"""What sound can be sent as, by the names that apps have for it."""
_KILOBITS = (32, 48, 64, 96, 128, 160, 192, 256, 320)  # few, so that few files are made


def playable(path: Path, key: str, cache: Cache, *, as_flac: bool = False) -> tuple[Path, str]:
    """A file that browsers play and seek in, and its media type: `path`, or one made of it.

    Args:
        key: of its sound, under which `cache` keeps what was made of it.
        as_flac: for a browser that plays less than others.

    Raises:
        AudioError: the file cannot be opened or decoded.
        MuscallError: the cache cannot be written.
    """
    kind = _media_type(path, path.stat().st_mtime_ns)
    if kind == _FLAC.media_type or (kind is not None and not as_flac):
        return path, kind
    return converted(path, key, cache, _FLAC)


def converted(
    path: Path, key: str, cache: Cache, form: AudioFormat, most: int = 0
) -> tuple[Path, str]:
    """A file that is made of `path`, and its media type; `cache` as in `playable`.

    Args:
        most: kilobits in a second; 0 for the usual ones of `form`.

    Raises:
        AudioError: the file cannot be opened or decoded.
        MuscallError: the cache cannot be written.
    """
    kilobits = 0
    if form.kilobits:
        wanted = min(most or form.kilobits[0], form.kilobits[-1])
        kilobits = max((few for few in _KILOBITS if few <= wanted), default=_KILOBITS[0])
    name = f"{key}{f'-{kilobits}' if kilobits else ''}.{form.container}"
    made = cache.get(name, lambda to: transcode(path, to, form, kilobits))
    return made, form.media_type


def send(path: Path, kind: str, request: Request) -> FileResponse:
    """The response with a file, or the range of it that `request` asks for.

    Raises:
        HTTPException: 416, the range lies beyond its end.
    """
    status = path.stat()
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    first, last, final = asked.groups() if asked else (None, None, None)
    if asked is None or (last and int(last) < int(first or 0)):
        scope = request.scope
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"range"]
    elif int(first or 0) >= status.st_size or not int(final or 1):
        raise HTTPException(
            416,
            f"the file has {status.st_size} bytes",
            headers={"Content-Range": f"bytes */{status.st_size}"},
        )
    # What has this address has this sound, so it need not be asked for again.
    headers = {"Cache-Control": "private, max-age=86400"}
    return FileResponse(path, headers=headers, media_type=kind, stat_result=status)


@lru_cache(maxsize=20_000)
def _media_type(path: Path, _modified: int) -> str | None:
    """What browsers call a file that they play; None of others."""
    with decode.open_file(path) as file:
        try:
            container, stream = open_stream(file)
        except FAILURES:
            return None
        with closing(container):
            kind, codecs = _PLAYED.get(container.format.name, ("", ()))
            return kind if stream.codec_context.codec.canonical_name in codecs else None


def transcode(path: Path, to: Path, form: AudioFormat = _FLAC, kilobits: int = 0) -> None:
    """Write the sound of `path`: as FLAC, 16 bits, stereo, at most 48 kHz, or as another form.

    What is damaged is in mono, as far as `muscall.audio.decode` can read it.

    Raises:
        AudioError: nothing can be decoded.
        OSError: `to` cannot be written.
    """
    try:
        _write(_as_it_is(path), to, form, kilobits)
    except FAILURES:
        _write(_in_mono(path), to, form, kilobits)


def _as_it_is(path: Path) -> Generator[AudioFrame]:
    with decode.open_file(path) as file:
        container, stream = open_stream(file)
        with closing(container):
            yield from container.decode(stream)


def _in_mono(path: Path) -> Generator[AudioFrame]:
    for block in decode.stream(path, sample_rate=_RATE):
        frame = AudioFrame.from_ndarray(block[None], format="flt", layout="mono")
        frame.sample_rate = _RATE
        yield frame


def _write(frames: Generator[AudioFrame], to: Path, form: AudioFormat, kilobits: int) -> None:
    with closing(frames), av.open(str(to), "w", format=form.container) as container:
        stream: AudioStream | None = None
        count = 0
        for frame in frames:
            if stream is None:
                rate = frame.sample_rate if frame.sample_rate in form.rates else form.rates[-1]
                stream = container.add_stream(
                    form.codec, rate, layout="stereo", format=form.samples
                )
                if kilobits:
                    stream.bit_rate = 1000 * kilobits
                resampler = AudioResampler(form.samples, "stereo", rate)
            frame.pts = None
            for ready in resampler.resample(frame):
                ready.pts = count
                count += ready.samples
                container.mux(stream.encode(ready))
        if stream is None:
            raise ValueError("no sound")
        for ready in resampler.resample(None):
            ready.pts = count
            count += ready.samples
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
