"""Requests under a name: their lists follow the library."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from muscall import Library, MusCALL
from muscall.errors import MuscallError, NotFound
from muscall.library.playlists.saved import Request

Sing = Callable[..., Path]


@pytest.fixture
def library(songs: Path, tiny_model: MusCALL, tmp_path: Path) -> Library:
    library = Library(tmp_path / "library", tiny_model)
    library.index([songs], workers=1)
    return library


def listed(file: Path) -> list[str]:
    return file.read_text().splitlines()[2::2]


def save(library: Library, name: str = "rainy", **asked: Any) -> Path:
    library.playlists.save(name, Request(**asked))
    return library.playlists.get(name).file


def test_a_list_is_written_and_follows_every_index_run(
    library: Library, songs: Path, sing: Sing
) -> None:
    file = save(library, where="year = 1999 or duration > 6")
    assert file == Path(library.store.folder) / "playlists" / "rainy.m3u8"
    before = sorted(str(path) for path in songs.iterdir())
    assert sorted(listed(file)) == before
    new = sing(songs / "new.flac", 9, 7.0)
    (songs / "a.flac").rename(songs / "moved.flac")
    library.index(workers=1, dry_run=True)
    assert sorted(listed(file)) == before
    library.index(workers=1)
    assert sorted(listed(file)) == sorted(str(path) for path in songs.iterdir())
    assert str(new) in listed(file)


def test_it_is_what_is_found_now(library: Library) -> None:
    asked = {"text": "calm", "where": "duration > 2", "n": 2}
    found = library.playlists.save("calm", Request(**asked))
    assert found == library.search("calm", where="duration > 2", n=2)
    assert library.playlists.tracks("calm") == found
    assert found.understood
    again = Library(library.store.folder, library.model)
    (saved,) = again.playlists.all()
    assert (saved.name, saved.request) == ("calm", Request(**asked))


def test_radio_and_paths_are_saved_too(library: Library, songs: Path) -> None:
    first, last = str(songs / "a.flac"), str(songs / "c.flac")
    walk = save(library, "walk", way="walk", like=[first], n=5)
    assert listed(walk) == [str(hit.path) for hit in library.walk(first, n=5)]
    path = save(library, "path", way="path", like=[first, last], n=3)
    assert [listed(path)[0], listed(path)[-1]] == [first, last]


def test_examples_are_found_wherever_they_are_moved(library: Library, songs: Path) -> None:
    first = songs / "a.flac"
    file = save(library, like=[str(first), f"{songs / 'b.flac'}@0:00-0:01"])
    before = listed(file)
    first.rename(songs / "moved.flac")
    library.index(workers=1)
    assert listed(file) == before
    assert str(songs / "moved.flac") not in before


def test_an_example_is_kept_from_any_folder(
    library: Library, songs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(songs)
    save(library, like=["b.flac@0:00-0:01"])
    monkeypatch.chdir(tmp_path)
    assert library.playlists.get("rainy").request.like == (f"{songs}/b.flac@0-1",)
    assert library.playlists.tracks("rainy")


def test_a_list_may_be_anywhere_and_name_tracks_in_other_ways(
    library: Library, songs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "lists" / "l.m3u8"
    file.parent.mkdir()
    where = "title = 'Song b'"
    for ways, line in (
        ({"relative": True}, "../songs/b.flac"),
        ({"prefix": (str(songs), "/music")}, "/music/b.flac"),
        ({}, str(songs / "b.flac")),
    ):
        assert save(library, where=where, file=str(file), **ways) == file
        assert listed(file) == [line]
    save(library, where=where, file=str(file), server="http://127.0.0.1:8765")
    (hit,) = library.search(where=where)
    assert listed(file) == [f"http://127.0.0.1:8765/rest/stream?id={hit.key}&c=m3u8&v=1.16.1"]


def test_a_list_that_says_the_same_is_left_alone(library: Library) -> None:
    file = save(library, where="year = 1999")
    before = file.stat()
    library.index(workers=1)
    assert file.stat().st_ino == before.st_ino
    file.write_text("spoiled")
    library.index(workers=1)
    assert len(listed(file)) == 4


def test_what_is_removed_is_not_written_again(library: Library) -> None:
    file = save(library, text="calm")
    library.playlists.remove("rainy")
    assert library.playlists.all() == []
    library.index(workers=1)
    assert not file.exists()
    for ask in (library.playlists.remove, library.playlists.tracks, library.playlists.get):
        with pytest.raises(NotFound, match="rainy: no such playlist"):
            ask("rainy")


def test_one_that_cannot_be_written_is_told_and_the_others_are_written(
    library: Library, songs: Path, sing: Sing, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    other = sing(tmp_path / "other.wav", 20)
    save(library, "a", text="calm", file=str(gone / "a.m3u8"))
    save(library, "b", like=[str(other)])
    kept = save(library, "c", where="year = 1999")
    shutil.rmtree(gone)
    other.unlink()
    (songs / "d.flac").unlink()
    caplog.clear()
    library.index(workers=1)
    assert len(listed(kept)) == 3
    told = [record.getMessage() for record in caplog.records]
    assert f"playlist a: {gone}/a.m3u8: cannot be written: No such file or directory" in told
    assert any(line.startswith(f"playlist b: {other}: no such file") for line in told)
    (Path(library.store.folder) / "requests.json").write_text("{")
    caplog.clear()
    library.index(workers=1)
    assert "requests.json: damaged" in caplog.text


@pytest.mark.parametrize(
    "name", ["", " ", "a/b", "..", ".a", "a.", "a\nb", "a" * 101, "a:b", "\udcff", "a\\b"]
)
def test_a_name_must_be_one_of_a_file(library: Library, name: str) -> None:
    with pytest.raises(MuscallError, match="no name for a playlist"):
        save(library, name, text="calm")
    assert not (Path(library.store.folder) / "requests.json").exists()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "say what to find"),
        ({"text": "  "}, "say what to find"),
        ({"where": "yeer = 1"}, "there is no yeer"),
        ({"like": ["/none.flac"]}, "/none.flac: no such file"),
        ({"like": ["0" * 40]}, "no such track"),
        ({"way": "walk"}, "a walk needs 1 to be like, not 0"),
        ({"way": "path", "like": ["a"]}, "a path needs 2 to be like, not 1"),
        ({"way": "walk", "like": ["a"], "text": "calm"}, "a walk goes by its songs"),
        ({"way": "path", "like": ["a", "b"], "n": 1}, "a path has two tracks"),
        ({"text": "calm", "relative": True, "server": "http://h"}, "choose one"),
    ],
)
def test_a_request_that_cannot_be_answered_is_not_kept(
    library: Library, asked: dict[str, Any], says: str
) -> None:
    with pytest.raises(MuscallError, match=says):
        save(library, **asked)
    assert library.playlists.all() == []
