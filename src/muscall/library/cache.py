"""Files that can be made again, in a folder of bounded size."""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from muscall.errors import MuscallError

_LOCKS = 64

log = logging.getLogger("muscall")


class NoRoom(MuscallError):
    """The folder of a cache cannot be written."""


class Cache:
    """Files in `folder`, of `limit` bytes at most together; those unused for longest go first.

    Safe to use from several threads and processes.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._making = [threading.Lock() for _ in range(_LOCKS)]
        self._counting = threading.Lock()
        self._bytes: int | None = None
        self._told = False

    def array(
        self, name: str, shape: tuple[int, ...], make: Callable[[], np.ndarray]
    ) -> np.ndarray:
        """The float32 array `name` of `shape`; where there is none, `make()` makes it, as in `get`.

        Where there is no room it is not kept.
        """
        made: list[np.ndarray] = []

        def write(to: Path) -> None:
            made.append(make())
            # `ndarray.tofile` says nothing where there is no room.
            to.write_bytes(made[0].tobytes())

        try:
            path = self.get(name, write, size=4 * math.prod(shape))
        except NoRoom as error:
            if not self._told:
                log.warning("%s: %s; what would be kept there is made anew", self._folder, error)
                self._told = True
            return made[0] if made else make()
        return np.fromfile(path, np.float32).reshape(shape)

    def get(self, name: str, make: Callable[[Path], None], *, size: int | None = None) -> Path:
        """The file `name`; where there is none, `make(path)` makes it, once for all who ask.

        Args:
            size: its bytes, where they are known: what has others is made anew, and so is what has
                none.

        Raises:
            NoRoom: the folder cannot be written.
            And what `make` raises.
        """
        path = self._folder / name
        with self._making[hash(name) % _LOCKS]:
            with suppress(OSError):
                held = path.stat().st_size
                if held and held == (size or held):
                    os.utime(path)  # it is in use
                    return path
            aside = self._folder / f".{os.getpid()}-{name}"
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                make(aside)
                with aside.open("rb") as file:
                    os.fsync(file.fileno())
                held = aside.stat().st_size
                aside.replace(path)
            except OSError as error:
                own = {str(folder) for folder in (aside, self._folder, *self._folder.parents)}
                if error.filename is not None and str(error.filename) not in own:
                    raise
                raise NoRoom(f"no room to work in: {error.strerror or error}") from error
            finally:
                with suppress(OSError):
                    aside.unlink()
            self._add(held, but=path)
        return path

    def _add(self, size: int, *, but: Path) -> None:
        """Count `size` more bytes, and make room where they are too many."""
        with self._counting:
            if self._bytes is not None:
                self._bytes += size
            if self._bytes is None or self._bytes > self._limit:
                self._make_room(but)

    def _make_room(self, but: Path) -> None:
        held = []
        for file in self._folder.iterdir():
            try:
                status = file.stat()
            except FileNotFoundError:  # it was put aside, and is done
                continue
            held.append((status.st_mtime, status.st_size, file))
        self._bytes = sum(size for _, size, _ in held)
        for _, size, file in sorted(held):
            if self._bytes <= self._limit:
                break
            if file != but:
                file.unlink(missing_ok=True)
                self._bytes -= size
