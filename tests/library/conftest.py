"""A folder of short songs, and a library to index it into."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
import pytest
import soundfile

from muscall import Library, MusCALL
from muscall.library.scan import text_path

RATE = 16000
SECONDS = {"a": 3.0, "b": 1.2, "c": 5.0, "d": 4.05}

CODECS = {
    ".opus": "libopus",
    ".mp3": "libmp3lame",
    ".m4a": "aac",
    ".wma": "wmav2",
    ".wv": "wavpack",
    ".aac": "aac",
}

Sing = Callable[..., Path]
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def sing() -> Sing:
    """`sing(path, seed, seconds=1)`: write noise of its own for each seed to `path`."""

    def write(path: Path, seed: int, seconds: float = 1.0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).normal(size=round(seconds * RATE))
        soundfile.write(path, 0.1 * noise, RATE)
        return path

    return write


@pytest.fixture(scope="session")
def write() -> Write:
    """`write(path, seed=0)`: a second of stereo noise, in the format that the suffix names."""

    def write(path: Path, seed: int = 0) -> Path:
        noise = np.random.default_rng(seed).normal(0, 0.1, (48000, 2)).astype(np.float32)
        codec = CODECS.get(path.suffix)
        if codec is None:
            soundfile.write(path, noise, 48000)
            return path
        with av.open(str(path), "w") as out:
            stream = out.add_stream(codec, rate=48000, layout="stereo", bit_rate=128_000)
            sound = av.AudioFrame.from_ndarray(noise.reshape(1, -1), "flt", "stereo")
            sound.sample_rate = 48000
            size = stream.frame_size or None
            resampler = av.AudioResampler(stream.format, "stereo", 48000, size)
            for frame in [*resampler.resample(sound), *resampler.resample(None)]:
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        return path

    return write


@pytest.fixture(scope="session")
def tagged_songs(sing: Sing, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("songs")
    for seed, (name, seconds) in enumerate(SECONDS.items()):
        retag(sing(folder / f"{name}.flac", seed, seconds), title=f"Song {name}", date="1999-05-01")
    return folder


@pytest.fixture
def songs(tagged_songs: Path, tmp_path: Path) -> Path:
    """A folder with `a.flac` ... `d.flac`, of 3, 1.2, 5 and 4.05 s, each with a title."""
    return shutil.copytree(tagged_songs, tmp_path / "songs")


@pytest.fixture
def children() -> Callable[[], list[int]]:
    """`children()`: the processes that this one has started in the test and that still run."""

    def started(thread: Path) -> list[int]:
        try:
            return [int(pid) for pid in (thread / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):  # a thread ended since it was listed
            return []

    def all_started() -> list[int]:
        return [pid for thread in Path("/proc/self/task").iterdir() for pid in started(thread)]

    before = set(all_started())  # another test's browser, say
    return lambda: [pid for pid in all_started() if pid not in before]


class Looked(Library):
    """A library whose rows can be looked at."""

    def all_tracks(self) -> list[dict[str, Any]]:
        table = self.store.tracks(self.embedding_version)
        assert table is not None
        rows: list[dict[str, Any]] = table.to_arrow().to_pylist()
        assert len({row["key"] for row in rows}) == len(rows)
        return rows

    def tracks(self) -> dict[str, dict[str, Any]]:
        """The tracks that are there, by the name of their file."""
        rows = [row for row in self.all_tracks() if not row["offline"]]
        named = {text_path(row["path"]).name: row for row in rows}
        assert len(named) == len(rows)
        return named

    def windows(self) -> dict[str, list[dict[str, Any]]]:
        """The windows of each track in order, by its key."""
        table = self.store.windows(self.embedding_version)
        assert table is not None
        found: dict[str, list[dict[str, Any]]] = {}
        for row in sorted(table.to_arrow().to_pylist(), key=lambda row: row["start"]):
            found.setdefault(row["key"], []).append(row)
        return found


@pytest.fixture
def library(tmp_path: Path, tiny_model: MusCALL) -> Looked:
    """A library that is yet to be made."""
    return Looked(tmp_path / "library", tiny_model)


def retag(path: Path, **tags: str) -> None:
    file = mutagen.File(path, easy=True)
    for name, value in tags.items():
        file[name] = value
    file.save()
