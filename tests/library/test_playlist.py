"""Playlists, as a player reads them."""

from pathlib import Path

import pytest

from muscall.library.playlist import called, playlist


def test_a_track_has_its_length_and_its_name() -> None:
    assert playlist([]) == "#EXTM3U\n"
    tracks = [(Path("/m/a.flac"), "Ann - Ä", 65.6), (Path("/m/#b.flac"), "b", None)]
    assert playlist(tracks) == (
        "#EXTM3U\n#EXTINF:66,Ann - Ä\n/m/a.flac\n#EXTINF:-1,b\n/m/#b.flac\n"
    )


def test_every_path_is_one_absolute_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["a.flac", "two\nlines.flac", "\udcff 100%.flac"]
    written = playlist((Path(name), "two\nlines", 1.0) for name in names)
    assert written.encode().decode() == written
    assert written.splitlines()[2::2] == [
        f"{tmp_path}/a.flac",
        f"{tmp_path.as_uri()}/two%0Alines.flac",
        f"{tmp_path.as_uri()}/%FF%20100%25.flac",
    ]


def test_paths_may_start_from_the_folder_of_the_list() -> None:
    tracks = [(Path("/music/ann/a.flac"), "a", 1.0), (Path("/music/two\nlines.flac"), "b", 1.0)]
    written = playlist(tracks, relative_to=Path("/music/lists"))
    assert written.splitlines()[2::2] == ["../ann/a.flac", "../two%0Alines.flac"]


def test_what_a_track_is_called() -> None:
    path = Path("/m/song.flac")
    assert called(path, "Title", "Ann") == "Ann - Title"
    assert called(path, "", "Ann") == "Ann - song"
    assert called(path, "", "") == "song"
