"""Every answer has the fields that the published schema asks for, and no others; in both forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.serving.subsonic.conftest import KEY, Server
from tests.serving.subsonic.schema import check

SPACE = "{http://subsonic.org/restapi}"
# What is asked, with what (SONG, ALBUM, ARTIST, PLAYLIST: an id), and where what kind comes back.
ANSWERS: list[tuple[str, dict[str, str], str, Any]] = [
    ("getLicense", {}, "license", "License"),
    ("getOpenSubsonicExtensions", {}, "openSubsonicExtensions", ["OpenSubsonicExtension"]),
    ("tokenInfo", {}, "tokenInfo", "TokenInfo"),
    ("getUser", {"username": "ann"}, "user", "User"),
    ("getScanStatus", {}, "scanStatus", "ScanStatus"),
    ("getMusicFolders", {}, "musicFolders", "MusicFolders"),
    ("getIndexes", {}, "indexes", "Indexes"),
    ("getArtists", {}, "artists", "ArtistsID3"),
    ("getArtist", {"id": "ARTIST"}, "artist", "ArtistWithAlbumsID3"),
    ("getAlbum", {"id": "ALBUM"}, "album", "AlbumID3WithSongs"),
    ("getSong", {"id": "SONG"}, "song", "Child"),
    ("getGenres", {}, "genres", "Genres"),
    ("getAlbumList", {"type": "newest"}, "albumList", "AlbumList"),
    ("getAlbumList2", {"type": "newest"}, "albumList2", "AlbumList2"),
    ("getSongsByGenre", {"genre": "Jazz"}, "songsByGenre", "Songs"),
    ("getRandomSongs", {}, "randomSongs", "Songs"),
    ("getStarred", {}, "starred", "SearchResult2"),
    ("getStarred2", {}, "starred2", "SearchResult3"),
    ("search2", {"query": "ann"}, "searchResult2", "SearchResult2"),
    ("search3", {"query": "ann"}, "searchResult3", "SearchResult3"),
    ("getSimilarSongs", {"id": "SONG"}, "similarSongs", "Songs"),
    ("getSimilarSongs2", {"id": "ARTIST"}, "similarSongs2", "Songs"),
    ("getTopSongs", {"artist": "Ann"}, "topSongs", "Songs"),
    ("getArtistInfo", {"id": "ARTIST"}, "artistInfo", "ArtistInfo"),
    ("getArtistInfo2", {"id": "ARTIST"}, "artistInfo2", "ArtistInfo"),
    ("getPlaylists", {}, "playlists", "Playlists"),
    ("getPlaylist", {"id": "PLAYLIST"}, "playlist", "PlaylistWithSongs"),
    ("createPlaylist", {"name": "new", "songId": "SONG"}, "playlist", "PlaylistWithSongs"),
]
EMPTY: list[tuple[str, dict[str, str]]] = [
    ("ping", {}),
    ("updatePlaylist", {"playlistId": "PLAYLIST", "songIdToAdd": "SONG"}),
    ("star", {"id": "SONG"}),
    ("unstar", {"id": "SONG"}),
    ("scrobble", {"id": "SONG"}),
    ("deletePlaylist", {"id": "PLAYLIST"}),
]


@pytest.fixture
def ids(server: Server, kept: Path) -> dict[str, str]:
    """An id of each kind; all are starred."""
    assert not kept.exists()
    song = server.id("Ann/First/1 Dawn.flac")
    its = server.get("getSong", id=song)["song"]
    ids = {"SONG": song, "ALBUM": its["albumId"], "ARTIST": its["artistId"]}
    server.get("star", id=song, albumId=ids["ALBUM"], artistId=ids["ARTIST"])
    made = server.get("createPlaylist", name="rainy", songId=[song])
    return ids | {"PLAYLIST": made["playlist"]["id"]}


def _with(ids: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    return {name: ids.get(value, value) for name, value in given.items()}


@pytest.mark.parametrize(("name", "given", "key", "kind"), ANSWERS, ids=[a[0] for a in ANSWERS])
def test_answers_are_as_the_schema_says(
    server: Server, ids: dict[str, str], name: str, given: dict[str, str], key: str, kind: Any
) -> None:
    content = server.get(name, **_with(ids, given))
    assert list(content) == [key]
    assert content[key]
    check(kind, content[key], key)


@pytest.mark.parametrize(("name", "given"), EMPTY, ids=[a[0] for a in EMPTY])
def test_other_answers_are_empty(
    server: Server, ids: dict[str, str], name: str, given: dict[str, str]
) -> None:
    assert server.get(name, **_with(ids, given)) == {}


@pytest.mark.parametrize(
    ("id_", "kind"), [("1", "ArtistFolder"), ("ARTIST", "AlbumFolder"), ("ALBUM", "Child")]
)
def test_folders_hold_artists_albums_and_songs(
    server: Server, ids: dict[str, str], id_: str, kind: str
) -> None:
    found = server.get("getMusicDirectory", id=ids.get(id_, id_))["directory"]
    check([kind], found["child"])
    check("Directory", found | {"child": []})
    assert all(child["parent"] == found["id"] for child in found["child"])


@pytest.mark.parametrize(
    ("name", "given", "key"),
    [one[:3] for one in ANSWERS if one[0] not in ("getRandomSongs", "createPlaylist")],
)
def test_xml_says_the_same(
    server: Server, ids: dict[str, str], name: str, given: dict[str, str], key: str
) -> None:
    asked = {"u": "ann", "p": KEY, **_with(ids, given)}
    answer = server.client.get(f"/rest/{name}.view", params=asked)
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    root = ElementTree.fromstring(answer.content)
    assert root.tag == f"{SPACE}subsonic-response"
    assert (root.get("status"), root.get("openSubsonic")) == ("ok", "true")
    expected = server.get(name, **asked)[key]
    found = [_plain(element) for element in root]
    wanted = expected if isinstance(expected, list) else [expected]
    assert found == [_as_text(one) for one in wanted]


def _plain(element: ElementTree.Element) -> dict[str, Any]:
    """An element as what it would be in JSON, all values as text, all elements in lists."""
    found: dict[str, Any] = dict(element.attrib)
    if element.text:
        found["value"] = element.text
    for child in element:
        found.setdefault(child.tag.removeprefix(SPACE), []).append(_plain(child))
    return found


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(one) for key, one in value.items() if one != []}
    if isinstance(value, list):
        return [_as_text(one if isinstance(one, dict) else {"value": one}) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
