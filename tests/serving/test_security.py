"""Strangers, other sites and hostile requests are kept out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from muscall import Library, MusCALL
from muscall.errors import MuscallError
from muscall.serving.app import build
from muscall.serving.security import check

KEY = "correct-horse-battery"


@pytest.fixture(scope="module")
def locked(tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server with a key, over an empty library."""
    folder = tmp_path_factory.mktemp("locked")
    library = Library(folder / "library", tiny_model)
    app = build(
        library,
        host="0.0.0.0",
        api_key=KEY,
        cache=folder / "cache",
        page=False,
        allowed_origins=["https://allowed.example.com"],
    )
    with TestClient(app, base_url="http://music.local:8765") as client:
        yield client


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.7", "::", "music.local"])
def test_others_are_served_only_with_a_key(host: str) -> None:
    with pytest.raises(MuscallError, match="not without a key"):
        check(host, None)
    check(host, KEY)


def test_a_key_must_be_hard_to_guess() -> None:
    for key in ("", "short", "with spaces in between", "schlüssel-schlüssel", KEY + "\n"):
        with pytest.raises(MuscallError, match="API key"):
            check("127.0.0.1", key)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "LOCALHOST:1", "[::1]:8765"])
def test_names_of_this_machine_are_served(served, host: str) -> None:
    assert served.client.get("/v1/status", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8765",
        "localhost.evil.example",
        "127.0.0.1.evil",
        "",
        "[",
        "a:b:c",
    ],
)
def test_names_that_others_let_point_here_are_not(served, host: str) -> None:
    answer = served.client.get("/v1/status", headers={"host": host})
    assert (answer.status_code, answer.json()) == (403, {"detail": "this host name is not served"})


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3000"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    ],
)
def test_other_sites_are_refused(served, headers: dict[str, str]) -> None:
    for verb, path in (("GET", "/v1/status"), ("POST", "/v1/indexing"), ("POST", "/v1/uploads")):
        answer = served.client.request(verb, path, headers=headers)
        assert (answer.status_code, answer.json()) == (
            403,
            {"detail": "not to be used by other sites"},
        )
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert served.client.post("/v1/indexing", headers=link).status_code == 403


def test_the_page_itself_and_links_to_it_are_not(served) -> None:
    for headers in (
        {"origin": "http://127.0.0.1:8765", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ):
        assert served.client.get("/v1/status", headers=headers).status_code == 200


def test_websockets_of_other_sites_are_refused(served) -> None:
    for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
        with (
            pytest.raises(WebSocketDisconnect) as refused,
            served.client.websocket_connect("/_nicegui_ws/", headers=headers),
        ):
            pass
        assert refused.value.code == 1008


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "203.0.113.7"},
        {"forwarded": "for=203.0.113.7"},
        {"x-real-ip": "203.0.113.7"},
        {"via": "1.1 proxy"},
        {"x-forwarded-prefix": "/music"},
    ],
)
def test_without_a_key_nothing_comes_through_a_proxy(served, headers: dict[str, str]) -> None:
    answer = served.client.get("/v1/status", headers=headers)
    assert answer.status_code == 403
    assert "--api-key" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("music.example.com", "https://music.example.com:8443", 200),
        ("music.example.com:443", "https://music.example.com", 200),
        ("MUSIC.example.com:8765", "http://music.Example.com", 200),
        ("[::1]:8765", "http://[::1]", 200),
        ("127.0.0.1:8765", "https://allowed.example.com", 200),
        ("127.0.0.1:8765", "https://allowed.example.com:8443", 403),
        ("127.0.0.1:8765", "https://music.example.com", 403),
        ("music.example.com:8765", "http://music.example.com:3000", 403),
        ("music.example.com", "null", 403),
        ("", "https://", 403),
    ],
)
def test_behind_a_proxy_names_are_compared(
    locked: TestClient, host: str, origin: str, status: int
) -> None:
    headers = {"x-api-key": KEY, "host": host, "origin": origin, "x-forwarded-for": "203.0.113.7"}
    assert locked.get("/v1/status", headers=headers).status_code == status


def test_under_a_sub_path_the_browser_stays_there(locked: TestClient) -> None:
    proxied = {"x-forwarded-prefix": "/music", "x-forwarded-proto": "https"}
    asked = locked.get("/", headers={"accept": "text/html", **proxied}, follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/music/login")
    right = locked.post("/login", data={"key": KEY}, headers=proxied, follow_redirects=False)
    assert right.headers["location"] == "/music/"
    assert "Path=/music/" in right.headers["set-cookie"]
    assert "Secure" in right.headers["set-cookie"]
    for wrong in ("//evil.example", "https://evil.example", '/a"onload='):
        headers = {"accept": "text/html", "x-forwarded-prefix": wrong}
        asked = locked.get("/", headers=headers, follow_redirects=False)
        assert asked.headers["location"] == "/login"
    locked.cookies.clear()


def test_head_is_get_without_a_body(served) -> None:
    key = served.get("mp3.mp3").request.url.path.split("/")[3]
    for path in ("/v1/status", f"/v1/tracks/{key}/cover", f"/v1/tracks/{key}/audio"):
        head, got = served.client.head(path), served.client.get(path)
        assert head.status_code == got.status_code
        assert head.content == b""
        assert head.headers["content-type"] == got.headers["content-type"]
    assert served.client.head("/v1/nothing").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [{"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {KEY}"}],
)
def test_the_key_opens(locked: TestClient, headers: dict[str, str]) -> None:
    assert locked.get("/v1/status", headers=headers).status_code == 200
    assert locked.get("/v1/openapi.json", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": KEY + "x"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": KEY},
        {"cookie": f"muscall={KEY}"},
        {"cookie": "muscall="},
    ],
)
def test_nothing_else_does(locked: TestClient, headers: dict[str, str]) -> None:
    for path in (
        "/v1/status",
        "/v1/openapi.json",
        "/v1/tracks/" + "0" * 40,
        "/_nicegui/x.js",
        "/v1",
    ):
        answer = locked.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"detail": "an API key is needed"})
    assert locked.post("/v1/indexing", json={"action": "start"}, headers=headers).status_code == 401


