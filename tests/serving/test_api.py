"""What the API answers, and how it refuses."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from muscall.errors import MuscallError

UNKNOWN = "0" * 40


def search(served, **query: object) -> list[dict]:
    answer = served.client.get("/v1/search", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def keys(found: list[dict]) -> set[str]:
    """Of what was found, and of what sounds the same: noise does."""
    tracks = [track for one in found for track in (one["track"], *one["versions"])]
    return {track["key"] for track in tracks}


def test_status_and_errors(served) -> None:
    status = served.client.get("/v1/status").json()
    assert (status["tracks"], status["files"], status["failed"]) == (11, 12, 1)
    assert [folder["path"] for folder in status["folders"]] == [str(served.folder)]
    (failure,) = served.client.get("/v1/errors").json()
    assert failure["path"].endswith("broken.mp3")
    assert "not audio" in failure["reason"]


def test_a_sentence_finds_tracks(served) -> None:
    found = search(served, text="slow jazz", n=5)
    assert [one["rank"] for one in found] == [1, 2, 3, 4, 5]
    assert [one["relative_score"] for one in found] == sorted(
        (one["relative_score"] for one in found), reverse=True
    )
    assert all(one["passage"]["seconds"] == 2 for one in found)
    first = found[0]["track"]
    assert served.client.get(f"/v1/tracks/{first['key']}").json() == first
    assert first["title"] == Path(first["path"]).stem


def test_words_of_the_tags_and_filters_count(served) -> None:
    assert search(served, text="Ann quiet")[0]["track"]["key"] == served.key("flac.flac")
    (found,) = search(served, where='genre ~ "dub" and year < 2000')
    track = found["track"]
    assert (track["title"], track["artist"], track["year"]) == ("Quiet Song", "Ann", 1999)
    assert track["has_cover"]


def test_a_radio_and_a_path_are_answered(served) -> None:
    first, last = served.key("flac.flac"), served.key("wav.wav")
    found = served.client.get("/v1/walk", params={"start": first, "n": 3}).json()["results"]
    assert first not in keys(found)
    path = served.client.get("/v1/path", params={"start": first, "end": last, "n": 4}).json()
    ends = [one["track"]["key"] for one in path["results"]]
    assert (ends[0], ends[-1]) == (first, last)
    found = served.client.get("/v1/path", params={"start": first, "end": last, "where": "year > 1"})
    assert len(found.json()["results"]) == 2  # the ends, whatever the filter
    for asked, status in (
        ({"start": UNKNOWN}, 404),
        ({"start": "x"}, 422),
        ({"start": first, "n": 0}, 422),
        ({"start": first, "where": "yeer = 1"}, 422),
        ({}, 422),
    ):
        assert served.client.get("/v1/walk", params=asked).status_code == status
    assert served.client.get("/v1/path", params={"start": first}).status_code == 422


def test_of_several_filters_all_hold(served) -> None:
    (found,) = search(served, where=["genre ~ dub or title ~ wav", "year < 2000"])
    assert found["track"]["key"] == served.key("flac.flac")
    answer = served.client.get("/v1/search", params={"where": ["year > 1", "yeer > 1"]})
    assert (answer.status_code, "yeer" in answer.json()["detail"]) == (422, True)


def test_examples_are_not_found_themselves(served) -> None:
    examples = {served.key("flac.flac"), served.key("mp3.mp3")}
    found = keys(search(served, like=list(examples), n=50))
    assert len(found) == 9
    assert not found & examples


def test_an_upload_is_an_example(served) -> None:
    data = (served.folder / "wav.wav").read_bytes()
    answer = served.client.post("/v1/uploads", files={"file": ("../../x.wav", data)})
    assert answer.status_code == 201
    found = search(served, like=answer.json()["id"], n=50)
    assert keys(found) == {
        served.key(path.name)
        for path in served.folder.iterdir()
        if path.stem not in ("wav", "broken")
    }
    data = served.get("alac.m4a").content  # the same as FLAC, which the library does not have
    other = served.client.post("/v1/uploads", files={"file": ("x", data)})
    assert served.key("alac.m4a") in keys(search(served, like=other.json()["id"])[:1])


def test_strips_labels_and_places(served) -> None:
    key = served.key("flac.flac")
    waveform = served.client.get(f"/v1/tracks/{key}/waveform").json()
    assert len(waveform["peaks"]) == 200
    assert max(waveform["peaks"]) == 1
    assert waveform["matches"] == []
    waveform = served.client.get(f"/v1/tracks/{key}/waveform", params={"text": "jazz"}).json()
    assert len(waveform["matches"]) == 200
    assert all(0 <= match <= 1 for match in waveform["matches"])
    labels = served.client.get(f"/v1/tracks/{key}/labels", params={"n": 2}).json()
    kinds = [label["kind"] for label in labels]
    assert all(kinds.count(kind) == 2 for kind in kinds)
    points = served.client.get("/v1/map").json()
    assert len({point["key"] for point in points}) == 11
    assert all(0 <= point[axis] <= 1 for point in points for axis in "xy")
    place = served.client.get("/v1/map/project", params={"text": "jazz"}).json()
    assert 0 <= place["x"] <= 1
    assert served.client.get("/v1/map/project", params={"where": "year > 1"}).json() is None


def test_a_playlist(served) -> None:
    keys = [served.key("flac.flac"), served.key("mp3.mp3"), served.key("flac.flac")]
    answer = served.client.post("/v1/playlist", json={"keys": keys})
    assert answer.headers["content-type"].startswith("audio/x-mpegurl")
    assert answer.text.splitlines() == [
        "#EXTM3U",
        "#EXTINF:4,Ann - Quiet Song",
        str(served.folder / "flac.flac"),
        "#EXTINF:4,mp3",
        str(served.folder / "mp3.mp3"),
        "#EXTINF:4,Ann - Quiet Song",
        str(served.folder / "flac.flac"),
    ]


def test_a_cover(served) -> None:
    answer = served.get("flac.flac", "cover")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    assert served.get("mp3.mp3", "cover").status_code == 404


@pytest.mark.parametrize("what", ["", "/audio", "/cover", "/waveform", "/labels"])
@pytest.mark.parametrize(
    "key",
    [
        UNKNOWN,
        UNKNOWN[1:],
        UNKNOWN.replace("0", "A"),
        "' OR 1=1 --" + UNKNOWN,
        "..%2F..%2Fetc%2Fpasswd",
        "%2e%2e",
        UNKNOWN + "%00",
        UNKNOWN + "%0a",
    ],
)
def test_nothing_but_keys_leads_to_a_track(served, what: str, key: str) -> None:
    answer = served.client.get(f"/v1/tracks/{key}{what}")
    assert answer.status_code in (404, 422)
    assert "\n" not in answer.json()["detail"]


@pytest.mark.parametrize(
    ("wish", "status", "reason"),
    [
        ({}, 400, "the query is empty"),
        ({"text": "  "}, 400, "the query is empty"),
        ({"where": "1 = 1"}, 422, "filter"),
        ({"where": "year > 'x'; DROP TABLE tracks"}, 422, "filter"),
        ({"where": "path = (SELECT 1)"}, 422, "filter"),
        ({"text": "x", "n": 0}, 422, "query.n"),
        ({"text": "x", "n": 10**9}, 422, "query.n"),
        ({"text": "x" * 1001}, 422, "query.text"),
        ({"text": "x", "like": UNKNOWN}, 404, "no such track"),
        ({"text": "x", "like": "upload-" + "0" * 32}, 404, "no such upload"),
        ({"text": "x", "like": "' OR 1=1 --"}, 422, "query.like"),
        ({"text": "x", "path": "/etc/passwd"}, 422, "query.path"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_in_a_line(
    served, wish: dict, status: int, reason: str
) -> None:
    answer = served.client.get("/v1/search", params=wish)
    assert answer.status_code == status
    assert reason in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


@pytest.mark.parametrize(
    "text", ["\0", "\ud800", "(((", '"', "* -", "🎵" * 500, "a AND OR", "word " * 200]
)
def test_odd_sentences_are_sentences(served, text: str) -> None:
    answer = served.client.get(f"/v1/search?text={quote(text, errors='surrogatepass')}")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 50_000, b'{"keys": 3}', b'{"keys": ["\\ud800"]}']
)
def test_broken_bodies_are_refused_in_a_line(served, body: bytes) -> None:
    answer = served.client.post(
        "/v1/playlist", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert "\n" not in answer.json()["detail"]


def test_what_is_no_music_cannot_be_uploaded(served) -> None:
    for data, reason in ((b"no music", "not audio"), (b"", "empty file")):
        answer = served.client.post("/v1/uploads", files={"file": ("x.mp3", data)})
        assert answer.status_code == 422
        assert reason in answer.json()["detail"]
        assert "/" not in answer.json()["detail"]
    assert served.client.post("/v1/uploads", files={"other": ("x", b"x")}).status_code == 422


@pytest.mark.parametrize("what", ["uploads", "labels"])
def test_what_takes_long_keeps_no_sound_waiting(
    served, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    ended, playing, order = threading.Event(), served.key("mp3.mp3"), []

    def take_long(*_: object) -> None:
        ended.wait(60)
        order.append(what)
        raise MuscallError("no")

    monkeypatch.setattr(served.service, "upload", take_long)
    monkeypatch.setattr(served.service, "labels", take_long)

    def ask() -> None:
        if what == "labels":
            served.client.get(f"/v1/tracks/{playing}/labels")
        else:
            served.client.post("/v1/uploads", files={"file": ("a.mp3", b"a")})

    asking = [threading.Thread(target=ask) for _ in range(8)]
    for one in asking:
        one.start()
    time.sleep(1)  # until all of them are at it
    assert served.client.get(f"/v1/tracks/{playing}/audio").status_code == 200
    order.append("audio")
    ended.set()
    for one in asking:
        one.join()
    assert order == ["audio", *[what] * 8]


def test_errors_tell_nothing_of_the_inside(served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("/secret/place")

    monkeypatch.setattr(served.service, "search", fail)
    answer = served.client.get("/v1/search?text=x")
    assert answer.status_code == 500
    assert answer.json() == {"detail": "the server failed at this; its log tells more"}


def test_searching_while_indexing(fresh, sing) -> None:
    for seed in range(12):
        sing(fresh.folder / f"{seed}.flac", 100 + seed)
    problems, counts = [], []

    def listen() -> None:
        while fresh.service.indexing.state == "running":
            answer = fresh.client.get("/v1/search", params={"text": "jazz", "n": 50})
            if answer.status_code != 200:
                problems.append(answer.text)
            else:
                counts.append(len(keys(answer.json()["results"])))

    assert fresh.client.post("/v1/indexing", json={"action": "start"}).json()["state"] == "running"
    listeners = [threading.Thread(target=listen) for _ in range(3)]
    for listener in listeners:
        listener.start()
    for listener in listeners:
        listener.join()
    assert not problems
    assert counts[0] >= 3
    assert len(keys(search(fresh, text="jazz", n=50))) == 15
    state = fresh.client.get("/v1/indexing").json()
    assert state == {
        "state": "idle",
        "progress": None,
        "report": "12 added, 3 unchanged",
        "error": None,
    }


def test_the_description_is_complete(served) -> None:
    description = json.loads(served.client.get("/v1/openapi.json").text)
    routes = {(path, verb) for path, item in description["paths"].items() for verb in item}
    assert ("/v1/tracks/{key}/audio", "get") in routes
    for path, verb in routes:
        assert path.startswith("/v1/")
        assert description["paths"][path][verb]["description"]
