"""A library of short songs in many formats, and the server over it, in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient
from mutagen.flac import FLAC, Picture

from muscall import Library, MusCALL
from muscall.serving.app import build
from muscall.serving.service import Service

RATE = 16000
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
# Container and codec of PyAV, or format and subtype of soundfile (upper case), by file name.
KINDS = {
    "aac.m4a": ("ipod", "aac"),
    "adpcm.wav": ("WAV", "IMA_ADPCM"),
    "adts.aac": ("adts", "aac"),
    "aiff.aiff": ("AIFF", "PCM_16"),
    "alac.m4a": ("ipod", "alac"),
    "flac.flac": ("FLAC", "PCM_16"),
    "mp3.mp3": ("mp3", "libmp3lame"),
    "opus.opus": ("ogg", "libopus"),
    "vorbis.ogg": ("OGG", "VORBIS"),
    "wav.wav": ("WAV", "PCM_16"),
    "wma.wma": ("asf", "wmav2"),
}
SECONDS = 4

Sing = Callable[..., Path]


@pytest.fixture(scope="session")
def sing() -> Sing:
    """`sing(path, seed, seconds=4)`: write stereo noise of its own for each seed to `path`.

    The kind of file is that of its name in KINDS, or FLAC.
    """

    def write(path: Path, seed: int, seconds: float = SECONDS) -> Path:
        container, codec = KINDS.get(path.name, KINDS["flac.flac"])
        noise = 0.1 * np.random.default_rng(seed).normal(size=(round(seconds * RATE), 2))
        if container.isupper():
            soundfile.write(path, noise, RATE, format=container, subtype=codec)
        else:
            _encode(path, noise.astype(np.float32), container, codec)
        return path

    return write


def _encode(path: Path, samples: np.ndarray, container: str, codec: str) -> None:
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=RATE, layout="stereo", bit_rate=128_000)
        for start in range(0, len(samples), 4096):
            packed = np.ascontiguousarray(samples[start : start + 4096].reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(packed, format="flt", layout="stereo")
            frame.sample_rate, frame.pts = RATE, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


@pytest.fixture(scope="session")
def kinds(sing: Sing, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of each of KINDS, one of them with a cover, and a broken one."""
    folder = tmp_path_factory.mktemp("kinds")
    for seed, name in enumerate(KINDS):
        sing(folder / name, seed)
    picture = Picture()
    picture.type, picture.mime, picture.data = 3, "image/png", PNG
    file = FLAC(folder / "flac.flac")
    file.add_picture(picture)
    file.update(title="Quiet\nSong", artist="Ann", date="1999", genre="Dub")
    file.save()
    (folder / "broken.mp3").write_bytes(b"this is no music")
    return folder


@dataclass(frozen=True)
class Served:
    """A server, what is behind it and a browser, so to speak."""

    client: TestClient
    service: Service
    folder: Path

    def key(self, name: str) -> str:
        """The key of the track that the file `name` holds."""
        row = self.service.library.store.files()[str(self.folder / name)]
        assert row.key is not None
        return row.key

    def get(self, name: str, what: str = "audio", **headers: str) -> object:
        """The answer for a track, by the name of its file."""
        return self.client.get(f"/v1/tracks/{self.key(name)}/{what}", headers=headers)


def start(folder: Path, library: Library, cache: Path) -> Iterator[Served]:
    app = build(library, cache=cache, page=False)
    with TestClient(app, base_url="http://127.0.0.1:8765", raise_server_exceptions=False) as client:
        yield Served(client, app.state.service, folder)


@pytest.fixture(scope="session")
def served(
    kinds: Path, tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The files of `kinds`, served. Not to be changed."""
    library = Library(tmp_path_factory.mktemp("library"), tiny_model)
    assert library.index([kinds], workers=2).added == len(KINDS)
    yield from start(kinds, library, tmp_path_factory.mktemp("cache"))


@pytest.fixture
def fresh(kinds: Path, tiny_model: MusCALL, tmp_path: Path) -> Iterator[Served]:
    """Three songs of its own, to do anything with."""
    folder = tmp_path / "music"
    folder.mkdir()
    for name in ("aiff.aiff", "flac.flac", "mp3.mp3"):
        shutil.copy(kinds / name, folder)
    library = Library(tmp_path / "library", tiny_model)
    library.index([folder], workers=1)
    yield from start(folder, library, tmp_path / "cache")


def retag(path: Path, **tags: str) -> None:
    file = mutagen.File(path, easy=True)
    file.update(tags)
    file.save()
