"""Only what was indexed is served, whatever happens to its files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mutagen
import numpy as np
import pytest

from muscall import Library, MusCALL
from muscall.audio.waveform import measure
from muscall.errors import MuscallError, NotFound
from muscall.library.cache import Cache
from muscall.library.search.query import SearchQuery
from muscall.library.store import Store
from muscall.serving.service import Service


def test_a_retagged_file_plays_a_replaced_one_does_not(fresh, sing) -> None:
    path = fresh.folder / "mp3.mp3"
    key = fresh.key("mp3.mp3")
    file = mutagen.File(path, easy=True)
    file["title"] = "New"
    file.save()
    assert fresh.service.file(key) == path
    assert fresh.client.get(f"/v1/tracks/{key}/audio").content == path.read_bytes()
    sing(path, 99)
    for what in ("audio", "cover"):
        answer = fresh.client.get(f"/v1/tracks/{key}/{what}")
        assert answer.status_code == 404
        assert str(fresh.folder) not in answer.text
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert fresh.client.get(f"/v1/tracks/{key}/audio").status_code == 404
    path.unlink()
    assert fresh.client.get(f"/v1/tracks/{key}/audio").status_code == 404
    assert fresh.client.get(f"/v1/tracks/{key}").status_code == 200  # it may be back tomorrow


def test_a_copy_stands_in(fresh) -> None:
    key = fresh.key("mp3.mp3")
    shutil.copy(fresh.folder / "mp3.mp3", fresh.folder / "copy.mp3")
    fresh.service.library.index(workers=1)
    (fresh.folder / "mp3.mp3").unlink()
    assert fresh.service.file(key).name == "copy.mp3"


def test_what_is_offline_is_on_no_map_and_in_no_search(fresh) -> None:
    key = fresh.key("mp3.mp3")
    assert key in {point.key for point in fresh.service.map()}
    (fresh.folder / "mp3.mp3").unlink()
    fresh.service.library.index()
    assert key not in {point.key for point in fresh.service.map()}
    assert key not in {
        found.track.key for found in fresh.service.search(SearchQuery("jazz")).results
    }
    with pytest.raises(NotFound):
        fresh.service.audio(key)


def test_a_file_damaged_later_is_told_in_a_line(fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    key = fresh.key("aiff.aiff")
    monkeypatch.setattr("muscall.serving.service._holds", lambda *_: True)
    (fresh.folder / "aiff.aiff").write_bytes(b"no sound")
    without_waveforms(fresh)
    for what in ("audio", "waveform"):
        answer = fresh.client.get(f"/v1/tracks/{key}/{what}")
        assert answer.status_code == 422
        assert "not audio, or damaged" in answer.json()["detail"]
        assert str(fresh.folder) not in answer.text


def without_waveforms(served) -> None:
    """Let the library be one of an earlier version, which has no waveforms."""
    library = served.service.library
    library.store.tracks(library.embedding_version).drop_columns(["waveform"])
    library.store = Store(library.store.folder)


def test_a_waveform_is_of_the_indexed_sound_and_asks_for_no_file(fresh) -> None:
    names = "mp3.mp3", "aiff.aiff"
    keys = [fresh.key(name) for name in names]
    rate = fresh.service.library.model.config.audio.sample_rate
    expected = [[bar / 255 for bar in measure(fresh.folder / name, rate)] for name in names]
    shutil.rmtree(fresh.folder)
    fresh.folder.mkdir()
    for offline in (False, True):
        if offline:
            fresh.service.library.index()
        found = [fresh.service.waveform(key, SearchQuery()).peaks for key in keys]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_library_of_an_earlier_version_has_the_same_waveforms(fresh) -> None:
    key = fresh.key("mp3.mp3")
    stored = fresh.service.waveform(key, SearchQuery())
    without_waveforms(fresh)
    assert fresh.service.waveform(key, SearchQuery()) == stored
    (fresh.folder / "mp3.mp3").unlink()
    fresh.service._bars = Cache(fresh.folder / "empty", 1 << 20)
    with pytest.raises(NotFound):
        fresh.service.waveform(key, SearchQuery())


def test_matches_tell_where_a_track_is_like_a_wish(fresh) -> None:
    key = fresh.key("mp3.mp3")
    waveform = fresh.service.waveform(key, SearchQuery(like=(key,)))
    assert len(waveform.matches) == len(waveform.peaks)
    assert fresh.service.waveform(key, SearchQuery()).matches == []
    assert fresh.service.waveform(key, SearchQuery(where="year > 1")).matches == []


def test_a_playlist_holds_any_name(fresh, sing) -> None:
    odd = sing(fresh.folder / "two\nlines é.flac", 50)
    fresh.service.library.index(workers=1)
    text = fresh.service.playlist([fresh.key(odd.name), fresh.key("mp3.mp3")])
    first, info, address, _, path = text.splitlines()
    assert (first, info) == ("#EXTM3U", r"#EXTINF:4,two\nlines é")
    assert address == odd.as_uri()
    assert path == str(fresh.folder / "mp3.mp3")
    with pytest.raises(NotFound):
        fresh.service.playlist(["0" * 40])


def test_an_empty_library_is_served(tiny_model: MusCALL, tmp_path: Path) -> None:
    service = Service(Library(tmp_path / "none", tiny_model), tmp_path / "cache")
    assert service.status().embedding_versions == []
    assert service.errors() == []
    assert service.map() == []
    assert service.project(SearchQuery("jazz")) is None
    with pytest.raises(MuscallError, match="no library there"):
        service.search(SearchQuery("jazz"))
    with pytest.raises(NotFound):
        service.track("0" * 40)
    assert not (tmp_path / "none").exists()


def test_an_upload_is_forgotten(fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muscall.serving.uploads._MOST", 2)
    with (fresh.folder / "mp3.mp3").open("rb") as data:
        ids = []
        for _ in range(3):
            data.seek(0)
            ids.append(fresh.service.upload("a.mp3", data))
    assert fresh.service.search(SearchQuery(like=(ids[2],))).results
    with pytest.raises(NotFound, match="upload it again"):
        fresh.service.search(SearchQuery(like=(ids[0],)))
    monkeypatch.setattr("muscall.serving.uploads.time.monotonic", lambda: 1e12)
    with pytest.raises(NotFound, match="upload it again"):
        fresh.service.search(SearchQuery(like=(ids[2],)))


def test_a_server_that_searches_and_describes_loads_no_torch(sing, tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    for number in range(3):
        sing(tmp_path / "songs" / f"{number}.flac", number)
    Library(tmp_path / "library").index([tmp_path / "songs"], workers=1)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from muscall import Library\n"
        "from muscall.library.search.query import SearchQuery\n"
        "from muscall.serving.app import build\n"
        "folder = Path(sys.argv[1])\n"
        "service = build(Library(folder / 'library'), cache=folder / 'cache').state.service\n"
        "query = SearchQuery(text='slow jazz')\n"
        "for found in service.search(query).results:\n"
        "    service.labels(found.track.key)\n"
        "    service.waveform(found.track.key, query)\n"
        "    service.walk(found.track.key, 2, '')\n"
        "assert 'torch' not in sys.modules\n"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, env=environment)
