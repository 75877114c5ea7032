"""Folders are walked; paths of any bytes survive as text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from muscall.library.scan import path_text, scan, text_path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in [
        "a.mp3",
        "talk.m4b",
        "Books/one.mp3",
        "Rock/Live/b.flac",
        "Rock/c.flac",
        "silent/.nomedia",
        "silent/d.mp3",
        "silent/below/e.mp3",
        "caf\udce9/\udcff'\n.ogg",
    ]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "surrogateescape"))
    return tmp_path


def names(root: Path, *exclude: str) -> set[str]:
    return {str(text_path(path).relative_to(root)) for path in scan(root, exclude)}


def test_a_scan_tells_size_and_time(tree: Path) -> None:
    os.utime(tree / "a.mp3", ns=(1, 1234567890123456789))
    found = scan(tree)[str(tree / "a.mp3")]
    assert (found.root, found.size, found.mtime_ns) == (str(tree), 5, 1234567890123456789)


def test_a_folder_with_nomedia_is_left_out_with_what_is_below(tree: Path) -> None:
    everything = {"a.mp3", "talk.m4b", "Books/one.mp3", "Rock/Live/b.flac", "Rock/c.flac"}
    assert names(tree) == everything | {"caf\udce9/\udcff'\n.ogg"}


@pytest.mark.parametrize(
    ("pattern", "left_out"),
    [
        ("*.m4b", {"talk.m4b"}),
        ("Books", {"Books/one.mp3"}),
        ("Rock/*", {"Rock/Live/b.flac", "Rock/c.flac"}),
        ("Rock/Live", {"Rock/Live/b.flac"}),
        ("Live", {"Rock/Live/b.flac"}),
        ("[bc].flac", {"Rock/Live/b.flac", "Rock/c.flac"}),
        ("caf*", {"caf\udce9/\udcff'\n.ogg"}),
        ("", set()),
        ("books", set()),
    ],
)
def test_patterns_leave_out_names_and_paths(tree: Path, pattern: str, left_out: set[str]) -> None:
    assert names(tree) - names(tree, pattern) == left_out
    assert names(tree, "nothing", pattern) == names(tree, pattern)


def test_links_in_circles_and_to_nowhere(tree: Path) -> None:
    before = names(tree)
    (tree / "Rock" / "up").symlink_to(tree)
    (tree / "loop").symlink_to("loop")
    (tree / "gone.mp3").symlink_to("nowhere")
    (tree / "other.mp3").symlink_to("a.mp3")
    assert names(tree) == before | {"gone.mp3"}
    (tree / "a.mp3").rename(tree.parent / "elsewhere.mp3")
    (tree / "other.mp3").unlink()
    (tree / "other.mp3").symlink_to(tree.parent / "elsewhere.mp3")
    assert scan(tree)[str(tree / "other.mp3")].size == 5


def test_what_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert scan(tmp_path / "missing") == {}


@pytest.mark.parametrize(
    "name",
    [
        b"/plain",
        "/ümlaut/🎵".encode(),
        b"/\xff\xfe",
        b"/caf\xe9 100%/'\"\n",
        b"/file:",
        b"/%ff",
        b"/",
    ],
)
def test_every_path_survives_as_text(name: bytes) -> None:
    path = Path(os.fsdecode(name))
    text = path_text(path)
    assert text.encode()
    assert text_path(text) == path
    assert os.fsencode(text_path(text)) == name
    assert path_text(text_path(text)) == text


def test_texts_of_different_paths_differ() -> None:
    paths = [Path(os.fsdecode(name)) for name in (b"/\xff", b"/%FF", b"/%ff", rb"/\xff")]
    assert len({path_text(path) for path in paths}) == 4
