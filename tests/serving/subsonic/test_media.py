"""Sound as it is, in ranges and in other formats; covers."""

from __future__ import annotations

import io

import av
import pytest

from muscall.audio import decode
from tests.serving.subsonic.conftest import KEY, PNG, Server

FIRST = "Ann/First/1 Dawn.flac"
FORMATS = {
    "aac": ("audio/aac", "aac"),
    "flac": ("audio/flac", "flac"),
    "mp3": ("audio/mpeg", "mp3float"),
    "opus": ("audio/ogg", "opus"),
    "wav": ("audio/wav", "pcm_s16le"),
}


def media(server: Server, name: str, headers: dict[str, str] | None = None, **asked: object):
    params = {"u": "ann", "p": KEY, "f": "json"} | asked
    return server.client.get(f"/rest/{name}", params=params, headers=headers)


def test_files_are_sent_as_they_are(server: Server) -> None:
    data = (server.folder / FIRST).read_bytes()
    for name, asked in (
        ("download", {}),
        ("stream", {}),
        ("stream", {"format": "raw"}),
        ("stream", {"format": "flac"}),
        ("stream", {"format": "unheard-of"}),
        ("stream", {"maxBitRate": 10_000}),
        ("stream", {"maxBitRate": 0}),
    ):
        answer = media(server, name, id=server.id(FIRST), **asked)
        assert (answer.status_code, answer.content) == (200, data)
        assert answer.headers["content-type"] == "audio/flac"
        assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("name", ["download", "stream"])
def test_a_range_is_that_part(server: Server, name: str) -> None:
    data = (server.folder / FIRST).read_bytes()
    asked = {"id": server.id(FIRST)}
    part = media(server, name, {"range": "bytes=10-19"}, **asked)
    assert (part.status_code, part.content) == (206, data[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(data)}"
    form = {"u": "ann", "p": KEY, **asked}
    sent = server.client.post(f"/rest/{name}", data=form, headers={"range": "bytes=-5"})
    assert (sent.status_code, sent.content) == (206, data[-5:])
    beyond = media(server, name, {"range": f"bytes={len(data)}-"}, **asked)
    assert beyond.status_code == 416


@pytest.mark.parametrize("name", FORMATS)
def test_sound_is_sent_in_the_format_that_is_asked_for(server: Server, name: str) -> None:
    song = "loose/untagged.wav" if name == "flac" else FIRST
    answer = media(server, "stream", id=server.id(song), format=name.upper())
    kind, codec = FORMATS[name]
    assert answer.headers["content-type"] == kind
    seconds = len(decode.read(server.folder / song, sample_rate=8000)) / 8000
    with av.open(io.BytesIO(answer.content)) as file:
        (stream,) = file.streams.audio
        assert stream.codec_context.name == codec
        assert stream.codec_context.channels == 2
        length = sum(frame.samples for frame in file.decode(stream)) / stream.sample_rate
    assert length == pytest.approx(seconds, abs=0.1)
    part = media(server, "stream", {"range": "bytes=5-9"}, id=server.id(song), format=name)
    assert (part.status_code, part.content) == (206, answer.content[5:10])


def test_what_has_too_many_kilobits_is_sent_with_fewer(server: Server) -> None:
    song = server.get("getSong", id=server.id("loose/untagged.wav"))["song"]
    assert song["bitRate"] == pytest.approx(256, abs=5)
    for most, sent, wanted in ((100, 96, "mp3"), (64, 64, "flac"), (1, 32, "")):
        answer = media(server, "stream", id=song["id"], maxBitRate=most, format=wanted)
        assert answer.headers["content-type"] == "audio/mpeg"
        kilobits = len(answer.content) / 125 / song["duration"]
        assert kilobits == pytest.approx(sent, rel=0.1)


def test_covers_are_found_on_songs_albums_artists_and_playlists(server: Server, kept) -> None:
    assert not kept.exists()
    song = server.get("getSong", id=server.id(FIRST))["song"]
    made = server.get("createPlaylist", name="x", songId=song["id"])["playlist"]
    for id_ in (song["id"], song["albumId"], song["artistId"], made["coverArt"]):
        answer = media(server, "getCoverArt", id=id_, size=300)
        assert (answer.headers["content-type"], answer.content) == ("image/png", PNG)


def test_what_is_missing_or_unknown_is_named(server: Server) -> None:
    for name in ("stream", "download", "getCoverArt"):
        assert server.refused(name)[0] == 10
        for id_ in ("x", "", "0" * 40, "../../etc/passwd"):
            assert server.refused(name, id=id_)[0] == 70
    assert server.refused("getCoverArt", id=server.id("loose/untagged.wav"))[0] == 70
    assert server.refused("stream", id=server.id(FIRST), maxBitRate="fast")[0] == 0


def test_head_is_get_without_a_body(server: Server) -> None:
    params = {"u": "ann", "p": KEY, "id": server.id(FIRST)}
    answer = server.client.head("/rest/stream", params=params)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == (server.folder / FIRST).stat().st_size
