"""Playlists and stars, and what is kept of songs that are not there for now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from muscall import Library
from tests.serving.subsonic.conftest import KEY, SONGS, Server


@pytest.fixture
def keys(server: Server, kept: Path) -> list[str]:
    """The ids of all songs; nothing is kept yet."""
    assert not kept.exists()
    return [server.id(name) for name in SONGS]


def make(server: Server, *keys: str, **asked: Any) -> str:
    given = {"name": "rainy", "songId": list(keys)} | asked
    return str(server.get("createPlaylist", **given)["playlist"]["id"])


def entries(server: Server, id_: str) -> list[str]:
    found = server.get("getPlaylist", id=id_)["playlist"]
    songs = [song["id"] for song in found["entry"]]
    assert found["songCount"] == len(songs)
    return songs


def test_a_playlist_keeps_its_order_and_repeats(server: Server, keys: list[str]) -> None:
    asked = [keys[2], keys[0], keys[2]]
    id_ = make(server, *asked)
    assert entries(server, id_) == asked
    found = server.get("getPlaylists")["playlists"]["playlist"]
    assert [(one["id"], one["name"], one["songCount"]) for one in found] == [(id_, "rainy", 3)]


def test_a_playlist_is_given_other_songs(server: Server, keys: list[str]) -> None:
    id_ = make(server, keys[0], keys[1])
    assert make(server, keys[3], playlistId=id_, name="sunny") == id_
    assert entries(server, id_) == [keys[3]]
    (found,) = server.get("getPlaylists")["playlists"]["playlist"]
    assert found["name"] == "sunny"


def test_songs_are_removed_by_place_and_added_at_the_end(server: Server, keys: list[str]) -> None:
    id_ = make(server, *keys[:4])
    server.get("updatePlaylist", playlistId=id_, songIndexToRemove=[0, 2], songIdToAdd=keys[0])
    assert entries(server, id_) == [keys[1], keys[3], keys[0]]
    server.get("updatePlaylist", playlistId=id_, name="x", comment="c")
    server.get("updatePlaylist", playlistId=id_, comment="")
    assert "comment" not in server.get("getPlaylist", id=id_)["playlist"]


def test_songs_that_are_gone_are_kept_and_not_counted(
    server: Server, keys: list[str], kept: Path
) -> None:
    id_ = make(server, keys[0], keys[1])
    gone = "0" * 40
    kept.write_text(kept.read_text().replace(keys[0], gone))
    assert entries(server, id_) == [keys[1]]
    server.get("updatePlaylist", playlistId=id_, songIndexToRemove=0, songIdToAdd=keys[2])
    assert entries(server, id_) == [keys[2]]
    make(server, keys[3], playlistId=id_)
    assert entries(server, id_) == [keys[3]]
    assert gone in kept.read_text()


def test_stars_are_given_once_and_taken(server: Server, keys: list[str]) -> None:
    server.get("star", id=[keys[0], keys[1]])
    when = server.get("getSong", id=keys[0])["song"]["starred"]
    server.get("star", id=keys[0])
    assert server.get("getSong", id=keys[0])["song"]["starred"] == when
    server.get("unstar", id=[keys[0], keys[3], "gone"])
    assert [one["id"] for one in server.get("getStarred2")["starred2"]["song"]] == [keys[1]]


@pytest.mark.parametrize(
    ("code", "name", "asked"),
    [
        (10, "createPlaylist", {}),
        (10, "updatePlaylist", {}),
        (10, "deletePlaylist", {}),
        (10, "getPlaylist", {}),
        (10, "star", {}),
        (10, "unstar", {}),
        (10, "scrobble", {}),
        (70, "createPlaylist", {"name": "x", "songId": "x"}),
        (70, "createPlaylist", {"playlistId": "pl-0"}),
        (70, "updatePlaylist", {"playlistId": "pl-0"}),
        (70, "deletePlaylist", {"id": "pl-0"}),
        (70, "getPlaylist", {"id": "x"}),
        (70, "star", {"id": "x"}),
        (70, "star", {"albumId": "al-0"}),
        (70, "star", {"artistId": "ar-0"}),
        (70, "scrobble", {"id": "x"}),
    ],
)
def test_refusals_change_nothing(
    server: Server, kept: Path, code: int, name: str, asked: dict[str, str]
) -> None:
    assert server.refused(name, **asked)[0] == code
    assert not kept.exists()


def test_a_place_that_is_not_there_is_refused(server: Server, keys: list[str]) -> None:
    id_ = make(server, keys[0])
    for place in (1, -1, "x"):
        asked = {"playlistId": id_, "songIndexToRemove": [0, place], "songIdToAdd": keys[1]}
        code, message = server.refused("updatePlaylist", **asked)
        assert code == 0
        assert "songIndexToRemove" in message
    assert server.refused("updatePlaylist", playlistId=id_, songIdToAdd="x")[0] == 70
    assert entries(server, id_) == [keys[0]]


def test_a_damaged_file_is_told_to_the_app(server: Server, kept: Path) -> None:
    kept.write_text("{")
    code, message = server.refused("getPlaylists")
    assert code == 0
    assert "playlists.json: damaged" in message


def test_the_library_is_as_it_was(app_library: Library, kept: Path, server: Server) -> None:
    make(server)
    assert kept.exists()
    assert app_library.index(workers=1).added == 0
    assert kept.exists()


def test_playlists_may_be_long(server: Server, keys: list[str]) -> None:
    form = {"u": "ann", "p": KEY, "f": "json", "name": "long", "songId": keys * 300}
    answer = server.client.post("/rest/createPlaylist", data=form)
    assert answer.json()["subsonic-response"]["playlist"]["songCount"] == 300 * len(keys)
