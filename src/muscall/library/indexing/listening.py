"""Reading the files that changed, and listening to those with new sound."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from muscall.audio.tags import Tags
from muscall.errors import AudioError, one_line
from muscall.library.indexing.messages import Changed, Decoded, Identity, Window
from muscall.library.indexing.workers import Result, Workers
from muscall.library.scan import path_text, text_path
from muscall.models.config import AudioConfig
from muscall.models.inference import Embedder, StreamingEmbedder, TrackEmbedding

log = logging.getLogger("muscall")


@dataclass(eq=False, kw_only=True)
class _Track(TrackEmbedding):
    """A track that is being decoded, or whose last windows are still to be heard."""

    path: str
    identity: Identity
    places: list[tuple[float, float]] = field(default_factory=list)
    """Start and length of each window, in seconds."""
    decoded: Decoded | None = None
    """Set when its last window is there."""


class Entries(Protocol):
    """What becomes of files is entered here: in a `Ledger`, or in what stands for one."""

    @property
    def pending(self) -> Iterable[str]: ...
    def known_key(self, path: str, /) -> str | None: ...
    def knows(self, key: str, /) -> bool: ...
    def identify(self, path: str, key: str, tags: Tags, /) -> None: ...
    def add(
        self,
        path: str,
        key: str,
        tags: Tags,
        decoded: Decoded,
        windows: list[tuple[float, float, np.ndarray]],
        embedding: np.ndarray,
        /,
    ) -> None: ...
    def expect(self, path: str, key: str, /) -> None: ...
    def fail(self, path: str, reason: str, /) -> None: ...
    def skip(self, path: str, /) -> None: ...


class Listening:
    """Worker processes decode, the model hears windows of all their files in full chunks."""

    def __init__(
        self, ledger: Entries, audio: AudioConfig, embedder: Embedder, *, dry_run: bool
    ) -> None:
        self._ledger = ledger
        self._audio = audio
        self._embedder = embedder
        self._streaming = StreamingEmbedder(embedder)
        self._dry_run = dry_run
        self._tracks: dict[str, _Track] = {}
        # Of files with the same new sound one is decoded; the others wait for what comes of it.
        self._claims: dict[str, Path] = {}
        self._copies: defaultdict[str, list[tuple[str, Identity]]] = defaultdict(list)
        self._failures: dict[str, str] = {}

    def listen(self, workers: int) -> Generator[None]:
        """Work off the pending files of the ledger; yields often. May be left at any time."""
        keys = {text_path(path): self._ledger.known_key(path) for path in self._ledger.pending}
        paths = list(keys)
        pool = Workers(
            min(workers, len(paths)),
            self._audio.window_samples,
            self._audio.sample_rate,
            ahead=4 * self._embedder.chunk,
        )
        with closing(pool.read(paths, self._wants, keys.get)) as results:
            for result in results:
                if result is not None:
                    self._take(*result)
                yield
        self._streaming.flush()
        self._add_finished()
        yield

    def _wants(self, path: Path, identity: Identity) -> bool:
        # Called in several threads: whoever claims a sound first is the one to decode it.
        known = self._dry_run or self._ledger.knows(identity.key)
        return not known and self._claims.setdefault(identity.key, path) == path

    def _take(self, file: Path, result: Result) -> None:
        path = path_text(file)
        match result:
            case Identity():
                if self._claims.get(result.key) == file:
                    self._tracks[path] = _Track(path=path, identity=result)
                else:
                    self._identify(path, result)
            case Window():
                track = self._tracks[path]
                track.places.append((result.start, result.seconds))
                self._streaming.add(track, result.samples)
                self._add_finished()
            case Decoded():
                self._tracks[path].decoded = result
                self._add_finished()
            case Changed():
                log.warning("%s: changed while it was read, left for the next run", one_line(file))
                self._tracks.pop(path, None)
                self._ledger.skip(path)
            case AudioError():
                self._ledger.fail(path, result.reason)
                if path in self._tracks:
                    key = self._tracks.pop(path).identity.key
                    self._failures[key] = result.reason
                    self._identify_copies(key)

    def _add_finished(self) -> None:
        for track in list(self._tracks.values()):
            if track.decoded is None or track.waiting:
                continue
            del self._tracks[track.path]
            key, tags = track.identity.key, track.identity.tags
            windows = [
                (*place, vector) for place, vector in zip(track.places, track.vectors, strict=True)
            ]
            self._ledger.add(track.path, key, tags, track.decoded, windows, track.embedding())
            self._identify_copies(key)

    def _identify_copies(self, key: str) -> None:
        for path, identity in self._copies.pop(key, []):
            self._identify(path, identity)

    def _identify(self, path: str, identity: Identity) -> None:
        """A file that is not to be decoded."""
        key = identity.key
        if self._ledger.knows(key):
            self._ledger.identify(path, key, identity.tags)
        elif self._dry_run:
            self._ledger.expect(path, key)
        elif key in self._failures:
            self._ledger.fail(path, self._failures[key])
        else:
            self._copies[key].append((path, identity))
