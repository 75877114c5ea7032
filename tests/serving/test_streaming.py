"""Sound reaches browsers as they can play it, whole and in ranges."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from muscall.audio import decode
from muscall.errors import AudioError
from muscall.serving.streaming import transcode

AS_THEY_ARE = {
    "aac.m4a": "audio/mp4",
    "adts.aac": "audio/aac",
    "flac.flac": "audio/flac",
    "mp3.mp3": "audio/mpeg",
    "opus.opus": "audio/ogg",
    "vorbis.ogg": "audio/ogg",
    "wav.wav": "audio/wav",
}
MADE = ("adpcm.wav", "aiff.aiff", "alac.m4a", "wma.wma")


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_what_browsers_play_is_sent_as_it_is(served, name: str) -> None:
    answer = served.get(name)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == AS_THEY_ARE[name]
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.content == (served.folder / name).read_bytes()


@pytest.mark.parametrize("name", MADE)
def test_other_files_become_flac_that_sounds_the_same(served, name: str) -> None:
    answer = served.get(name)
    assert answer.headers["content-type"] == "audio/flac"
    sound, rate = soundfile.read(io.BytesIO(answer.content), dtype="float32")
    assert sound.shape[1] == 2
    expected = decode.read(served.folder / name, sample_rate=rate)
    count = min(len(expected), len(sound))
    assert count > 0.98 * len(expected)
    np.testing.assert_allclose(sound.mean(axis=1)[:count], expected[:count], atol=2e-4)
    assert served.get(name).content == answer.content
    part = served.get(name, range="bytes=100-199")
    assert (part.status_code, part.content) == (206, answer.content[100:200])


@pytest.mark.parametrize("name", ["opus.opus", "vorbis.ogg", "mp3.mp3", "flac.flac"])
def test_whoever_plays_less_gets_flac(served, name: str) -> None:
    address = f"/v1/tracks/{served.key(name)}/audio"
    answer = served.client.get(address, params={"as": "flac"})
    assert answer.headers["content-type"] == "audio/flac"
    sound, rate = soundfile.read(io.BytesIO(answer.content), dtype="float32")
    expected = decode.read(served.folder / name, sample_rate=rate)
    assert len(sound) == pytest.approx(len(expected), rel=0.02)
    assert served.client.get(address, params={"as": "mp3"}).status_code == 422


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("0-", 0, None), ("0-0", 0, 1), ("10-19", 10, 20), ("-7", -7, None), ("5-99999999", 5, None)],
)
def test_a_range_is_that_part(served, asked: str, first: int, last: int | None) -> None:
    whole = (served.folder / "mp3.mp3").read_bytes()
    answer = served.get("mp3.mp3", range=f"bytes={asked}")
    assert answer.status_code == 206
    assert answer.content == whole[first:last]
    start = range(len(whole))[first]
    end = start + len(answer.content) - 1
    assert answer.headers["content-range"] == f"bytes {start}-{end}/{len(whole)}"
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=",
        "bytes=-",
        "bytes=5-4",
        "bytes=a-b",
        "items=0-1",
        "0-1",
        "bytes=0-1,3-4",
        "bytes=+1-2",
    ],
)
def test_what_is_no_range_is_answered_with_all(served, asked: str) -> None:
    answer = served.get("mp3.mp3", range=asked)
    assert answer.status_code == 200
    assert answer.content == (served.folder / "mp3.mp3").read_bytes()


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=99999999-999999999", "bytes=-0"])
def test_a_range_beyond_the_end_cannot_be_had(served, asked: str) -> None:
    size = (served.folder / "mp3.mp3").stat().st_size
    answer = served.get("mp3.mp3", range=asked)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"
    assert answer.json() == {"detail": f"the file has {size} bytes"}


def test_a_range_of_what_was_there_before_is_not_mixed_with_what_is_there(served) -> None:
    headers = served.get("mp3.mp3").headers
    for known, status in ((headers["etag"], 206), (headers["last-modified"], 206), ('"old"', 200)):
        answer = served.get("mp3.mp3", **{"range": "bytes=0-9", "if-range": known})
        assert answer.status_code == status


def test_a_head_has_no_body(served) -> None:
    client: TestClient = served.client
    answer = client.head(f"/v1/tracks/{served.key('mp3.mp3')}/audio")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == (served.folder / "mp3.mp3").stat().st_size
    assert not answer.content


def test_a_damaged_file_is_sent_as_far_as_it_goes(served, tmp_path: Path) -> None:
    whole = (served.folder / "alac.m4a").read_bytes()
    damaged = tmp_path / "alac.m4a"
    middle = len(whole) // 2
    damaged.write_bytes(whole[:middle] + os.urandom(2000) + whole[middle + 2000 :])
    transcode(damaged, tmp_path / "made.flac")
    sound, rate = soundfile.read(tmp_path / "made.flac")
    assert 0.4 * 4 < len(sound) / rate <= 4.1
    (tmp_path / "text.wma").write_bytes(b"no music")
    with pytest.raises(AudioError):
        transcode(tmp_path / "text.wma", tmp_path / "none.flac")
