"""Files that can be made again, in a folder of bounded size."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from muscall.errors import MuscallError

_LOCKS = 64


class Cache:
    """Files in `folder`, of `limit` bytes at most together; those unused for longest go first.

    Safe to use from several threads and processes.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._making = [threading.Lock() for _ in range(_LOCKS)]
        self._counting = threading.Lock()
        self._bytes: int | None = None

    def get(self, name: str, make: Callable[[Path], None]) -> Path:
        """The file `name`; where there is none, `make(path)` makes it, once for all who ask.

        Raises:
            MuscallError: the folder cannot be written; what `make` raises.
        """
        path = self._folder / name
        with self._making[hash(name) % _LOCKS]:
            with suppress(OSError):
                os.utime(path)  # it is in use
                return path
            aside = self._folder / f".{os.getpid()}-{name}"
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                make(aside)
                size = aside.stat().st_size
                aside.replace(path)
            except OSError as error:
                if error.filename not in (None, str(aside), str(self._folder)):
                    raise
                raise MuscallError(f"no room to work in: {error.strerror or error}") from error
            finally:
                with suppress(OSError):
                    aside.unlink()
            self._add(size, but=path)
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
