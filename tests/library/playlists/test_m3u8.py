"""Playlists, as a player reads them."""

from pathlib import Path

import pytest

from muscall.library.playlists.m3u8 import Places, called, m3u8
from muscall.library.search.hits import Hit


def hit(path: str, title: str = "", artist: str = "", duration: float = 1.0) -> Hit:
    return Hit(
        key="k", path=Path(path), title=title, artist=artist, album="", genre="", year=None,
        bpm=None, duration=duration,
    )  # fmt: skip


def lines(places: Places, *paths: str) -> list[str]:
    return m3u8(map(hit, paths), places).splitlines()[2::2]


def test_a_track_has_its_length_and_its_name() -> None:
    assert m3u8([]) == "#EXTM3U\n"
    tracks = [hit("/m/a.flac", "Ä", "Ann", 65.6), hit("/m/#b.flac")]
    assert m3u8(tracks) == ("#EXTM3U\n#EXTINF:66,Ann - Ä\n/m/a.flac\n#EXTINF:1,#b\n/m/#b.flac\n")


def test_every_path_is_one_absolute_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["a.flac", "two\nlines.flac", "\udcff 100%.flac"]
    written = m3u8(hit(name, "two\nlines") for name in names)
    assert written.encode().decode() == written
    assert written.splitlines()[2::2] == [
        f"{tmp_path}/a.flac",
        f"{tmp_path.as_uri()}/two%0Alines.flac",
        f"{tmp_path.as_uri()}/%FF%20100%25.flac",
    ]


def test_paths_may_start_from_the_folder_of_the_list() -> None:
    places = Places(relative_to=Path("/music/lists"))
    found = lines(places, "/music/ann/a.flac", "/music/two\nlines.flac")
    assert found == ["../ann/a.flac", "../two%0Alines.flac"]


@pytest.mark.parametrize(
    ("old", "new", "path", "written"),
    [
        ("/home/ann/Music", "/music", "/home/ann/Music/a/b.flac", "/music/a/b.flac"),
        ("/home/ann/Music/", "/music/", "/home/ann/Music/a/b.flac", "/music/a/b.flac"),
        ("/home/ann/Music", "/", "/home/ann/Music/a/b.flac", "/a/b.flac"),
        ("/home/ann/Music", "smb://nas/x", "/home/ann/Music/a/b.flac", "smb://nas/x/a/b.flac"),
        ("/home/ann/Music", "/music", "/home/ann/Musical/b.flac", "/home/ann/Musical/b.flac"),
        ("/m", "/n", "/m/two\nlines.flac", "file:///m/two%0Alines.flac"),
    ],
)
def test_the_beginning_of_paths_may_be_another(old: str, new: str, path: str, written: str) -> None:
    assert lines(Places(prefix=(old, new)), path) == [written]


def test_tracks_may_be_addresses_of_the_server() -> None:
    address = "http://h:8765/rest/stream?id=k&c=m3u8&v=1.16.1"
    assert lines(Places(server="http://h:8765/"), "/m/a.flac") == [address]
    assert lines(Places(server="http://h:8765", sign="u=a&t=b&s=c"), "/m/a.flac") == [
        f"{address}&u=a&t=b&s=c"
    ]


def test_what_a_track_is_called() -> None:
    path = Path("/m/song.flac")
    assert called(path, "Title", "Ann") == "Ann - Title"
    assert called(path, "", "Ann") == "Ann - song"
    assert called(path, "", "") == "song"
