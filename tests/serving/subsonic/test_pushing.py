"""A list of one library is pushed to the server of another, and read there by another's client."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from urllib.request import urlopen

import mutagen
import pytest

from muscall import Library, MusCALL
from muscall.library.playlists.m3u8 import Places, m3u8
from muscall.library.playlists.pushing import push
from muscall.library.playlists.saved import Request
from muscall.library.playlists.subsonic import Server as Remote
from muscall.library.playlists.subsonic import signed
from tests.cli.conftest import run  # noqa: F401
from tests.serving.subsonic.conftest import KEY, SONGS
from tests.serving.subsonic.test_apps import run as connected

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def ours(songs: Path, tiny_model: MusCALL, tmp_path: Path) -> Library:
    """The same songs elsewhere: one is renamed, one retagged, one is another."""
    folder = shutil.copytree(songs, tmp_path / "mine")
    (folder / "Ann/First/1 Dawn.flac").rename(folder / "Ann/First/dawn.flac")
    night = mutagen.File(folder / "Ann/First/10 Night.flac", easy=True)
    night["title"], night["artist"] = "Another", "Somebody"
    night.save()
    stranger = mutagen.File(folder / "Hits/1 One.flac", easy=True)
    stranger["title"] = "Nowhere"
    stranger.save()
    (folder / "Hits/1 One.flac").rename(folder / "Hits/nowhere.flac")
    library = Library(tmp_path / "library", tiny_model)
    library.index([folder], workers=1)
    return library


def read(port: int, name: str) -> list[str]:
    """The files of the playlist, as another client reads them."""
    found: list[str] = []

    async def visit(app) -> None:
        (one,) = [one for one in await app.get_playlists() if one.name == name]
        found.extend(entry.path for entry in (await app.get_playlist(one.id)).entry)

    connected(port, visit, username="ann", password=KEY)
    return found


def test_what_is_there_becomes_a_playlist_and_the_rest_is_told(
    port: int, kept: Path, ours: Library
) -> None:
    hits = ours.search(where="duration > 0", n=50)
    remote = Remote(f"http://127.0.0.1:{port}", "ann", KEY)
    pushed = push(remote, "rainy", hits)
    assert [hit.path.name for hit in pushed.missing] == ["nowhere.flac"]
    renamed = {"Ann/First/dawn.flac": "Ann/First/1 Dawn.flac"}
    folder = Path(ours.store.folder).parent / "mine"
    expected = [str(hit.path.relative_to(folder)) for hit in pushed.there]
    assert read(port, "rainy") == [renamed.get(path, path) for path in expected]
    assert len(pushed.there) == len(SONGS) - 1
    again = push(remote, "rainy", pushed.there[:2])
    assert len(again.there) == len(read(port, "rainy")) == 2
    assert kept.exists()


def test_long_lists_are_pushed_in_parts(port: int, kept: Path, ours: Library) -> None:
    hits = ours.search(where="artist = 'Cid'") * 230
    pushed = push(Remote(f"http://127.0.0.1:{port}", "ann", KEY), "long", hits)
    assert len(pushed.there) == len(read(port, "long")) == 230
    assert kept.exists()


def test_the_command_lists_what_is_missing(
    request: pytest.FixtureRequest,
    port: int,
    kept: Path,
    ours: Library,
    tiny_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command: Run = request.getfixturevalue("run")
    ours.playlists.save("all", Request(where="title = Nowhere or title = Rain"))
    options = ("--library", ours.store.folder, "--model", tiny_checkpoint)
    monkeypatch.setenv("MUSCALL_PUSH_TO", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("MUSCALL_PUSH_USER", "ann")
    monkeypatch.setenv("MUSCALL_PUSH_PASSWORD", KEY)
    done = command("playlist", "push", "all", *options)
    assert done.code == 3
    assert done.out.startswith("Ann - Nowhere  ")
    assert len(done.out.splitlines()) == 1
    assert f"1 of 2 tracks in all at http://127.0.0.1:{port}\n" in done.err
    assert read(port, "all") == ["Ann/Second/1 Rain.flac"]
    done = command("playlist", "push", "all", "--password", "wrong", *options)
    assert (done.code, done.out) == (1, "")
    assert "wrong password" in done.err
    done = command("playlist", "push", "none", *options)
    assert (done.code, done.err.split(";")[0]) == (1, "muscall: none: no such playlist")
    assert kept.exists()


def test_addresses_in_a_saved_list_play(port: int, songs: Path, app_library: Library) -> None:
    hits = app_library.search(where="title = Dawn")
    places = Places(server=f"http://127.0.0.1:{port}", sign=signed(KEY))
    address = m3u8(hits, places).splitlines()[2]
    with urlopen(address) as answer:
        assert answer.read() == (songs / "Ann/First/1 Dawn.flac").read_bytes()
