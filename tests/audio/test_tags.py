"""Tags of real files in several formats."""

from __future__ import annotations

from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
import soundfile

from muscall.audio.tags import Tags, read_tags

FORMATS = {"flac": None, "ogg": None, "opus": "libopus", "mp3": "libmp3lame", "m4a": "aac"}


def encode(path: Path, codec: str | None) -> None:
    if codec is None:
        soundfile.write(path, np.zeros(48000), 48000)
        return
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=48000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), "fltp", "mono")
        sound.sample_rate = 48000
        resampler = av.AudioResampler(stream.format, "mono", 48000, stream.frame_size or None)
        for frame in [*resampler.resample(sound), *resampler.resample(None)]:
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


@pytest.mark.parametrize(("suffix", "codec"), FORMATS.items())
def test_reads_what_is_written_in_every_format(
    tmp_path: Path, suffix: str, codec: str | None
) -> None:
    path = tmp_path / f"song.{suffix}"
    encode(path, codec)
    assert read_tags(path) == Tags()
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file["title"], file["artist"], file["album"] = "Nocturne", "Ann", "Nights"
    file["genre"], file["date"] = ["Jazz", "Soul"], "1999-05-01"
    file.save()
    assert read_tags(path) == Tags("Nocturne", "Ann", "Nights", "Jazz; Soul", "1999-05-01")


def test_what_cannot_be_read_has_no_tags(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"ID3\x04\x00\x00\x00\x00\x7f\x7f broken")
    for path in (broken, tmp_path / "missing.flac", tmp_path):
        assert read_tags(path) == Tags()
