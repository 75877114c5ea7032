"""A run of the index beside the server, to be paused and gone on with."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from muscall.errors import MuscallError
from muscall.library.library import Library

if TYPE_CHECKING:  # torch, which a server that only searches never needs
    from muscall.library.indexing import run as indexing

_SETTLED = 5.0  # seconds after the first file until its speed shows how long the others take


@dataclass(frozen=True)
class Progress:
    """How far a run is: `done` files of the `total` to be read, `speed` of them in a second.

    `times` seconds of sound are heard in a second; `left` are to go, None where that is unknown.
    """

    done: int
    total: int
    speed: float
    times: float
    left: float | None


class Indexing:
    """Runs `Library.index` in a thread. To be used from any thread.

    `progress` is that of the run at work or paused, else None; `report` is what the last one that
    came to its end did, `error` why the last one did not; `waiting` are folders that come next.
    """

    def __init__(self, library: Library) -> None:
        self.state: Literal["idle", "running", "paused"] = "idle"
        self.progress: Progress | None = None
        self.report: str | None = None
        self.error: str | None = None
        self.waiting: tuple[Path, ...] = ()
        self._library = library
        self._folders: tuple[Path, ...] = ()
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, folders: Sequence[Path] = ()) -> None:
        """Listen to what is new in `folders`, or in all that are known; where a run is at work or
        paused, when that has ended."""
        with self._lock:
            if self.state == "idle":
                self.progress, self.error = None, None
                self._begin(tuple(folders))
            else:
                self.waiting = tuple(dict.fromkeys([*self.waiting, *folders]))
                self.resume()

    def pause(self) -> None:
        """End the run within seconds; what is done stays. Does nothing without a run."""
        with self._lock:
            if self.state == "running":
                self._stopped.set()
                self.state = "paused"

    def resume(self) -> None:
        """Go on after a pause: what was done is not done again. Does nothing without a pause."""
        with self._lock:
            if self.state == "paused":
                self._begin(self._folders)

    def remove(self, folder: Path, *, keep_tracks: bool) -> tuple[int, int]:
        """Forget a folder, see `Library.forget`; a run is held up for it, and goes on without it.

        Raises:
            MuscallError: as `Library.forget`.
        """
        was = self.state
        self.close()
        with self._lock:
            self._folders, self.waiting = (
                tuple(one for one in folders if one != folder)
                for folders in (self._folders, self.waiting)
            )
        try:
            return self._library.forget(folder, keep_tracks=keep_tracks)
        finally:
            with self._lock:
                if not self._library.store.roots():
                    self._go_on()
                elif was == "running":
                    self.resume()

    def close(self) -> None:
        """Pause, and wait until what was done is committed."""
        self.pause()
        if self._thread is not None:
            self._thread.join()

    def _go_on(self) -> None:
        """Rest, or begin with the folders that wait."""
        self.state, self.progress = "idle", None
        if self.waiting:
            folders, self.waiting = self.waiting, ()
            self._begin(folders)

    def _begin(self, folders: tuple[Path, ...]) -> None:
        before, self._stopped = self._thread, threading.Event()
        self.state, self._folders = "running", folders
        self._thread = threading.Thread(
            target=self._run, args=(self._stopped, before), name="index"
        )
        self._thread.start()

    def _run(self, stopped: threading.Event, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()  # it was paused and may not have let go of the library yet
        # The bar goes on from where the pause was: what was done is in the library.
        paused, known = self.progress, 0
        first: tuple[float, indexing.Progress] | None = None

        def show(now: indexing.Progress) -> None:
            nonlocal first, known
            clock = time.monotonic()
            if first is None and paused is not None:
                known = max(paused.done, paused.total - now.total)
            # Until the first file is heard, processes start, which says nothing of the others.
            since, at = first = first or (clock, now)
            passed = max(clock - since, 1e-3)
            speed, times = (now.done - at.done) / passed, (now.seconds - at.seconds) / passed
            left = (now.total - now.done) / speed if speed and passed >= _SETTLED else None
            with self._lock:
                if not stopped.is_set():
                    self.progress = Progress(
                        known + now.done, known + now.total, speed, times, left
                    )

        report, reason = None, None
        try:
            report = self._library.index(self._folders, progress=show, stopped=stopped)
        except MuscallError as error:
            reason = str(error)
        except BaseException as error:
            reason = type(error).__name__
            raise
        finally:
            with self._lock:
                if not stopped.is_set():
                    self.error = reason or self.error
                    self.report = str(report) if report is not None else self.report
                    self._go_on()
