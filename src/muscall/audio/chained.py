"""Ogg files that hold several streams one after the other, as recorded radio does.

FFmpeg knows the length of one of them alone and stops where the sample rate changes. So each is
decoded by itself, from a temporary file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import FileIO

from muscall.audio.decoders import Ffmpeg
from muscall.audio.windows import Samples, after, at_rate

_PAGE = b"OggS"
_HEADER = 27  # bytes of a page before the sizes of its segments
_TAIL = 1 << 17  # bytes, more than two pages


def links(file: FileIO) -> list[int]:
    """Where the streams of an Ogg file begin that follow one another, in bytes; [0] for one."""
    serials, _ = _opening(file, 0)
    file.seek(-min(_TAIL, file.seek(0, 2)), 2)
    tail = file.read()
    last = tail.rfind(_PAGE)
    if last < 0 or tail[last + 14 : last + 18] in serials:  # no two links share a serial number
        return [0]
    starts, place = [0], 0
    while True:
        _, place = _opening(file, place)
        while (header := _header(file, place)) and not header[5] & 2:
            place += _length(file, header)
        if header is None:
            return starts
        starts.append(place)


def _opening(file: FileIO, place: int) -> tuple[set[bytes], int]:
    """The serial numbers of the streams that begin at `place`, and where their first pages end."""
    serials = set()
    while (header := _header(file, place)) and header[5] & 2:
        serials.add(header[14:18])
        place += _length(file, header)
    return serials, place


def _header(file: FileIO, place: int) -> bytes | None:
    file.seek(place)
    header = file.read(_HEADER)
    return header if len(header) == _HEADER and header.startswith(_PAGE) else None


def _length(file: FileIO, header: bytes) -> int:
    """Of a page whose header was just read, in bytes."""
    return _HEADER + header[26] + sum(file.read(header[26]))


class Chained:
    """All streams of a chained Ogg file, at the rate of the first."""

    def __init__(self, file: FileIO) -> None:
        starts = links(file)
        self._spans = list(zip(starts, [*starts[1:], file.seek(0, 2)], strict=True))
        self._file = file
        with self._link(*self._spans[0]) as first:
            self.sample_rate, self.channels = first.sample_rate, first.channels
        self.duration: float | None = None

    def measure(self) -> float:
        return sum(map(len, self.blocks(0))) / self.sample_rate

    def blocks(self, first: int) -> Iterator[Samples]:
        return after(first, self._sound())

    def _sound(self) -> Iterator[Samples]:
        for start, end in self._spans:
            with self._link(start, end) as link:
                yield from at_rate(link.blocks(0), link.sample_rate, self.sample_rate)

    @contextmanager
    def _link(self, start: int, end: int) -> Iterator[Ffmpeg]:
        with tempfile.TemporaryFile(buffering=0) as part:
            self._file.seek(start)
            while start < end and (piece := self._file.read(min(1 << 20, end - start))):
                part.write(piece)
                start += len(piece)
            with closing(Ffmpeg(part)) as link:
                yield link

    def close(self) -> None:
        """Nothing: each link is closed when it has been heard."""
