"""py-opensonic, a client that others made, connects, browses, searches, plays and keeps."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import soundfile

from muscall import Library
from tests.serving.subsonic.conftest import KEY, PNG, SONGS

libopensonic = pytest.importorskip("libopensonic")


@pytest.fixture(
    params=[
        {"username": "ann", "password": KEY},
        {"username": "ann", "password": KEY, "legacy_auth": True},
        {"username": "ann", "password": KEY, "use_get": True, "use_views": False},
        {"api_key": KEY},
    ],
    ids=["token", "password", "get", "key"],
)
def ways(request: pytest.FixtureRequest) -> dict[str, object]:
    return dict(request.param)


def run(port: int, visit, **ways: object) -> None:
    """Run `visit(app)` with a connection of the client."""

    async def within() -> None:
        app = libopensonic.AsyncConnection("http://127.0.0.1", port=port, **ways)
        try:
            await visit(app)
        finally:
            await app.cleanup()

    # In a thread: after the page's tests, Playwright's loop runs in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, within()).result()


def test_it_connects_in_every_way(port: int, ways: dict[str, object]) -> None:
    async def visit(app) -> None:
        assert await app.ping()
        assert (await app.get_license())["license"]["valid"]
        names = {one.name for one in await app.get_open_subsonic_extensions()}
        assert names == {"apiKeyAuthentication", "formPost"}
        assert (await app.get_scan_status()).count == len(SONGS)

    run(port, visit, **ways)


def test_a_wrong_password_does_not(port: int) -> None:
    async def visit(app) -> None:
        with pytest.raises(libopensonic.errors.CredentialError):
            await app.get_artists()

    run(port, visit, username="ann", password="wrong")


def test_it_browses(port: int) -> None:
    async def visit(app) -> None:
        index = (await app.get_artists()).index
        artists = {artist.name: artist for letter in index for artist in letter.artist}
        assert {"Ann", "Bo", "Cid", "The Böhm Trio", "Various Artists"} < set(artists)
        ann = await app.get_artist(artists["Ann"].id)
        assert [album.name for album in ann.album] == ["First", "Hits", "Second"]
        first = await app.get_album(ann.album[0].id)
        assert [song.title for song in first.song] == ["Dawn", "Noon", "Night"]
        assert (await app.get_song(first.song[0].id)) == first.song[0]
        indexes = await app.get_indexes()
        assert [one.name for one in indexes.index] == [one.name for one in index]
        directory = await app.get_music_directory(first.id)
        assert [child.title for child in directory.child] == ["Dawn", "Noon", "Night"]
        assert {genre.value for genre in await app.get_genres()} == {"Dub", "Jazz", "Pop"}
        assert len(await app.get_songs_by_genre("jazz")) == 2
        assert len(await app.get_random_songs(size=3)) == 3
        assert len(await app.get_album_list2("alphabeticalByName")) == 5
        assert len(await app.get_album_list("newest", size=2)) == 2
        user = await app.get_user("ann")
        assert user.stream_role
        assert not user.admin_role

    run(port, visit, username="ann", password=KEY)


def test_it_searches(port: int) -> None:
    async def visit(app) -> None:
        found = await app.search3("calm piano for a rainy evening", song_count=3)
        assert len(found.song) == 3
        assert not found.artist
        found = await app.search3("bohm")
        assert [artist.name for artist in found.artist] == ["The Böhm Trio"]
        assert found.song[0].title == "Böe"
        everything = await app.search3("", song_count=500)
        assert len(everything.song) == len(SONGS)
        assert (await app.search2("first")).album[0].title == "First"
        song = everything.song[0].id
        alike = await app.get_similar_songs2(song, count=4)
        assert len(alike) == 4
        assert song not in {one.id for one in alike}
        assert await app.get_similar_songs(song)
        assert {one.title for one in await app.get_top_songs("ann")} >= {"Dawn", "Noon", "Rain"}

    run(port, visit, username="ann", password=KEY)


def test_it_plays(port: int, songs: Path) -> None:
    data = (songs / "Ann/First/1 Dawn.flac").read_bytes()

    async def visit(app) -> None:
        (song,) = (await app.search3("Dawn", song_count=1)).song
        assert (song.size, song.content_type) == (len(data), "audio/flac")
        async with await app.download(song.id) as answer:
            assert await answer.read() == data
        async with await app.stream(song.id, byte_range="bytes=10-19") as answer:
            assert answer.status == 206
            assert await answer.read() == data[10:20]
        async with await app.stream(song.id, tformat="mp3", max_bit_rate=64) as answer:
            assert answer.content_type == "audio/mpeg"
            sound, rate = soundfile.read(io.BytesIO(await answer.read()))
            assert len(sound) / rate == pytest.approx(song.duration, abs=0.5)
        async with await app.get_cover_art(song.cover_art) as answer:
            assert await answer.read() == PNG
        assert await app.scrobble(song.id)

    run(port, visit, username="ann", password=KEY)


def test_it_keeps(port: int, kept: Path, app_library: Library) -> None:
    async def visit(app) -> None:
        found = (await app.search3("", song_count=3, album_count=1, artist_count=1)).song
        one, two, three = (song.id for song in found)
        assert await app.create_playlist(name="rainy", song_ids=[one, two])
        (playlist,) = await app.get_playlists()
        assert (playlist.name, playlist.owner, playlist.song_count) == ("rainy", "ann", 2)
        assert await app.update_playlist(
            playlist.id, comment="calm", song_ids_to_add=[three], song_indices_to_remove=[0]
        )
        playlist = await app.get_playlist(playlist.id)
        assert [song.id for song in playlist.entry] == [two, three]
        assert playlist.comment == "calm"
        album, artist = found[0].album_id, found[0].artist_id
        assert await app.star(sids=[one], album_ids=[album], artist_ids=[artist])
        starred = await app.get_starred2()
        assert [starred.song[0].id, starred.album[0].id, starred.artist[0].id] == [
            one,
            album,
            artist,
        ]
        assert (await app.get_song(one)).starred
        assert (await app.get_starred()).album[0].id == album
        assert await app.unstar(sids=[one], album_ids=[album], artist_ids=[artist])
        assert not (await app.get_starred2()).song
        assert await app.delete_playlist(playlist.id)
        assert not await app.get_playlists()
        with pytest.raises(libopensonic.errors.DataNotFoundError):
            await app.get_playlist(playlist.id)

    run(port, visit, username="ann", password=KEY)
    assert kept.exists()
    assert app_library.index(workers=1).added == 0  # which the file beside the tables does not hurt
