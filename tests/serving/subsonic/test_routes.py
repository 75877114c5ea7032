"""What every request has in common, and a library that changes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from muscall import Library, MusCALL
from muscall.serving.app import build
from tests.serving.subsonic.conftest import KEY, Server


@pytest.fixture
def empty(tiny_model: MusCALL, tmp_path: Path) -> Iterator[Server]:
    """A server over a library that does not exist yet."""
    library = Library(tmp_path / "library", tiny_model)
    app = build(library, api_key=KEY, cache=tmp_path / "cache", page=False)
    with TestClient(app, base_url="http://music.local") as client:
        yield Server(client, library, tmp_path / "music")


def test_names_are_answered_with_and_without_view(server: Server) -> None:
    assert server.ask("getGenres") == server.ask("getGenres.view")


def test_parameters_may_be_in_address_and_form_at_once(server: Server) -> None:
    answer = server.client.post(
        "/rest/getSong", params={"u": "ann", "p": KEY}, data={"f": "json", "id": "x"}
    )
    assert answer.json()["subsonic-response"]["error"]["code"] == 70


def test_what_is_not_answered_says_so(server: Server) -> None:
    answer = server.client.get("/rest/getPodcasts", params={"u": "ann", "p": KEY, "f": "json"})
    assert answer.status_code == 404
    assert "getPodcasts" in answer.json()["subsonic-response"]["error"]["message"]
    answer = server.client.get("/rest/ping", params={"u": "ann", "p": KEY, "f": "jsonp"})
    assert b'code="0"' in answer.content


@pytest.mark.parametrize("name", ["getArtist", "getAlbum", "getSong", "getMusicDirectory"])
def test_ids_that_name_nothing_are_refused(server: Server, name: str) -> None:
    assert server.refused(name)[0] == 10
    for id_ in ("x", "", "al-0", "ar-0", "0" * 40, "' OR 1=1"):
        assert server.refused(name, id=id_)[0] == 70


def test_an_empty_library_has_nothing_of_everything(empty: Server) -> None:
    assert empty.get("getArtists")["artists"]["index"] == []
    assert empty.get("getIndexes")["indexes"]["lastModified"] == 0
    for query in ("", "calm piano"):
        found = empty.get("search3", query=query)["searchResult3"]
        assert found == {"artist": [], "album": [], "song": []}
    assert empty.get("getAlbumList2", type="random")["albumList2"]["album"] == []
    assert empty.get("getRandomSongs")["randomSongs"]["song"] == []
    assert empty.get("getScanStatus")["scanStatus"] == {"scanning": False, "count": 0}
    assert empty.refused("star", id="x")[0] == 70
    assert not Path(empty.library.store.folder).exists()


def test_what_is_indexed_later_is_seen(empty: Server, songs: Path) -> None:
    shutil.copytree(songs / "Ann", empty.folder)
    empty.library.index([empty.folder], workers=1)
    assert empty.get("getScanStatus")["scanStatus"]["count"] == 4
    known = empty.get("getIndexes")["indexes"]["lastModified"]
    assert empty.get("getIndexes", ifModifiedSince=known)["indexes"]["index"] == []
    assert empty.get("getIndexes", ifModifiedSince=known - 1)["indexes"]["index"]
    (empty.folder / "Second" / "1 Rain.flac").unlink()
    empty.library.index(workers=1)
    # On a busy machine the catalogue takes longer to make, and is made anew less often.
    until = time.monotonic() + 30
    while empty.get("getScanStatus")["scanStatus"]["count"] == 4 and time.monotonic() < until:
        time.sleep(0.1)
    assert empty.get("getScanStatus")["scanStatus"]["count"] == 3


def test_a_scan_is_started(empty: Server, songs: Path) -> None:
    shutil.copytree(songs / "Ann", empty.folder)
    empty.library.index([empty.folder], workers=1)
    shutil.copytree(songs / "Hits", empty.folder / "Hits")
    assert empty.get("startScan")["scanStatus"] == {"scanning": True, "count": 4}
    while empty.get("getScanStatus")["scanStatus"]["scanning"]:
        time.sleep(0.05)
    assert empty.get("getScanStatus")["scanStatus"]["count"] == 6


def test_files_that_went_away_are_told(empty: Server, songs: Path) -> None:
    shutil.copytree(songs / "Ann", empty.folder)
    empty.library.index([empty.folder], workers=1)
    id_ = empty.id("Second/1 Rain.flac")
    (empty.folder / "Second" / "1 Rain.flac").unlink()
    assert "size" not in empty.get("getSong", id=id_)["song"]
    for name in ("stream", "download", "getCoverArt"):
        assert empty.refused(name, id=id_)[0] == 70
