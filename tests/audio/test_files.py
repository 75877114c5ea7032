"""Folders are searched for sound files; what is named is taken as it is."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from muscall.audio.files import AUDIO_SUFFIXES, find_audio, search_folder
from muscall.errors import AudioError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in [
        "b.mp3",
        "A.FLAC",
        "notes.txt",
        "cover.jpg",
        "no_suffix",
        "mp3",
        "._b.mp3",
        ".hidden/in.wav",
        "deep/er/still/c.Opus",
        "deep/z.wav",
        "deep/a.m4a",
        "caf\udce9/\N{MULTIPLE MUSICAL NOTES}\n.ogg",
    ]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def found(*paths: Path, below: Path) -> list[str]:
    return [str(path.relative_to(below)) for path in find_audio(paths)]


def test_a_folder_is_searched_in_order(tree):
    assert found(tree, below=tree) == [
        "A.FLAC",
        "b.mp3",
        "caf\udce9/\N{MULTIPLE MUSICAL NOTES}\n.ogg",
        "deep/a.m4a",
        "deep/z.wav",
        "deep/er/still/c.Opus",
    ]


def test_what_is_named_is_taken_in_the_order_given(tree):
    named = [tree / "notes.txt", tree / "deep" / "er", tree / ".hidden" / "in.wav", tree / "b.mp3"]
    assert found(*named, below=tree) == [
        "notes.txt",
        "deep/er/still/c.Opus",
        ".hidden/in.wav",
        "b.mp3",
    ]
    assert find_audio([str(path) for path in named]) == find_audio(named)
    assert found(tree / ".hidden", below=tree) == [".hidden/in.wav"]


def test_one_path_or_pattern_needs_no_list(tree):
    for one in (tree, str(tree), tree / "b.mp3", str(tree / "b.mp3")):
        assert find_audio(one) == find_audio([one])
    listed = list(search_folder(tree, exclude="*.mp3"))
    assert listed == list(search_folder(tree, exclude=["*.mp3"])) != []


def test_nothing_is_listed_twice(tree):
    once = find_audio([tree])
    assert sorted(find_audio([tree / "deep", tree / "b.mp3", tree, tree])) == sorted(once)


def test_links_are_followed_but_not_in_circles(tree, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "far.mp3").touch()
    (tree / "link").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(tree)
    (tree / "self").symlink_to(".")
    (tree / "gone.mp3").symlink_to("nowhere")
    (tree / "other.mp3").symlink_to("b.mp3")
    listed = found(tree, below=tree)
    assert "link/far.mp3" in listed
    assert "other.mp3" not in listed  # it is b.mp3
    assert "gone.mp3" in listed  # to be named among what cannot be read, not passed by in silence
    assert len(listed) == 8
    assert tree / "other.mp3" in list(search_folder(tree))


def test_a_folder_with_the_name_of_a_sound_file_is_a_folder(tree):
    (tree / "folder.mp3").mkdir()
    (tree / "folder.mp3" / "inside.wav").touch()
    listed = found(tree, below=tree)
    assert len(listed) == 7
    assert listed[-1] == "folder.mp3/inside.wav"


def test_a_folder_that_cannot_be_read_is_passed_by(tree, monkeypatch, caplog):
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "deep":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert found(tree, below=tree)[:2] == ["A.FLAC", "b.mp3"]
    assert len(find_audio([tree])) == 3
    assert caplog.records[0].levelno == logging.WARNING
    assert caplog.messages[0] == f"{tree}/deep: permission denied, passed by"


@pytest.mark.parametrize("name", ["missing", "b.mp3/below", "new\nline"])
def test_what_does_not_exist_is_told(tree, name):
    with pytest.raises(AudioError, match="no such file or folder") as caught:
        find_audio([tree, tree / name])
    assert str(caught.value).isprintable()
    assert caught.value.path == tree / name


@pytest.mark.parametrize("name", ["x" * 300, "nul\0"])
def test_impossible_names_are_told(name):
    with pytest.raises(AudioError):
        find_audio([name])


def test_suffixes_are_in_lower_case_with_a_dot():
    assert all(suffix[0] == "." and suffix == suffix.lower() for suffix in AUDIO_SUFFIXES)
    assert {".mp3", ".flac", ".opus", ".m4a", ".aifc", ".mka"} <= AUDIO_SUFFIXES


@pytest.mark.parametrize(
    "name",
    [
        "...And Justice for All/a.flac",
        ".5 The Gray Chapter/a.flac",
        ".38 Special/a.flac",
        "..But Seriously/a.flac",
        "Britney/...Baby One More Time.flac",
        "(.) Intro/a.flac",
        "Recycled/a.flac",
        "Recycler/a.flac",
        "Snapshot/a.flac",
    ],
)
def test_names_of_music_are_not_hidden(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).touch()
    left_out = []
    assert list(search_folder(tmp_path, left_out=left_out)) == [tmp_path / name]
    assert left_out == []


@pytest.mark.parametrize(
    "name",
    [
        "$RECYCLE.BIN/S-1-5-21/$RAB12CD.flac",
        "#recycle/Old.flac",
        "@Recycle/Old.flac",
        ".Trash-1000/files/Old.flac",
        ".trashed-1690000000-Song.mp3",
        "@Recently-Snapshot/GMT/Song.flac",
        ".snapshot/hourly.0/Song.flac",
        "#snapshot/Song.flac",
        ".zfs/snapshot/a/Song.flac",
        "System Volume Information/x.flac",
        "LOST+FOUND/y.flac",
        ".hidden.mp3",
        "deep/@eaDir/a.mp3",
    ],
)
def test_bins_snapshots_and_hidden_files_are_left_out_counted_and_taken_in(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    (tmp_path / "._shadow.mp3").touch()
    (tmp_path / ".git").mkdir()
    left_out = []
    assert list(search_folder(tmp_path, left_out=left_out)) == []
    first = name.removeprefix("deep/").split("/")[0]
    assert [path.name for path in left_out] == [first]
    for pattern in (f"!{first}".replace("[", "[[]"), "!*"):
        left_out = []
        taken = list(search_folder(tmp_path, exclude=[pattern], left_out=left_out))
        assert (taken, left_out) == ([tmp_path / name], [])
    assert list(search_folder(tmp_path, exclude=["!*", first], left_out=left_out)) == []
    assert left_out == []


def test_links_and_hard_links_are_one_file(tmp_path):
    (tmp_path / "m.mp3").write_bytes(b"m")
    (tmp_path / "a link.mp3").symlink_to("m.mp3")
    os.link(tmp_path / "m.mp3", tmp_path / "z hard.mp3")
    (tmp_path / "other.mp3").write_bytes(b"m")
    assert found(tmp_path, below=tmp_path) == ["m.mp3", "other.mp3"]
    (tmp_path / "m.mp3").unlink()
    assert found(tmp_path, below=tmp_path) == ["other.mp3", "z hard.mp3", "a link.mp3"]
