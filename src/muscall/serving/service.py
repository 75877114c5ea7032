"""A library for many listeners: what the API and the page ask of it."""

from __future__ import annotations

import logging
import stat
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import platformdirs

from muscall.audio.waveform import BARS, measure
from muscall.errors import AudioError, MuscallError, NotFound, one_line
from muscall.library.audio_hash import audio_hash
from muscall.library.cache import Cache
from muscall.library.describing import Label
from muscall.library.library import Library
from muscall.library.playlists.m3u8 import m3u8
from muscall.library.scan import text_path
from muscall.library.search.examples import AnExample
from muscall.library.search.query import SearchQuery
from muscall.library.search.tracks import hit_of
from muscall.library.status import Status
from muscall.library.store import File, matrix, one_of
from muscall.serving import covers, streaming
from muscall.serving.atlas import Atlas
from muscall.serving.folders import Folders
from muscall.serving.indexing import Indexing
from muscall.serving.shown import Answer, MapPoint, MapRegion, Track, Waveform, answer_of, track_of
from muscall.serving.uploads import Uploads

log = logging.getLogger("muscall")

_SOUND, _BARS, _PLACES = 4 << 30, 200 << 20, 50 << 20  # bytes that are kept
_STRONG = 4.0  # standard deviations above the library's mean: a perfect match


