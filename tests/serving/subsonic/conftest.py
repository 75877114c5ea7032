"""A small library with albums, genres and covers, served with a key, and what apps ask of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile
import uvicorn
from fastapi.testclient import TestClient
from mutagen.flac import FLAC, Picture

from muscall import Library, MusCALL
from muscall.serving.app import build

KEY = "correct-horse-battery"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
RATE = 16000
# Of each file the tags: artist, album, title, genre, date, album artist.
SONGS = {
    "Ann/First/1 Dawn.flac": ("Ann", "First", "Dawn", "Dub", "1999", ""),
    "Ann/First/2 Noon.flac": ("Ann", "First", "Noon", "Dub; Jazz", "1999", ""),
    "Ann/First/10 Night.flac": ("Ann; Bo", "First", "Night", "dub", "1999", ""),
    "Ann/Second/1 Rain.flac": ("Ann", "Second", "Rain", "", "2005", ""),
    "Böhm/Live/1 Böe.flac": ("The Böhm Trio", "Live", "Böe", "Jazz", "2010", "The Böhm Trio"),
    "Hits/1 One.flac": ("Ann", "Hits", "One", "Pop", "2001", ""),
    "Hits/2 Two.flac": ("Cid", "Hits", "Two", "Pop", "2002", ""),
    "loose/untagged.wav": ("", "", "", "", "", ""),
}


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of SONGS; the first has a cover."""
    folder = tmp_path_factory.mktemp("songs")
    for number, (name, tags) in enumerate(SONGS.items()):
        _sing(folder / name, number)
        file = mutagen.File(folder / name, easy=True)
        names = ("artist", "album", "title", "genre", "date", "albumartist")
        for tag, value in zip(names, tags, strict=True):
            if value:
                file[tag] = value.split("; ")
        if file.tags:
            file.save()
    picture = Picture()
    picture.type, picture.mime, picture.data = 3, "image/png", PNG
    first = FLAC(folder / next(iter(SONGS)))
    first.add_picture(picture)
    first.save()
    return folder


def _sing(path: Path, number: int) -> None:
    """Four seconds and more, higher and longer with each number, so that no two are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(4 * 1.1**number * RATE)) / RATE
    noise = np.random.default_rng(number).normal(size=time.shape)
    tone = np.sin(2 * np.pi * 60 * 1.7**number * time)
    soundfile.write(path, 0.3 * tone + 0.02 * number * noise, RATE)


@dataclass(frozen=True)
class Server:
    """A server over SONGS, and a client in its process."""

    client: TestClient
    library: Library
    folder: Path

    def id(self, name: str) -> str:
        """The id of the song in the file `name`."""
        row = self.library.store.files()[str(self.folder / name)]
        assert row.key is not None
        return row.key

    def ask(self, endpoint: str, /, **parameters: Any) -> dict[str, Any]:
        """What an app is answered, in JSON."""
        given = {"u": "ann", "p": KEY, "f": "json"} | parameters
        answer = self.client.get(f"/rest/{endpoint}", params=given)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["subsonic-response"]
        assert (found["version"], found["type"], found["openSubsonic"]) == (
            "1.16.1",
            "muscall",
            True,
        )
        return found

    def get(self, endpoint: str, /, **parameters: Any) -> dict[str, Any]:
        """The content of an answer to what can be answered."""
        found = self.ask(endpoint, **parameters)
        assert found["status"] == "ok", found
        head = ("status", "version", "type", "serverVersion", "openSubsonic")
        return {key: value for key, value in found.items() if key not in head}

    def refused(self, endpoint: str, /, **parameters: Any) -> tuple[int, str]:
        """The code and the message of an answer to what cannot."""
        found = self.ask(endpoint, **parameters)
        assert found["status"] == "failed", found
        return found["error"]["code"], found["error"]["message"]


@pytest.fixture(scope="session")
def app_library(
    songs: Path, tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory
) -> Library:
    library = Library(tmp_path_factory.mktemp("library"), tiny_model)
    assert library.index([songs], workers=1).added == len(SONGS)
    return library


@pytest.fixture(scope="session")
def server(
    app_library: Library, songs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The library with a key, asked from another machine, so to speak."""
    cache = tmp_path_factory.mktemp("cache")
    app = build(app_library, host="0.0.0.0", api_key=KEY, cache=cache, page=False)
    with TestClient(app, base_url="http://music.local:8765") as client:
        yield Server(client, app_library, songs)


@pytest.fixture(scope="session")
def port(app_library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where the library is served on this machine, with the key and the page."""
    app = build(app_library, api_key=KEY, cache=tmp_path_factory.mktemp("cache"))
    running = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        assert thread.is_alive()
    yield running.servers[0].sockets[0].getsockname()[1]
    running.should_exit = True
    thread.join(60)


@pytest.fixture
def kept(app_library: Library) -> Iterator[Path]:
    """The file with playlists and stars, which is not there before and after a test."""
    path = Path(app_library.store.folder) / "playlists.json"
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)
