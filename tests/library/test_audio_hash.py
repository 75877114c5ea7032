"""The hash of the sound alone, of real files in the usual formats."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.apev2 import APEv2
from mutagen.flac import Picture
from mutagen.id3 import APIC, TIT2

from muscall.errors import AudioError
from muscall.library.audio_hash import audio_hash

FORMATS = ("wav", "aiff", "flac", "ogg", "opus", "mp3", "m4a")
Write = Callable[..., Path]


def retag(path: Path, title: str) -> None:
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    if path.suffix in (".wav", ".aiff", ".mp3"):
        file.tags.add(TIT2(text=[title]))
    else:
        file.tags["\xa9nam" if path.suffix == ".m4a" else "title"] = [title]
    file.save()


@pytest.mark.parametrize("suffix", FORMATS)
def test_tags_a_name_and_a_date_change_nothing(write: Write, tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"song.{suffix}")
    before, size = audio_hash(path), path.stat().st_size
    assert len(before) == 40
    for title in ("Nocturne", "A much longer title " * 5000, "Short"):
        retag(path, title)
        assert audio_hash(path) == before
    assert path.stat().st_size != size
    moved = shutil.copyfile(path, tmp_path / f"ümläut \udcff.{suffix}")
    assert audio_hash(moved) == before


def test_a_cover_and_old_tags_at_the_end_change_nothing(write: Write, tmp_path: Path) -> None:
    path = write(tmp_path / "song.mp3")
    before = audio_hash(path)
    retag(path, "Nocturne")
    file = mutagen.File(path)
    file.tags.add(APIC(mime="image/jpeg", data=bytes(range(256)) * 4000))
    file.save(v1=2)
    assert path.read_bytes()[-128:-125] == b"TAG"
    assert audio_hash(path) == before
    old = APEv2()
    old["Title"] = "Nocturne"
    old.save(path)
    assert audio_hash(path) == before

    path = write(tmp_path / "song.flac")
    before = audio_hash(path)
    flac = mutagen.File(path)
    cover = Picture()
    cover.data, cover.mime = bytes(1_000_000), "image/png"
    flac.add_picture(cover)
    flac.save()
    assert audio_hash(path) == before


@pytest.mark.parametrize("suffix", FORMATS)
def test_other_sound_has_another_hash(write: Write, tmp_path: Path, suffix: str) -> None:
    paths = [write(tmp_path / f"{seed}.{suffix}", seed) for seed in (1, 2)]
    assert audio_hash(paths[0]) != audio_hash(paths[1])


def test_the_rate_is_part_of_the_sound(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 8000)
    for rate in (8000, 16000):
        soundfile.write(tmp_path / f"{rate}.wav", noise, rate)
    assert audio_hash(tmp_path / "8000.wav") != audio_hash(tmp_path / "16000.wav")


def test_what_cannot_be_taken_apart_is_hashed_as_a_whole(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(f"{name} is no sound at all".encode())
    shutil.copyfile(tmp_path / "one", tmp_path / "one.mp3")
    assert audio_hash(tmp_path / "one") == audio_hash(tmp_path / "one.mp3")
    assert audio_hash(tmp_path / "one") != audio_hash(tmp_path / "two")


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").touch()
    for path, reason in (
        (tmp_path / "empty.mp3", "empty file"),
        (tmp_path / "missing.mp3", "no such file"),
        (tmp_path, "is a folder"),
    ):
        with pytest.raises(AudioError, match=reason):
            audio_hash(path)
