"""Which folders a listener may have indexed, and how they are named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from muscall.errors import MuscallError
from muscall.serving.folders import Folders


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`~/Music` with two folders, a hidden one, a file and a link that leads out."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    music = tmp_path / "home" / "Music"
    for name in ("b", "A", ".hidden"):
        (music / name).mkdir(parents=True)
    (music / "song.mp3").touch()
    (tmp_path / "secret").mkdir()
    (music / "out").symlink_to(tmp_path / "secret")
    (music / "broken").symlink_to("x" * 300)  # which Path.is_dir raises for
    return music


def test_a_folder_is_found_by_its_name(music: Path) -> None:
    folders = Folders([music.parent])
    for name in ("~/Music", f" {music}/b/.. ", str(music)):
        assert folders.find(name) == music
    assert folders.start() == music
    assert folders.inside(music) == [music / "A", music / "b"]
    assert folders.above(music) == music.parent
    assert folders.above(music.parent) is None


@pytest.mark.parametrize(
    ("name", "why"),
    {
        "": "name a folder",
        "Music": "from its beginning: ~/Music",
        "~/Musik": "no such folder",
        "~/Music/song.mp3": "is a file",
        "~/..": "below",
        "/etc": "below",
        "~/Music/out": "below",
        "~nobody-of-that-name/x": "no such folder",
        "/\0": "no such folder",
        "/" + 300 * "x": "below",
    }.items(),
)
def test_what_is_none_is_told(music: Path, name: str, why: str) -> None:
    with pytest.raises(MuscallError, match=why):
        Folders([music.parent]).find(name)


def test_all_of_the_machine(music: Path) -> None:
    assert Folders([Path("/")]).find("/") == Path("/")
    assert Folders([Path("/")]).above(Path("/")) is None
    assert Folders([music / "gone"]).start() == music / "gone"
    with pytest.raises(MuscallError, match="no such folder"):
        Folders([Path("/")]).find("/" + 300 * "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
def test_what_may_not_be_read(music: Path) -> None:
    (music / "b").chmod(0)
    with pytest.raises(MuscallError, match="may not be read"):
        Folders([music]).find(str(music / "b"))
