"""Covers come out of tags of every kind, or from beside the file, and are images."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
from mutagen.aiff import AIFF
from mutagen.apev2 import APEBinaryValue, APEv2
from mutagen.asf import ASFByteArrayAttribute
from mutagen.flac import Picture
from mutagen.id3 import APIC
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Cover

from muscall.serving.covers import find_cover, has_cover

JPEG = b"\xff\xd8\xff\xe0" + bytes(60)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
GIF, WEBP = b"GIF89a" + bytes(60), b"RIFF\x40\0\0\0WEBP" + bytes(60)


def embed(path: Path, data: bytes, kind: int = 3) -> None:
    """Put a picture into the tags of a file."""
    if path.suffix in (".mp3", ".aiff"):
        file = (MP3 if path.suffix == ".mp3" else AIFF)(path)
        if file.tags is None:
            file.add_tags()
        file.tags.add(APIC(mime="image/jpeg", type=kind, desc=str(kind), data=data))
    elif path.suffix == ".m4a":
        file = MP4(path)
        file["covr"] = [MP4Cover(data)]
    else:
        picture = Picture()
        picture.type, picture.data = kind, data
        file = mutagen.File(path)
        blocks = file.get("metadata_block_picture", [])
        file["metadata_block_picture"] = [*blocks, base64.b64encode(picture.write()).decode()]
    file.save()


@pytest.mark.parametrize("name", ["mp3.mp3", "aiff.aiff", "aac.m4a", "vorbis.ogg", "opus.opus"])
def test_a_cover_in_the_tags(sing, tmp_path: Path, name: str) -> None:
    path = sing(tmp_path / name, 0, 1)
    assert find_cover(path) is None
    assert not has_cover(path)
    embed(path, JPEG)
    assert find_cover(path) == (JPEG, "image/jpeg")
    assert has_cover(path)


def test_a_cover_in_apev2_and_in_asf(tmp_path: Path) -> None:
    image = io.BytesIO()
    with av.open(image, "w", format="image2pipe") as out:
        stream = out.add_stream("png", width=8, height=8, pix_fmt="rgb24", rate=1)
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((8, 8, 3), np.uint8), "rgb24")))
    png = image.getvalue()
    for suffix, codec in {"wv": "wavpack", "wma": "wmav2", "mp3": "libmp3lame"}.items():
        path = tmp_path / f"song.{suffix}"
        with av.open(str(path), "w", options={"id3v2_version": "0"}) as out:
            sound = out.add_stream(codec, rate=44100, layout="mono", bit_rate=128_000)
            size = 2048 if suffix == "wma" else sound.frame_size
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), "fltp", "mono")
            frame.sample_rate = 44100
            resampler = av.AudioResampler(sound.format, "mono", 44100, size or None)
            for ready in [*resampler.resample(frame), *resampler.resample(None)]:
                out.mux(sound.encode(ready))
            out.mux(sound.encode(None))
        if suffix == "wma":
            file = mutagen.File(path)
            head = b"\3" + len(png).to_bytes(4, "little")
            mime = "image/png\0".encode("utf-16-le") + b"\0\0"
            file["WM/Picture"] = [ASFByteArrayAttribute(head + mime + png)]
            file.save()
        else:
            ape = APEv2()
            ape["Title"] = "Nocturne"
            ape["Cover Art (Front)"] = APEBinaryValue(b"cover.png\0" + png)
            ape.save(path)
        assert find_cover(path) == (png, "image/png"), suffix


@pytest.mark.parametrize("name", ["mp3.mp3", "vorbis.ogg"])
def test_the_front_comes_before_the_back(sing, tmp_path: Path, name: str) -> None:
    path = sing(tmp_path / name, 0, 1)
    embed(path, PNG, kind=4)
    assert find_cover(path) == (PNG, "image/png")
    embed(path, JPEG, kind=3)
    assert find_cover(path) == (JPEG, "image/jpeg")


def test_a_picture_beside_the_file(sing, tmp_path: Path) -> None:
    path = sing(tmp_path / "mp3.mp3", 0, 1)
    (tmp_path / "Folder.JPG").write_bytes(GIF)
    assert find_cover(path) == (GIF, "image/gif")
    (tmp_path / "cover.png").write_bytes(WEBP)
    assert find_cover(path) == (WEBP, "image/webp")
    assert has_cover(path)
    embed(path, JPEG)
    assert find_cover(path) == (JPEG, "image/jpeg")


def test_what_is_no_image_is_no_cover(sing, tmp_path: Path) -> None:
    path = sing(tmp_path / "mp3.mp3", 0, 1)
    (tmp_path / "secret").write_text("root:x:0:0")
    (tmp_path / "cover.jpg").symlink_to(tmp_path / "secret")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "front.png").write_text("<svg onload='alert(1)'/>")
    embed(path, b"<html>")
    assert find_cover(path) is None
    (tmp_path / "albumart.jpeg").write_bytes(JPEG + bytes(11 << 20))
    assert find_cover(path) is None


def test_damaged_tags_are_no_reason_to_stop(tmp_path: Path, sing) -> None:
    path = sing(tmp_path / "vorbis.ogg", 0, 1)
    file = mutagen.File(path)
    file["metadata_block_picture"] = ["not base64!", base64.b64encode(b"short").decode()]
    file.save()
    assert find_cover(path) is None
    assert find_cover(tmp_path / "missing.mp3") is None
    assert not has_cover(tmp_path / "missing.mp3")
