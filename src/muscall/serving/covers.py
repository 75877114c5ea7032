"""The picture of a track: out of its tags, or beside its file."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import mutagen
from av.stream import Disposition
from mutagen.apev2 import APENoHeaderError, APEv2
from mutagen.flac import FLAC, Picture
from mutagen.id3 import ID3
from mutagen.mp4 import MP4Tags

from muscall.audio.decode import open_file
from muscall.audio.decoders import open_stream

_LARGEST = 10 << 20  # bytes
_BESIDE = ("cover", "folder", "front", "albumart")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
_FRONT = 3  # the type of picture that tags call the front cover
Cover = tuple[bytes, str]


def find_cover(path: Path) -> Cover | None:
    """The bytes and media type of the cover of a sound file, None where there is none.

    A front cover comes before other pictures, tags come before `cover.jpg` and its kin.
    """
    return next(_covers(path), None)


def has_cover(path: Path) -> bool:
    """Whether `find_cover` finds one; remembered until the file or its folder changes."""
    try:
        return _has_cover(path, path.stat().st_mtime_ns, path.parent.stat().st_mtime_ns)
    except OSError:
        return False


@lru_cache(maxsize=20_000)
def _has_cover(path: Path, _file: int, _folder: int) -> bool:
    return find_cover(path) is not None


def _covers(path: Path) -> Iterator[Cover]:
    for data in (*_in_tags(path), *_beside(path)):
        kind = _image_type(data)
        if kind is not None and len(data) <= _LARGEST:
            yield data, kind


def _in_tags(path: Path) -> list[bytes]:
    try:
        pictures = _pictures(mutagen.File(path))
        if not pictures and path.suffix.lower() == ".mp3":  # mutagen opens it for its ID3 alone
            with suppress(APENoHeaderError):
                pictures = _in_ape(APEv2(path))
        if not pictures:
            return _by_ffmpeg(path)
    except Exception:  # mutagen lets through what it trips over in damaged tags
        return []
    return [data for _, data in sorted(pictures, key=lambda picture: picture[0] != _FRONT)]


def _pictures(file: Any) -> list[tuple[int, bytes]]:
    """The pictures in the tags of `file`, as mutagen opened it, each with its type."""
    if file is None:
        return []
    if isinstance(file, FLAC):
        return [(picture.type, picture.data) for picture in file.pictures]
    if isinstance(file.tags, ID3):
        return [(int(frame.type), frame.data) for frame in file.tags.getall("APIC")]
    if isinstance(file.tags, MP4Tags):
        return [(_FRONT, bytes(cover)) for cover in file.tags.get("covr", [])]
    if isinstance(file.tags, APEv2):
        return _in_ape(file.tags)
    blocks = (file.tags or {}).get("metadata_block_picture", [])
    found = [Picture(base64.b64decode(block)) for block in blocks]
    return [(picture.type, picture.data) for picture in found]


def _in_ape(tags: Any) -> list[tuple[int, bytes]]:
    names = [name for name in tags if name.lower().startswith("cover art")]
    # A name, a zero byte and the picture.
    pictures = [(name, bytes(tags[name].value).partition(b"\0")[2]) for name in names]
    return [(_FRONT if "front" in name.lower() else 0, data) for name, data in pictures]


def _by_ffmpeg(path: Path) -> list[bytes]:
    """The pictures in tags that mutagen does not take apart, those of ASF and Matroska."""
    with open_file(path) as file:
        container, _ = open_stream(file)
        with closing(container):
            pictures = [
                stream
                for stream in container.streams.video
                if stream.disposition & Disposition.attached_pic
            ]
            if not pictures:
                return []
            return [bytes(packet) for packet in container.demux(pictures) if packet.size]


def _beside(path: Path) -> Iterator[bytes]:
    try:
        named = {
            (file.stem.lower(), file.suffix.lower()): file
            for file in path.parent.iterdir()
            if file.stem.lower() in _BESIDE
        }
        for stem in _BESIDE:
            for suffix in _SUFFIXES:
                file = named.get((stem, suffix))
                if file is not None and file.is_file() and file.stat().st_size <= _LARGEST:
                    yield file.read_bytes()
    except OSError:
        return


def _image_type(data: bytes) -> str | None:
    """The media type by the first bytes; None of what browsers do not show, or might run."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None
