"""Playlists and stars outlive everything that can happen to their file."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from muscall.errors import MuscallError
from muscall.serving.subsonic.kept import Content, Kept, Playlist, now


def add(kept: Kept, id_: str) -> None:
    with kept.changed() as content:
        content.playlists[id_] = Playlist(name=id_, keys=["k"], created=now(), changed=now())


def test_what_is_changed_is_there_for_the_next(tmp_path: Path) -> None:
    add(Kept(tmp_path / "library"), "pl-1")
    found = Kept(tmp_path / "library").read()
    assert found.playlists["pl-1"].keys == ["k"]
    assert Kept(tmp_path / "none").read() == Content()


def test_a_failure_changes_nothing(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    add(kept, "pl-1")
    before = (tmp_path / "playlists.json").read_bytes()

    def fail() -> None:
        with kept.changed() as content:
            content.playlists.clear()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (tmp_path / "playlists.json").read_bytes() == before


def test_nothing_is_lost_between_threads(tmp_path: Path) -> None:
    threads = [threading.Thread(target=add, args=(Kept(tmp_path), f"pl-{n}")) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Kept(tmp_path).read().playlists) == 20


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"stars": {"x": "never"}}', '{"playlists": {}, "ratings": {}}']
)
def test_a_file_that_is_not_understood_is_named_and_stays(tmp_path: Path, text: str) -> None:
    path = tmp_path / "playlists.json"
    path.write_text(text)
    with pytest.raises(MuscallError, match=r"playlists\.json: damaged, or of a later version"):
        add(Kept(tmp_path), "pl-1")
    assert path.read_text() == text


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MuscallError, match=r"playlists\.json: cannot be"):
        add(Kept(tmp_path / "file" / "library"), "pl-1")


def test_a_library_in_a_bucket_keeps_none() -> None:
    kept = Kept("s3://bucket/library")
    assert kept.read() == Content()
    with pytest.raises(MuscallError, match="on a disk only"):
        add(kept, "pl-1")


def test_the_file_is_readable_json(tmp_path: Path) -> None:
    add(Kept(tmp_path), "pl-1")
    assert set(json.loads((tmp_path / "playlists.json").read_text())) == {"playlists", "stars"}
