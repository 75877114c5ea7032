"""Songs inside one long file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile

from muscall.audio.chapters import read_chapters, read_sheet
from muscall.audio.tags import Chapter

SHEET = """REM DATE 1965
PERFORMER "Ann"
TITLE "Album"
FILE "C:\\Music\\album.wav" WAVE
  TRACK 01 AUDIO
    TITLE "First Song"
    PERFORMER "Ann"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE Zweites
    PERFORMER "Bj\u00f6rn"
    INDEX 00 00:18:00
    INDEX 01 01:20:15
"""
SONGS = (Chapter(0, "First Song"), Chapter(80.2, "Bj\u00f6rn - Zweites"))


@pytest.fixture
def album(tmp_path: Path) -> Path:
    path = tmp_path / "album.flac"
    soundfile.write(path, np.zeros(16000), 16000)
    return path


@pytest.mark.parametrize("written", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("name", ["album.cue", "album.flac.cue"])
def test_a_sheet_beside_the_file_is_read(album: Path, name: str, written: str) -> None:
    assert read_chapters(album) == ()
    (album.parent / name).write_text(SHEET.replace("\n", "\r\n"), written)
    assert read_chapters(album) == SONGS


def test_a_sheet_in_the_tags_is_read(album: Path) -> None:
    file = mutagen.File(album)
    file["CUESHEET"] = SHEET
    file.save()
    assert read_chapters(album) == SONGS


def test_chapters_of_a_container_are_read(tmp_path: Path) -> None:
    (tmp_path / "told.txt").write_text(
        ";FFMETADATA1\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1000\ntitle=Two\n"
    )
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    for name in ("book.m4b", "book.mka"):
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            "a.wav",
            "-i",
            "told.txt",
            "-map_metadata",
            "1",
            name,
        ]
        try:
            subprocess.run(command, cwd=tmp_path, check=True)
        except FileNotFoundError:
            pytest.skip("needs ffmpeg to make them")
        assert read_chapters(tmp_path / name) == (Chapter(0, "One"), Chapter(0.5, "Two"))


def test_of_several_files_each_has_its_own() -> None:
    both = SHEET + SHEET.replace("album.wav", "other.wav").replace("First", "Third")
    assert read_sheet(both, "album") == SONGS
    assert read_sheet(both, "OTHER")[0].title == "Third Song"
    assert read_sheet(both, "strange") == ()
    assert read_sheet(SHEET, "strange") == SONGS


@pytest.mark.parametrize(
    "sheet", ["", "TRACK", 'TITLE "a', "INDEX 01 xx", "\0" * 100, 'FILE "a" WAVE']
)
def test_what_is_no_sheet_tells_of_nothing(album: Path, sheet: str) -> None:
    album.with_suffix(".cue").write_text(sheet)
    assert read_chapters(album) == ()
    assert read_chapters(album.with_name("gone.flac")) == ()
