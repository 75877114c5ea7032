"""Artists, albums and genres follow from tags, and their ids stay what they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from muscall.serving.subsonic.catalogue import artist_id, catalogue, sort_name

ADDED = datetime(2026, 11, 27, tzinfo=UTC)


def row(path: str, **tags: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("title", "artist", "albumartist", "album", "genre", "year", "bpm"))
    fixed = {"key": path, "path": path, "root": "/m", "tempo": 90.0, "duration": 60.0}
    return nothing | fixed | {"added": ADDED} | tags


def albums(*rows: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """By name the artists of each album and the names of its files."""
    return {
        album.name: ("; ".join(album.artists), [song.path.stem for song in album.songs])
        for album in catalogue(rows).albums.values()
    }


def test_an_album_is_of_its_album_artist() -> None:
    found = albums(
        row("/m/cd1/1.mp3", album="All", albumartist="Ann", artist="Ann; Bo"),
        row("/m/cd2/1b.mp3", album="all", albumartist="ANN", artist="Cid"),
    )
    assert found == {"All": ("Ann", ["1", "1b"])}


def test_without_one_it_is_of_whom_all_songs_are_or_of_various() -> None:
    found = albums(
        row("/m/a/1.mp3", album="A", artist="Bo; Ann"),
        row("/m/a/2.mp3", album="A", artist="ann"),
        row("/m/b/1.mp3", album="B", artist="Ann"),
        row("/m/b/2.mp3", album="B", artist="Bo"),
        row("/m/c/1.mp3", album="C"),
    )
    assert {name: whose for name, (whose, _) in found.items()} == {
        "A": "Ann",
        "B": "Various Artists",
        "C": "Unknown Artist",
    }


def test_albums_of_one_name_by_two_artists_are_two() -> None:
    rows = [row(f"/m/{who}/1.mp3", album="Live", artist=who) for who in ("Ann", "Bo")]
    assert len(catalogue(rows).albums) == 2


def test_what_names_no_album_is_one_with_its_folder() -> None:
    assert albums(row("/m/loose/x.mp3", artist="Ann")) == {"loose": ("Ann", ["x"])}


def test_folders_of_one_name_are_two_albums() -> None:
    rows = [row(f"/m/{n}/CD1/x.mp3", artist="Ann", key=n) for n in ("a", "b")]
    found = catalogue(rows).albums
    assert [album.name for album in found.values()] == ["CD1", "CD1"]


def test_songs_go_by_the_numbers_in_their_names() -> None:
    rows = [row(f"/m/a/{n} x.mp3", album="A", artist="Ann") for n in (10, 9, 1)]
    (album,) = catalogue(rows).albums.values()
    assert [(song.track, song.path.stem) for song in album.songs] == [
        (1, "1 x"),
        (2, "9 x"),
        (3, "10 x"),
    ]


def test_ids_do_not_depend_on_case_accents_or_neighbours() -> None:
    one = catalogue([row("/m/a/1.mp3", album="Été", artist="Beyoncé")])
    two = catalogue(
        [
            row("/m/z/9.mp3", album="ete", artist="beyonce"),
            row("/m/b/1.mp3", album="B", artist="Bo"),
        ]
    )
    assert set(one.albums) < set(two.albums)
    assert set(one.artists) == {artist_id("BEYONCÉ")} < set(two.artists)


def test_artists_have_the_albums_that_they_are_heard_on() -> None:
    found = catalogue(
        [
            row("/m/a/1.mp3", album="A", artist="Ann; Bo"),
            row("/m/a/2.mp3", album="A", artist="Ann"),
        ]
    )
    assert [artist.name for artist in found.artists.values()] == ["Ann", "Bo"]
    assert all([one.name for one in a.albums] == ["A"] for a in found.artists.values())
    assert len(found.artists[artist_id("Bo")].songs) == 1


def test_genres_are_one_however_they_are_written() -> None:
    rows = [row(f"/m/a/{n}.mp3", genre=genre) for n, genre in enumerate(("Dub; Pop", "dub"))]
    found = catalogue(rows).genres
    assert {one.name: len(one.songs) for one in found.values()} == {"Dub": 2, "Pop": 1}


def test_articles_do_not_count_in_the_order() -> None:
    assert sort_name("The Böhm Trio") == "bohm trio"
    assert sort_name("Theatre") == "theatre"
    assert sort_name("The") == "the"


def test_paths_that_are_no_text_are_songs_too() -> None:
    (song,) = catalogue([row("file:///m/%FFx/1%FF.mp3", artist="Ann")]).songs.values()
    assert (song.title, song.album.name) == ("1\\xff", "\\xffx")
