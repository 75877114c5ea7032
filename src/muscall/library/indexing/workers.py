"""Worker processes that read sound files, and what happens to those that do not survive one."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from multiprocessing.connection import Pipe
from pathlib import Path
from queue import Empty, Full, Queue
from typing import NoReturn

from muscall.errors import AudioError, MuscallError
from muscall.library.indexing.messages import (
    Changed,
    Decoded,
    Failed,
    Identity,
    Message,
    Note,
    Ready,
    Task,
    Wanted,
    Window,
    receive,
    send,
)

Result = Identity | Window | Decoded | Changed | AudioError

_TICK = 0.2  # seconds
_STARTING = 300.0  # seconds; the machine may be busy
_ENDING = 10.0  # seconds, for a process that has nothing more to say
_FILES = 500  # that a process reads, before another takes over: what decoders leak is little so
# Libraries start threads for these; a worker is one thread.
_SINGLE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

log = logging.getLogger("muscall")


class Workers:
    """Reads files in `count` processes at once, in windows of `length` samples at `sample_rate`.

    A thread for each process follows it from file to file. A file that ends its process, or keeps
    it silent for `patience` seconds, has failed like any other, and a new process takes over. At
    most `ahead` results wait to be taken: however long a file is, little of it is in memory.
    """

    def __init__(
        self, count: int, length: int, sample_rate: int, *, ahead: int = 32, patience: float = 300
    ) -> None:
        self._count = count
        self._length = length
        self._sample_rate = sample_rate
        self._patience = patience
        self._results: Queue[tuple[Path, Result] | Exception | None] = Queue(maxsize=ahead)
        self._stop = threading.Event()
        self._processes: set[_Process] = set()

    def read(
        self,
        paths: Iterable[Path],
        wanted: Callable[[Path, Identity], bool],
        keys: Callable[[Path], str | None] = lambda _: None,
    ) -> Generator[tuple[Path, Result] | None]:
        """What is in each of `paths`, those of different files mixed; None when nothing came by.

        First the identity of a file; if it is wanted, its windows in order; last `Decoded`,
        `Changed` or an error, which can also come first. To be closed if it is left early.

        Args:
            wanted: whether to decode a file; called in threads.
            keys: the key of a file's sound where it is known, so that it is not read for that.

        Raises:
            MuscallError: a process cannot be started.
        """
        upcoming, lock = iter(paths), threading.Lock()

        def next_path() -> Path | None:
            with lock:
                return next(upcoming, None)

        threads = [
            threading.Thread(target=self._follow, args=(next_path, wanted, keys), name="decode")
            for _ in range(self._count)
        ]
        try:
            for thread in threads:
                thread.start()
            running = len(threads)
            while running:
                try:
                    result = self._results.get(timeout=_TICK)
                except Empty:
                    yield None
                    continue
                if isinstance(result, Exception):
                    raise result
                if result is None:
                    running -= 1
                else:
                    yield result
        finally:
            self._stop.set()
            for process in list(self._processes):
                process.kill()
            for thread in threads:
                thread.join()

    def _follow(
        self,
        next_path: Callable[[], Path | None],
        wanted: Callable[[Path, Identity], bool],
        keys: Callable[[Path], str | None],
    ) -> None:
        process: _Process | None = None
        read = 0
        try:
            while not self._stop.is_set() and (path := next_path()):
                if process is None:
                    process, read = _Process(self._length), 0
                    self._processes.add(process)
                try:
                    task = Task(str(path), self._length, self._sample_rate, keys(path))
                    process.send(task)
                    self._relay(process, path, wanted)
                    read += 1
                except _Died as error:
                    self._processes.discard(process)
                    process = None
                    self._put((path, AudioError(path, str(error))))
                if process is not None and read == _FILES:
                    self._processes.discard(process)
                    process.kill()
                    process = None
        except Exception as error:  # whoever takes the results gets the error, instead of waiting
            self._put(error)
        finally:
            if process is not None:
                process.kill()
            self._put(None)

    def _relay(
        self, process: _Process, path: Path, wanted: Callable[[Path, Identity], bool]
    ) -> None:
        """Pass on what `process` says of one file."""
        decoding = False
        while True:
            match process.receive(self._patience):
                case Note(text):
                    log.warning("%s", text)
                case Identity() as identity if not decoding:
                    decoding = wanted(path, identity)
                    process.send(Wanted(decoding))
                    self._put((path, identity))
                    if not decoding:
                        return None
                case Window() as window if decoding:
                    self._put((path, window))
                case Decoded() as decoded if decoding:
                    return self._put((path, decoded))
                case Changed() as changed:
                    return self._put((path, changed))
                case Failed(reason):
                    return self._put((path, AudioError(path, reason)))
                case _:
                    process.refuse()

    def _put(self, result: tuple[Path, Result] | Exception | None) -> None:
        while not self._stop.is_set():
            with suppress(Full):
                self._results.put(result, timeout=_TICK)
                return


class _Died(Exception):
    """A process is no more, and why."""


class _Process:
    """A worker process.

    Not a `multiprocessing.Process`, which would run the caller's main module once more, and fail
    where that does not guard against it.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._connection, theirs = Pipe()
        descriptor = theirs.fileno()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"from muscall.library.indexing.worker import serve; serve({descriptor})",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # libraries write there what nobody can make use of
            env={**os.environ, **_SINGLE},
            pass_fds=[descriptor],
            start_new_session=True,  # Ctrl-C concerns this process alone, which ends the others
        )
        theirs.close()
        try:
            if self.receive(_STARTING) != Ready():
                self.refuse()
        except _Died as error:
            raise MuscallError(f"no decoder can be started: {error}") from None

    def send(self, message: Task | Wanted) -> None:
        with suppress(OSError):  # it has died, as `receive` reports
            send(self._connection, message)

    def receive(self, patience: float) -> Message:
        try:
            if self._connection.poll(patience):
                return receive(self._connection, self._length)
        except ValueError:
            self.refuse()
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_ENDING)
            self.kill()
            code = self._process.returncode
            reason = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise _Died(f"the decoder died: {reason}") from None
        self.kill()
        raise _Died(f"the decoder timed out after {patience:g} s")

    def refuse(self) -> NoReturn:
        self.kill()
        raise _Died("the decoder said what no decoder says")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