class Service:
    """One library, for many listeners at once: safe to use from several threads.

    What reads sentences and the index are loaded here, if they are not yet; what listens, and torch
    with it, by the first song that is heard.

    Args:
        cache: the folder for what can be made again; None for the user's own.
        below: the folders below which listeners may name folders to index.
    """

    def __init__(
        self, library: Library, cache: Path | None = None, below: Sequence[Path] = (Path("/"),)
    ) -> None:
        self.library = library
        self.folders = Folders(below)
        self.indexing = Indexing(library)
        folder = cache or platformdirs.user_cache_path("muscall")
        self.sound = Cache(folder / "sound", _SOUND)
        self._bars = Cache(folder / "bars", _BARS)
        self._atlas = Atlas(library, Cache(folder / "map", _PLACES))
        self._uploads = Uploads(lambda: library.model)
        self._describing = threading.Lock()
        self._direction = lru_cache(maxsize=256)(self._embed)
        if advice := self.status().advice:
            log.warning("%s", advice)
        else:
            library.finder.warm()

    def search(self, query: SearchQuery) -> Answer:
        """The tracks that fit best, best first; never the examples themselves.

        Examples are keys of tracks, or uploads.

        Raises:
            NotFound: an example is no track of the library and no upload.
            FilterError: `where` cannot be understood.
            MuscallError: the query is empty, or nothing is indexed.
        """
        return answer_of(self.library.find(self._heard(query)))

    def walk(self, start: str, n: int, where: str) -> Answer:
        """A radio of `n` tracks from the key of one, or an upload.

        Raises:
            NotFound: as `search`.
            FilterError: `where` cannot be understood.
            MuscallError: nothing is indexed.
        """
        (example,) = self._sounds([start])
        return answer_of(self.library.walk(example, n=n, where=where))

    def path(self, start: str, end: str, n: int, where: str) -> Answer:
        """`n` tracks that lead from one to another.

        Raises:
            NotFound: as `search`.
            FilterError: `where` cannot be understood.
            MuscallError: nothing is indexed.
        """
        first, last = self._sounds([start, end])
        return answer_of(self.library.path(first, last, n=n, where=where))

    def track(self, key: str) -> Track:
        """A track.

        Raises:
            NotFound: there is none.
        """
        return track_of(self._row(key))

    def name_of(self, example: str) -> str:
        """What a track, or an upload, is called.

        Raises:
            NotFound: there is none.
        """
        if example.startswith("upload-"):
            return self._uploads.name(example)
        return self.track(example).title

    def labels(self, key: str, n: int = 3) -> list[Label]:
        """The `n` labels of each kind that fit a track best, the genre in its tags first.

        Raises:
            NotFound: there is no such track.
        """
        row = self._row(key)
        with self._describing:  # the first time takes seconds
            vocabulary = self.library.vocabulary()
        return vocabulary.describe(_vector(row), n, row["genre"])

    def waveform(self, key: str, query: SearchQuery) -> Waveform:
        """How a track goes, and where it is like `query`.

        Raises:
            NotFound: there is no such track, or a library of an earlier version knows no waveform
                of it, and its file is not there either.
            AudioError: of such a library, its file is damaged.
        """
        row = self._row(key)
        peaks = self._peaks(key) if row["waveform"] is None else _shares(row["waveform"])
        return Waveform(peaks.tolist(), self._matches(key, row["duration"], query))

    def cover(self, key: str) -> tuple[bytes, str] | None:
        """The picture of a track and its media type, None where it has none.

        Raises:
            NotFound: there is no such track, or its file is not there.
        """
        return covers.find_cover(self.file(key))

    def audio(self, key: str, *, as_flac: bool = False) -> tuple[Path, str]:
        """A file with the sound of a track that browsers play, or FLAC, and its media type.

        Raises:
            NotFound: there is no such track, or its file is not there.
            AudioError: its file is damaged.
        """
        return streaming.playable(self.file(key), key, self.sound, as_flac=as_flac)

    def upload(self, name: str, data: BinaryIO) -> str:
        """Hear a song that is no part of the library: a query's `like` takes what is given.

        Raises:
            TooLarge: it is too large.
            AudioError: it cannot be decoded.
        """
        return self._uploads.add(name, data)

    def map(self) -> list[MapPoint]:
        """All tracks on a plane, or 20,000 of them. The first time takes seconds."""
        return self._atlas.points()

    def regions(self) -> list[MapRegion]:
        """Words for the parts of the map; none for a map of few tracks."""
        with self._describing:
            return self._atlas.regions()

    def project(self, query: SearchQuery) -> tuple[float, float] | None:
        """Where on the map a query lies, x and y in 0..1; None of one that is not about sound.

        Raises:
            NotFound: as `search`.
        """
        direction = self._direction(query)
        return None if direction is None else self._atlas.place(direction)

    def playlist(self, keys: Sequence[str]) -> str:
        """An M3U8 playlist of tracks.

        Raises:
            NotFound: there is no such track.
        """
        rows = self._rows(keys)
        return m3u8(hit_of(rows[key]) for key in keys)

    def status(self) -> Status:
        """What is in the library; nothing, where there is none yet."""
        try:
            return self.library.status()
        except MuscallError:
            return Status(self.library.store.folder, 0, {}, 0, 0, 0, [])

    def errors(self) -> list[tuple[str, str]]:
        """The files that cannot be read, and why."""
        try:
            return [(one_line(path), reason) for path, reason in self.library.errors()]
        except MuscallError:
            return []

    def close(self) -> None:
        """End what runs beside the server; what was indexed is committed."""
        self.indexing.close()

    def file(self, key: str) -> Path:
        """A file that is there and has the very sound that was indexed.

        Raises:
            NotFound: there is none, or none any more.
        """
        for row in self.library.store.holders(key):
            path = text_path(row.path)
            if _holds(path, row):
                return path
        raise NotFound(f"{key[:50]}: no such track, or its file is gone or has changed")

    def _row(self, key: str) -> dict[str, Any]:
        return self._rows([key])[key]

    def _rows(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Rows of tracks by key; NotFound where one of them has none."""
        store, embedding_version = self.library.store, self.library.embedding_version
        found = {
            row["key"]: row
            for row in store.rows(embedding_version, dict.fromkeys(keys)).to_pylist()
        }
        for key in keys:
            if key not in found:
                raise NotFound(f"{key[:50]}: no such track")
        return found

    def _heard(self, query: SearchQuery) -> SearchQuery:
        """`query` with what was heard of its uploads in their place."""
        return replace(query, like=self._sounds(query.like), unlike=self._sounds(query.unlike))

    def _sounds(self, examples: Sequence[AnExample]) -> tuple[AnExample, ...]:
        return tuple(
            self._uploads.get(one) if isinstance(one, str) and one.startswith("upload-") else one
            for one in examples
        )

    def _peaks(self, key: str) -> np.ndarray:
        """What a library of an earlier version does not know of a track: its file is decoded."""
        path, rate = self.file(key), self.library.reader.config.audio.sample_rate
        return self._bars.array(f"{key}.bars", (BARS,), lambda: _shares(measure(path, rate)))

    def _embed(self, query: SearchQuery) -> np.ndarray | None:
        return self.library.direction(self._heard(query))

    def _matches(self, key: str, duration: float, query: SearchQuery) -> list[float]:
        direction = self._direction(query)
        windows = self.library.store.windows(self.library.embedding_version)
        if direction is None or windows is None:
            return []
        (condition,) = one_of("key", [key])
        rows = windows.search().where(condition).limit(None).to_arrow()
        usual = self.library.finder.sample() @ direction
        scores = matrix(rows["vector"]).astype(np.float32) @ direction
        strengths = (scores - usual.mean()) / max(float(usual.std()), 1e-6) / _STRONG
        middles = rows["start"].to_numpy() + rows["seconds"].to_numpy() / 2
        bars = (np.arange(BARS) + 0.5) / BARS * duration
        nearest = np.abs(bars[:, None] - middles).argmin(axis=1)
        return [float(one) for one in strengths[nearest].clip(0, 1)]


def _shares(bars: bytes) -> np.ndarray:
    """(BARS,) float32, 0..1."""
    return np.frombuffer(bars, np.uint8).astype(np.float32) / 255


def _vector(row: dict[str, Any]) -> np.ndarray:
    return np.asarray(row["vector"], np.float32)


def _holds(path: Path, row: File) -> bool:
    """Whether a file still has the sound that was indexed."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return False
        stamp = status.st_size, status.st_mtime_ns
        return stamp == (row.size, row.mtime_ns) or _sound(path, *stamp) == row.key
    except (OSError, AudioError):
        return False


@lru_cache(maxsize=10_000)
def _sound(path: Path, _size: int, _modified: int) -> str:
    return audio_hash(path)
