"""Moods in the tags of real files, whose sound and other tags stay."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import TDRC, TIT2, TPE1

from muscall.audio.tags import read_tags
from muscall.errors import AudioError
from muscall.library.audio_hash import audio_hash
from muscall.library.moods import write_moods

Write = Callable[..., Path]
MOODS = ["calm", "träumerisch"]
TAGS = {
    "flac": "MOOD", "ogg": "MOOD", "opus": "MOOD", "wv": "MOOD", "mp3": "TMOO", "wav": "TMOO",
    "aiff": "TMOO", "m4a": "----:com.apple.iTunes:MOOD", "wma": "WM/Mood",
}  # fmt: skip


def moods(path: Path) -> list[str]:
    file = mutagen.File(path)
    value = file.tags.get(TAGS[path.suffix[1:]])
    if path.suffix == ".m4a":
        return [mood.decode() for mood in value]
    return [str(mood) for mood in getattr(value, "text", value)]


@pytest.mark.parametrize("suffix", TAGS)
def test_moods_are_written_and_nothing_else_changes(
    write: Write, tmp_path: Path, suffix: str
) -> None:
    path = write(tmp_path / f"song.{suffix}")
    path.chmod(0o640)
    if suffix in ("flac", "ogg", "mp3", "m4a"):
        file = mutagen.File(path, easy=True)
        file["title"], file["artist"] = "Nocturne", "Ann"
        file.save()
    sound, tags = audio_hash(path), read_tags(path)
    assert write_moods(path, ["angry"])
    assert write_moods(path, MOODS)
    assert moods(path) == MOODS
    assert (audio_hash(path), read_tags(path)) == (sound, tags)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_what_is_there_already_is_not_written_again(write: Write, tmp_path: Path) -> None:
    for suffix in TAGS:
        path = write(tmp_path / f"song.{suffix}")
        write_moods(path, MOODS)
        inode = path.stat().st_ino
        assert not write_moods(path, MOODS)
        assert path.stat().st_ino == inode


@pytest.mark.parametrize("suffix", ["mp3", "wav", "aiff"])
def test_id3_stays_as_old_as_it_was(write: Write, tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"song.{suffix}")
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    file.tags.add(TIT2(1, ["Old"]))
    file.tags.add(TPE1(1, ["Ann", "Bob"]))
    file.tags.add(TDRC(1, ["1999-05-01"]))
    file.tags.update_to_v23()
    file.save(v2_version=3, v23_sep=None)
    tags = read_tags(path)
    assert write_moods(path, MOODS)
    assert not write_moods(path, MOODS)
    after = mutagen.File(path).tags
    assert after.version == (2, 3, 0)
    assert after["TXXX:MOOD"].text == ["calm; träumerisch"]
    assert "TMOO" not in after
    assert read_tags(path) == tags
    assert (tags.artist, tags.year) == (("Ann", "Bob"), 1999)


def test_an_mp3_with_apev2_alone_gets_no_id3(write: Write, tmp_path: Path) -> None:
    path = write(tmp_path / "song.mp3")
    mutagen.File(path).delete()
    ape = APEv2()
    ape["Title"] = "Nocturne"
    ape.save(path)
    assert write_moods(path, MOODS)
    assert not write_moods(path, MOODS)
    assert mutagen.File(path).tags is None
    assert list(APEv2(path)["MOOD"]) == MOODS
    assert read_tags(path).title == "Nocturne"


def test_one_mood_needs_no_list(write: Write, tmp_path: Path) -> None:
    path = write(tmp_path / "song.flac")
    write_moods(path, "calm")
    assert moods(path) == ["calm"]


def test_a_dry_run_writes_nothing(write: Write, tmp_path: Path) -> None:
    path = write(tmp_path / "song.flac")
    before = path.read_bytes()
    assert write_moods(path, MOODS, dry_run=True)
    assert path.read_bytes() == before


def test_the_file_behind_a_link_is_written(write: Write, tmp_path: Path) -> None:
    path = write(tmp_path / "song.flac")
    link = tmp_path / "link.flac"
    link.symlink_to(path)
    assert write_moods(link, MOODS)
    assert link.is_symlink()
    assert moods(path) == MOODS


def test_what_cannot_be_written_is_an_error_and_stays_as_it_is(
    write: Write, tmp_path: Path
) -> None:
    (tmp_path / "text.mp3").write_text("no sound at all")
    for path in (write(tmp_path / "bare.aac"), tmp_path / "text.mp3", tmp_path / "none.mp3"):
        before = path.read_bytes() if path.exists() else None
        with pytest.raises(AudioError, match=rf"{path.name}: tags cannot be written: .") as caught:
            write_moods(path, MOODS)
        assert "\n" not in str(caught.value)
        assert (path.read_bytes() if path.exists() else None) == before


def test_a_full_disk_leaves_the_file_as_it_is(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "song.flac")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AudioError, match=r"tags cannot be written: No space left on device"):
        write_moods(path, MOODS)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
