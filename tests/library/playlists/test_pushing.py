"""What is the same track on another server, and servers that give no answer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from muscall.errors import MuscallError
from muscall.library.playlists.pushing import match, push
from muscall.library.playlists.subsonic import Server
from muscall.library.search.hits import Hit


def hit(path: str = "/m/Ann/First/1 Dawn.flac", **tags: Any) -> Hit:
    known = {"title": "Dawn", "artist": "Ann; Bo", "album": "First", "duration": 200.4} | tags
    return Hit(path=Path(path), genre="", year=None, bpm=None, **known)


@pytest.mark.parametrize(
    ("song", "same"),
    [
        ({"path": "Ann/First/1 Dawn.flac"}, True),
        ({"path": "/other/First/1 Dawn.flac"}, True),
        ({"path": "D:\\Music\\First\\1 Dawn.flac"}, True),
        ({"path": "1 Dawn.flac"}, True),  # of a folder without others in it
        ({"path": "Second/1 Dawn.flac"}, False),
        ({"path": "First/1 Dawn.flac", "duration": 200}, True),
        ({"path": "First/1 Dawn.flac", "duration": 210}, False),
        ({"title": "DAWN", "artist": "Bo"}, True),
        ({"title": "Dawn", "artist": "Ann feat. Cid", "duration": 202}, True),
        ({"title": "Dawn", "artists": [{"name": "Ann"}]}, True),
        ({"title": "Dawn", "artist": "Cid"}, False),
        ({"title": "Dawn", "artist": "Ann", "duration": 190}, False),
        ({"title": "Dawn (Live)", "artist": "Ann"}, False),
        ({"musicBrainzId": "4-2", "title": "Sunrise"}, True),
        ({"musicBrainzId": "4-3", "title": "Sunrise"}, False),
        ({}, False),
    ],
)
def test_a_track_is_known_by_path_id_or_tags(song: dict[str, Any], same: bool) -> None:
    assert (match(hit(), "4-2", [song]) is song) == same


def test_a_path_tells_more_than_an_id_and_that_more_than_tags() -> None:
    tags = {"id": "tags", "title": "Dawn", "artist": "Ann", "album": "First"}
    id_ = {"id": "id", "musicBrainzId": "4-2"}
    path = {"id": "path", "path": "First/1 Dawn.flac"}
    assert match(hit(), "4-2", [tags, id_, path]) is path
    assert match(hit(), "4-2", [tags, id_]) is id_
    assert match(hit(), "", [id_, tags]) is tags
    other = tags | {"album": "Hits"}
    assert match(hit(), "", [other, tags]) is tags


def test_what_says_nothing_of_itself_is_known_by_its_path_alone() -> None:
    bare = hit("/m/x/track01.flac", title="", artist="", album="")
    assert match(bare, "", [{"title": "track01", "artist": ""}, {"title": "", "path": ""}]) is None
    assert match(bare, "", [{"path": "x/track01.flac"}])


def test_letters_may_be_composed_otherwise() -> None:
    assert match(hit("/m/Bo\u0308hm/x.flac"), "", [{"path": "Böhm/x.flac"}])


class Answers(BaseHTTPRequestHandler):
    """Answers as the first name of an address says."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        way, asked = parts.path.split("/")[1], parse_qs(parts.query)
        self.send_response(500 if way == "broken" else 200)
        self.end_headers()
        told: dict[str, Any] = {"status": "failed", "error": {"code": 40, "message": "who?"}}
        if way in ("old", "older") and "t" in asked:
            code = {"old": 41, "older": 10}[way]
            told = {"status": "failed", "error": {"code": code, "message": "no tokens"}}
        elif way in ("old", "older") and asked["p"] == ["enc:c3a4"]:
            told = {"status": "ok"}
        self.wfile.write(
            b"<html>" if way == "page" else json.dumps({"subsonic-response": told}).encode()
        )

    def log_message(self, *_: object) -> None:
        """Not into what the tests print."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("page", "search3: this is no answer of a Subsonic server"),
        ("broken", "search3: 500 Internal Server Error"),
        ("wrong", "search3: who?"),
        ("old", "has none of the 1 tracks of rainy"),  # and takes the password
        ("older", "has none of the 1 tracks of rainy"),
    ],
)
def test_what_a_server_says_is_one_line_without_the_password(
    address: str, way: str, says: str
) -> None:
    with pytest.raises(MuscallError) as told:
        push(Server(f"{address}/{way}/", "ann", "ä"), "rainy", [hit()])
    assert str(told.value) == f"{address}/{way}: {says}"


def test_no_server_is_one_line_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(MuscallError, match=f"http://127.0.0.1:{port}: Connection refused"):
        push(Server(f"http://127.0.0.1:{port}", "ann", "b"), "rainy", [hit()])
    for url in ("music.local", "file:///etc/passwd", "ftp://h"):
        with pytest.raises(MuscallError, match="no address of a server"):
            Server(url, "ann", "b")
