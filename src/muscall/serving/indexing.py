"""A run of the index beside the server, to be paused and gone on with."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from muscall.errors import MuscallError
from muscall.library.indexing import run as indexing
from muscall.library.library import Library


@dataclass(frozen=True)
class Progress:
    """How far a run is: `done` files of the `total` to be read, `speed` of them in a second.

    `times` seconds of sound are heard in a second; `left` are to go, None where nobody can tell.
    """

    done: int
    total: int
    speed: float
    times: float
    left: float | None


class Indexing:
    """Runs `Library.index` in a thread. To be used from any thread.

    `progress` is that of the run at work or paused, else None; `report` is what the last one that
    came to its end did, `error` why the last one did not.
    """

    def __init__(self, library: Library) -> None:
        self.state: Literal["idle", "running", "paused"] = "idle"
        self.progress: Progress | None = None
        self.report: str | None = None
        self.error: str | None = None
        self._library = library
        self._folders: Sequence[str | Path] = ()
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, folders: Sequence[str | Path] = ()) -> None:
        """Listen to what is new in `folders`, or in all that are known. Does nothing in a run."""
        with self._lock:
            if self.state == "running":
                return
            before, self._stopped = self._thread, threading.Event()
            self.state, self.progress, self.error = "running", None, None
            self._folders = folders
            self._thread = threading.Thread(
                target=self._run, args=(self._stopped, before), name="index"
            )
            self._thread.start()

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
                self.start(self._folders)

    def close(self) -> None:
        """Pause, and wait until what was done is committed."""
        self.pause()
        if self._thread is not None:
            self._thread.join()

    def _run(self, stopped: threading.Event, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()  # it was paused and may not have let go of the library yet
        started = time.monotonic()

        def show(now: indexing.Progress) -> None:
            passed = max(time.monotonic() - started, 1e-3)
            speed = now.done / passed
            left = (now.total - now.done) / speed if speed else None
            with self._lock:
                if not stopped.is_set():
                    times = now.seconds / passed
                    self.progress = Progress(now.done, now.total, speed, times, left)

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
                    self.state, self.progress, self.error = "idle", None, reason
                    self.report = str(report) if report is not None else self.report
