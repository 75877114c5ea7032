"""Only the key opens, in each of the ways that apps have to show it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from muscall import Library
from muscall.serving.app import build
from tests.serving.subsonic.conftest import KEY, Server


def token(salt: str, key: str = KEY) -> str:
    return hashlib.md5((key + salt).encode()).hexdigest()


def outcome(client: TestClient, name: str = "ping", **given: str) -> int | None:
    """The code of the error that is answered; None for a success."""
    answer = client.get(f"/rest/{name}", params={"f": "json", **given})
    assert answer.status_code == 200
    found = answer.json()["subsonic-response"]
    if found["status"] == "ok":
        return None
    assert found["error"]["message"]
    return int(found["error"]["code"])


RIGHT = [
    {"u": "ann", "p": KEY},
    {"u": "bob", "p": f"enc:{KEY.encode().hex()}"},
    {"u": "ann", "s": "c19b2d", "t": token("c19b2d")},
    {"u": "ann", "s": "", "t": token("")},
    {"u": "ann", "s": "c19b2d", "t": token("c19b2d").upper()},
    {"apiKey": KEY},
]
WRONG = [
    (10, {}),
    (10, {"u": "ann"}),
    (10, {"p": KEY}),
    (10, {"u": "ann", "t": token("c19b2d")}),
    (40, {"u": "ann", "p": "wrong"}),
    (40, {"u": "ann", "p": ""}),
    (40, {"u": "ann", "p": f"enc:{b'wrong'.hex()}"}),
    (40, {"u": "ann", "p": "enc:no hex"}),
    (40, {"u": "ann", "p": "enc:ff"}),
    (40, {"u": "ann", "p": f"enc:{KEY}"}),
    (40, {"u": "ann", "s": "c19b2d", "t": token("other")}),
    (40, {"u": "ann", "s": "c19b2d", "t": token("c19b2d", "wrong")}),
    (40, {"u": "ann", "s": "c19b2d", "t": "é"}),
    (43, {"u": "ann", "apiKey": KEY}),
    (43, {"u": "ann", "p": KEY, "s": "c19b2d", "t": token("c19b2d")}),
    (43, {"p": KEY, "apiKey": KEY}),
    (44, {"apiKey": "wrong"}),
    (44, {"apiKey": ""}),
]


@pytest.mark.parametrize("given", RIGHT)
def test_the_key_opens(server: Server, given: dict[str, str]) -> None:
    assert outcome(server.client, **given) is None
    answer = server.client.post("/rest/ping.view", data={"f": "json", **given})
    assert answer.json()["subsonic-response"]["status"] == "ok"


@pytest.mark.parametrize(("code", "given"), WRONG)
def test_nothing_else_does(server: Server, code: int, given: dict[str, str]) -> None:
    for name in ("ping", "getArtists", "getPlaylists", "stream", "nothing"):
        assert outcome(server.client, name, **given) == code


def test_what_can_be_shown_is_told_to_everybody(server: Server) -> None:
    assert outcome(server.client, "getOpenSubsonicExtensions") is None


def test_headers_and_cookies_do_not(server: Server) -> None:
    headers = {"authorization": f"Bearer {KEY}", "cookie": "muscall=x", "x-api-key": KEY}
    answer = server.client.get("/rest/ping", params={"f": "json"}, headers=headers)
    assert answer.json()["subsonic-response"]["error"]["code"] == 42


def test_refusals_come_in_xml_too(server: Server) -> None:
    answer = server.client.get("/rest/ping", params={"u": "ann", "p": "wrong"})
    root = ElementTree.fromstring(answer.content)
    assert root.get("status") == "failed"
    assert root[0].get("code") == "40"
    assert "key of the server" in (root[0].get("message") or "")


def test_apps_may_be_of_any_site_and_only_here(server: Server) -> None:
    elsewhere = {"origin": "https://app.example", "sec-fetch-site": "cross-site"}
    params = {"u": "ann", "p": KEY}
    answer = server.client.get("/rest/ping", params=params, headers=elsewhere)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    for path in ("/v1/status", "/rest", "/rest/a/b", "/rest/../v1/status"):
        answer = server.client.get(path, params=params, headers=elsewhere)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


@pytest.fixture
def open_server(app_library: Library, tmp_path: Path) -> Iterator[TestClient]:
    """The library for this machine alone, without a key."""
    app = build(app_library, cache=tmp_path, page=False)
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        yield client


def test_without_a_key_this_machine_needs_none(open_server: TestClient) -> None:
    assert outcome(open_server) is None
    assert outcome(open_server, u="ann", p="anything") is None
    for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}):
        answer = open_server.get("/rest/ping", headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_large_forms_are_refused(server: Server) -> None:
    form = {"u": "ann", "p": KEY, "name": "x" * (2 << 20)}
    assert server.client.post("/rest/createPlaylist", data=form).status_code == 413
