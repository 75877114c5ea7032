"""Saved playlists over HTTP."""

from __future__ import annotations

from pathlib import Path

UNKNOWN = "0" * 40


def test_a_playlist_is_saved_shown_and_removed(fresh) -> None:
    client, key = fresh.client, fresh.key("flac.flac")
    assert client.get("/v1/playlists").json() == []
    asked = {"text": "calm", "where": ["duration > 1", "duration < 99"], "n": 2}
    found = client.put("/v1/playlists/rainy day", json=asked)
    assert found.status_code == 200, found.text
    assert found.json()["results"]
    assert client.get("/v1/playlists/rainy day").json() == found.json()
    client.put("/v1/playlists/radio", json={"way": "walk", "like": [key]})
    assert [one["name"] for one in client.get("/v1/playlists").json()] == ["radio", "rainy day"]
    assert client.get("/v1/playlists").json()[1] == {
        "name": "rainy day", "way": "search", "text": "calm", "like": [], "unlike": [],
        "avoid": [], "where": "(duration > 1) and (duration < 99)", "n": 2, "max_per_artist": None,
    }  # fmt: skip
    written = Path(fresh.service.library.store.folder) / "playlists" / "rainy day.m3u8"
    listed = client.get("/v1/playlists/rainy day/m3u8")
    assert listed.headers["content-type"].startswith("audio/x-mpegurl")
    assert written.read_text() == listed.text
    assert client.delete("/v1/playlists/rainy day").status_code == 204
    assert not written.exists()
    assert client.get("/v1/playlists/rainy day").status_code == 404


def test_what_cannot_be_saved_is_refused(fresh) -> None:
    client, key = fresh.client, fresh.key("flac.flac")
    for name, asked, status in (
        ("a:b", {"text": "calm"}, 400),
        ("a", {}, 400),
        ("a", {"like": [UNKNOWN]}, 404),
        ("a", {"like": ["/etc/passwd"]}, 422),
        ("a", {"text": "calm", "file": "/tmp/a.m3u8"}, 422),  # not wherever a client says
        ("a", {"where": ["yeer = 1"]}, 422),
        ("a", {"way": "path", "like": [key]}, 400),
        ("a", {"text": "calm", "n": 0}, 422),
    ):
        answer = client.put(f"/v1/playlists/{name}", json=asked)
        assert (answer.status_code, list(answer.json())) == (status, ["detail"]), asked
    assert client.get("/v1/playlists").json() == []
    assert client.delete("/v1/playlists/a").status_code == 404


def test_another_site_can_neither_save_nor_remove(fresh) -> None:
    elsewhere = {"Origin": "https://evil.example"}
    asked = fresh.client.put("/v1/playlists/a", json={"text": "calm"}, headers=elsewhere)
    assert asked.status_code == 403
    assert fresh.client.delete("/v1/playlists/a", headers=elsewhere).status_code == 403
