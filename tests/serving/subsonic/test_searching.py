"""A sentence finds songs, a name finds whom it names, and nothing finds everything."""

from __future__ import annotations

from typing import Any

import pytest

from muscall import Library
from tests.serving.subsonic.conftest import SONGS, Server


def search(server: Server, query: str, **asked: Any) -> dict[str, list[str]]:
    """The names of what is found, by kind."""
    found = server.get("search3", query=query, **asked)["searchResult3"]
    return {
        kind: [one.get("title") or one["name"] for one in things] for kind, things in found.items()
    }


def test_a_sentence_finds_what_the_library_finds(server: Server, app_library: Library) -> None:
    sentence = "calm piano for a rainy evening"
    found = server.get("search3", query=sentence, songCount=4, songOffset=1)["searchResult3"]
    hits = app_library.search(sentence, n=5)
    assert [song["id"] for song in found["song"]] == [hit.key for hit in hits[1:]]
    assert found["artist"] == found["album"] == []


@pytest.mark.parametrize("query", ["Böhm Trio", "bohm*", '"the bohm trio"', "TRIO böhm"])
def test_a_name_finds_the_artist(server: Server, query: str) -> None:
    found = search(server, query)
    assert found["artist"] == ["The Böhm Trio"]
    assert found["song"][0] == "Böe"
    assert search(server, "böh*")["artist"] == ["The Böhm Trio"]


def test_a_name_finds_albums_and_exact_ones_first(server: Server) -> None:
    assert search(server, "hits")["album"] == ["Hits"]
    assert search(server, "an")["artist"] == ["Ann"]
    assert search(server, "bo")["artist"] == ["Bo", "The Böhm Trio"]
    assert search(server, "?!")["artist"] == []


def test_kinds_are_asked_for_apart(server: Server) -> None:
    found = search(server, "ann", songCount=0, albumCount=0)
    assert found == {"artist": ["Ann"], "album": [], "song": []}
    assert search(server, "ann", artistOffset=1)["artist"] == []


@pytest.mark.parametrize("query", ["", '""', "*", " "])
def test_nothing_finds_everything_page_by_page(server: Server, query: str) -> None:
    pages = [search(server, query, songCount=3, songOffset=n)["song"] for n in (0, 3, 6, 9)]
    assert [len(page) for page in pages] == [3, 3, 2, 0]
    assert len({one for page in pages for one in page}) == len(SONGS)
    found = search(server, query, artistCount=500, albumCount=500)
    assert len(found["album"]) == 5
    assert found["artist"] == [
        "Ann",
        "Bo",
        "The Böhm Trio",
        "Cid",
        "Unknown Artist",
        "Various Artists",
    ]


def test_what_sounds_alike_is_no_example_itself(server: Server) -> None:
    album = server.get("search3", query="First")["searchResult3"]["album"][0]
    own = {song["id"] for song in server.get("getAlbum", id=album["id"])["album"]["song"]}
    for id_, but in ((album["id"], own), (next(iter(own)), set()), (album["artistId"], own)):
        for name, key in (
            ("getSimilarSongs", "similarSongs"),
            ("getSimilarSongs2", "similarSongs2"),
        ):
            found = {song["id"] for song in server.get(name, id=id_, count=5)[key]["song"]}
            assert found
            assert not found & (but | {id_})
    assert server.get("getSimilarSongs2", id=album["id"], count=0)["similarSongs2"]["song"] == []


def test_similar_artists_are_others(server: Server) -> None:
    ann = server.get("search3", query="Ann")["searchResult3"]["artist"][0]["id"]
    found = server.get("getArtistInfo2", id=ann)["artistInfo2"]["similarArtist"]
    assert {artist["name"] for artist in found} == {"The Böhm Trio", "Cid", "Unknown Artist"}
    assert len(server.get("getArtistInfo2", id=ann, count=1)["artistInfo2"]["similarArtist"]) == 1


def test_top_songs_are_those_of_the_artist(server: Server) -> None:
    def top(artist: str, **asked: Any) -> list[str]:
        found = server.get("getTopSongs", artist=artist, **asked)["topSongs"]["song"]
        return [song["title"] for song in found]

    assert top("the böhm trio") == ["Böe"]
    assert top("Ann", count=2) == ["Dawn", "Noon"]
    assert top("Nobody") == []


def test_what_is_missing_or_unknown_is_named(server: Server) -> None:
    for name in ("search2", "search3", "getSimilarSongs", "getSimilarSongs2", "getTopSongs"):
        assert server.refused(name)[0] == 10
    for id_ in ("x", "", "ar-0", "al-0", "pl-0", "0" * 40):
        for name in ("getSimilarSongs", "getSimilarSongs2", "getArtistInfo2"):
            assert server.refused(name, id=id_)[0] == 70
    assert server.refused("search3", query="x", songCount="many")[0] == 0
