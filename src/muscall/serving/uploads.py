"""Songs that a listener shows as an example: heard once, then only their embedding is kept."""

from __future__ import annotations

import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from muscall.errors import AudioError, MuscallError, NotFound
from muscall.library.indexing.messages import Identity, Window
from muscall.library.indexing.workers import Workers
from muscall.library.search.examples import Sound

if TYPE_CHECKING:
    from muscall.models.muscall import MusCALL

LARGEST = 100 << 20  # bytes of a song
_LONGEST = 20 * 60.0  # seconds of it that are heard
_PATIENCE = 120.0  # seconds that this may take
_KEPT = 3600.0  # seconds
_MOST = 500  # kept at a time


class TooLarge(MuscallError):
    """More bytes than are taken."""


@dataclass(frozen=True)
class _Upload:
    name: str
    sound: Sound
    until: float


class Uploads:
    """The songs that were shown within the last hour. Safe to use from several threads.

    Args:
        model: gives what listens; called by the first song.
    """

    def __init__(self, model: Callable[[], MusCALL]) -> None:
        self._model = model
        self._held: dict[str, _Upload] = {}
        self._lock = threading.Lock()

    def add(self, name: str, data: BinaryIO) -> str:
        """Hear a song, called `name` in what is said of it; gives the name it is kept under.

        Of a long one the first 20 minutes are heard.

        Raises:
            TooLarge: it has more than LARGEST bytes.
            AudioError: it cannot be decoded, or not in time.
        """
        with tempfile.NamedTemporaryFile(prefix="muscall-") as file:
            _copy(data, file)
            try:
                sound = self._hear(Path(file.name))
            except AudioError as error:
                raise AudioError(name, error.reason) from None
        id_ = f"upload-{secrets.token_hex(16)}"
        now = time.monotonic()
        with self._lock:
            self._held = {old: kept for old, kept in self._held.items() if kept.until > now}
            while len(self._held) >= _MOST:
                del self._held[next(iter(self._held))]
            self._held[id_] = _Upload(name, sound, now + _KEPT)
        return id_

    def get(self, id_: str) -> Sound:
        """What was heard of a song that `add` kept.

        Raises:
            NotFound: there is no such upload, or it was forgotten.
        """
        return self._kept(id_).sound

    def name(self, id_: str) -> str:
        """What a song that `add` kept is called.

        Raises:
            NotFound: as `get`.
        """
        return self._kept(id_).name

    def _kept(self, id_: str) -> _Upload:
        with self._lock:
            kept = self._held.get(id_)
        if kept is None or kept.until < time.monotonic():
            raise NotFound("there is no such upload, or it was forgotten: upload it again")
        return kept

    def _hear(self, path: Path) -> Sound:
        from muscall.models.inference import StreamingEmbedder, TrackEmbedding

        model = self._model()
        audio, embedder = model.config.audio, model.audio_embedder()
        streaming, track = StreamingEmbedder(embedder), TrackEmbedding()
        # In a process of its own: what a stranger sends may end the one that decodes it.
        workers = Workers(
            1, audio.window_samples, audio.sample_rate, ahead=embedder.chunk, patience=_PATIENCE
        )
        until, key = time.monotonic() + _PATIENCE, ""
        with closing(workers.read([path], lambda *_: True)) as results:
            for result in results:
                if time.monotonic() > until:
                    raise AudioError(path, f"cannot be heard within {_PATIENCE:g} s")
                match result:
                    case _, AudioError() as error:
                        raise error
                    case _, Identity() as identity:
                        key = identity.key
                    case _, Window() as window:
                        if window.start > _LONGEST:
                            break
                        streaming.add(track, window.samples)
        streaming.flush()
        if not track.vectors:
            raise AudioError(path, "cannot be decoded")
        return Sound(key, track.embedding())


def _copy(data: BinaryIO, file: IO[bytes]) -> None:
    size = 0
    try:
        while piece := data.read(1 << 20):
            size += len(piece)
            if size > LARGEST:
                raise TooLarge(f"a song has {LARGEST >> 20} MiB at most")
            file.write(piece)
        file.flush()
    except OSError as error:
        raise MuscallError(f"no room for it: {error.strerror}") from error