def test_a_browser_is_asked_for_the_key_once(locked: TestClient) -> None:
    browser = {"accept": "text/html"}
    asked = locked.get("/", headers=browser, follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/login")
    assert "<form" in locked.get("/login").text
    wrong = locked.post("/login", data={"key": "wrong"})
    assert wrong.status_code == 401
    assert "not the key" in wrong.text
    assert "set-cookie" not in wrong.headers
    right = locked.post("/login", data={"key": KEY}, follow_redirects=False)
    assert (right.status_code, right.headers["location"]) == (303, "/")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert KEY not in cookie
    assert locked.get("/v1/status").status_code == 200
    locked.cookies.clear()


def test_every_answer_is_secured(served, locked: TestClient) -> None:
    for answer in (
        served.client.get("/v1/status"),
        served.get("mp3.mp3"),
        served.client.get("/nothing"),
        served.client.get("/v1/status", headers={"host": "evil"}),
        locked.get("/login"),
        locked.get("/v1/status"),
    ):
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


def test_bodies_are_bounded(served, monkeypatch: pytest.MonkeyPatch) -> None:
    big = b"[" + b" " * (1 << 20) + b"]"

    def pieces() -> Iterator[bytes]:  # without a Content-Length
        yield big

    for content in (big, pieces()):
        answer = served.client.post(
            "/v1/playlist", content=content, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()) == (
            413,
            {"detail": "the body has more than 1 MiB"},
        )
    monkeypatch.setattr("muscall.serving.security.LARGEST", 1 << 20)
    answer = served.client.post("/v1/uploads", files={"file": ("x.wav", bytes(2 << 20))})
    assert answer.status_code == 413
    monkeypatch.setattr("muscall.serving.uploads.LARGEST", 1 << 19)
    answer = served.client.post("/v1/uploads", files={"file": ("x.wav", bytes(1 << 20))})
    assert answer.status_code == 413


def test_uploads_are_bounded_in_number_and_time(served, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (served.folder / "wav.wav").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("muscall.serving.security._MOST_UPLOADS", 0)
        answer = served.client.post("/v1/uploads", files={"file": ("x.wav", data)})
        assert (answer.status_code, answer.json()) == (503, {"detail": "too many uploads at once"})
    with monkeypatch.context() as patch:
        patch.setattr("muscall.serving.uploads._PATIENCE", 1e-6)
        answer = served.client.post("/v1/uploads", files={"file": ("x.wav", data)})
        assert answer.status_code == 422
        assert "cannot be heard within" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/v1/../../etc/passwd",
        "/v1/tracks/..%2f..%2f..%2fetc%2fpasswd/audio",
        "/v1/tracks/%2fetc%2fpasswd/audio",
        "/v1//etc/passwd",
        "//etc/passwd",
        "/v1/tracks/file:%2f%2f%2fetc%2fpasswd/audio",
        "/v1/tracks/\x00/audio".replace("\x00", "%00"),
    ],
)
def test_no_path_leads_to_other_files(served, path: str) -> None:
    answer = served.client.get(path)
    assert answer.status_code in (404, 422)
    assert "root:" not in answer.text


def test_headers_that_name_other_places_change_nothing(served) -> None:
    for headers in (
        {"x-original-url": "/etc/passwd", "x-rewrite-url": "/etc/passwd"},
        {"x-sendfile": "/etc/passwd", "x-accel-redirect": "/etc/passwd"},
        {"range": "bytes=0-" + "9" * 5000},
        {"range": "bytes=" + "0-1," * 5000 + "0-1"},
        {"if-range": '"x"\r\nx: y'.replace("\r\n", " ")},
        {"accept-encoding": "x" * 10_000},
    ):
        answer = served.get("mp3.mp3", **headers)
        assert answer.status_code in (200, 206)
        assert answer.content == (served.folder / "mp3.mp3").read_bytes()


def test_a_library_elsewhere_stays_there(locked: TestClient, tmp_path: Path) -> None:
    # Which folders are indexed is decided on the machine itself, not by what is sent.
    answer = locked.post(
        "/v1/indexing",
        json={"action": "start", "folders": [str(tmp_path)]},
        headers={"x-api-key": KEY},
    )
    assert answer.status_code == 422
