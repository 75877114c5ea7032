"""Lists of albums and songs: their order, their pages and what they refuse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.serving.subsonic.conftest import SONGS, Server


def names(server: Server, **asked: Any) -> list[str]:
    found = server.get("getAlbumList2", **asked)["albumList2"]["album"]
    return [album["name"] for album in found]


def test_albums_are_listed_in_every_order(server: Server) -> None:
    by_name = ["First", "Hits", "Live", "loose", "Second"]
    assert names(server, type="alphabeticalByName") == by_name
    assert names(server, type="alphabeticalByArtist") == [
        "First",
        "Second",
        "Live",
        "loose",
        "Hits",
    ]
    assert sorted(names(server, type="random"), key=str.lower) == by_name
    assert sorted(names(server, type="newest"), key=str.lower) == by_name
    assert names(server, type="byYear", fromYear=1999, toYear=2005) == ["First", "Hits", "Second"]
    assert names(server, type="byYear", fromYear=2005, toYear=1999) == ["Second", "Hits", "First"]
    assert sorted(names(server, type="byGenre", genre="JAZZ")) == ["First", "Live"]
    for kind in ("highest", "frequent", "recent"):
        assert names(server, type=kind) == []


def test_lists_come_in_pages(server: Server) -> None:
    pages = [names(server, type="alphabeticalByName", size=2, offset=n) for n in (0, 2, 4, 6)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [one for page in pages for one in page] == names(server, type="alphabeticalByName")
    songs = [
        server.get("getSongsByGenre", genre="dub", count=2, offset=n)["songsByGenre"]["song"]
        for n in (0, 2)
    ]
    assert [[song["title"] for song in page] for page in songs] == [["Dawn", "Noon"], ["Night"]]


def test_random_songs_are_of_a_genre_or_of_years(server: Server) -> None:
    def random(**asked: Any) -> set[str]:
        return {
            song["title"] for song in server.get("getRandomSongs", **asked)["randomSongs"]["song"]
        }

    assert len(random(size=500)) == len(SONGS)
    assert len(random(size=2)) == 2
    assert random(genre="Jazz") == {"Noon", "Böe"}
    assert random(fromYear=2002, toYear=2005) == {"Two", "Rain"}
    assert random(genre="Polka") == set()


def test_what_was_starred_last_comes_first(server: Server, kept: Path) -> None:
    assert not kept.exists()
    albums = server.get("search3", query="", songCount=0)["searchResult3"]["album"]
    ids = {album["name"]: album["id"] for album in albums}
    for name in ("First", "Live"):
        server.get("star", albumId=ids[name])
    # The first was starred long ago.
    kept.write_text(re.sub(r'"20\d\d-', '"2020-', kept.read_text(), count=1))
    assert names(server, type="starred") == ["Live", "First"]


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        (10, {}),
        (10, {"type": "byYear", "fromYear": 1999}),
        (10, {"type": "byGenre"}),
        (0, {"type": "best"}),
        (0, {"type": "newest", "size": "many"}),
        (0, {"type": "newest", "offset": -1}),
        (0, {"type": "byYear", "fromYear": "x", "toYear": 1}),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    server: Server, code: int, asked: dict[str, Any]
) -> None:
    for name in ("getAlbumList", "getAlbumList2"):
        found, message = server.refused(name, **asked)
        assert found == code
        assert message
