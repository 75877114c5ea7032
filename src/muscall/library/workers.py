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

from muscall.errors import AudioError, MuscallError
from muscall.library.worker import Answer, Changed, Decoded, Identity, Note, Ready, Task, Window

Result = Identity | Window | Decoded | Changed | AudioError

_TICK = 0.2  # seconds
_STARTING = 300.0  # seconds; the machine may be busy
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
        self, paths: Iterable[Path], wanted: Callable[[Path, Identity], bool]
    ) -> Generator[tuple[Path, Result] | None]:
        """What is in each of `paths`, those of different files mixed; None when nothing came by.

        First the identity of a file; if it is wanted, its windows in order; last `Decoded`,
        `Changed` or an error, which can also come first. To be closed if it is left early.

        Args:
            wanted: whether to decode a file; called in threads.

        Raises:
            MuscallError: a process cannot be started.
        """
        upcoming, lock = iter(paths), threading.Lock()

        def next_path() -> Path | None:
            with lock:
                return next(upcoming, None)

        threads = [
            threading.Thread(target=self._follow, args=(next_path, wanted), name="decode")
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
        self, next_path: Callable[[], Path | None], wanted: Callable[[Path, Identity], bool]
    ) -> None:
        process: _Process | None = None
        read = 0
        try:
            while not self._stop.is_set() and (path := next_path()):
                if process is None:
                    process, read = _Process(), 0
                    self._processes.add(process)
                try:
                    process.send(Task(path, self._length, self._sample_rate))
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
        except Exception as error:  # whoever takes the results is told, instead of left waiting
            self._put(error)
        finally:
            if process is not None:
                process.kill()
            self._put(None)

    def _relay(
        self, process: _Process, path: Path, wanted: Callable[[Path, Identity], bool]
    ) -> None:
        """Pass on what `process` says of one file."""
        while True:
            answer = process.receive(self._patience)
            if isinstance(answer, Note):
                log.warning("%s", answer.text)
                continue
            assert not isinstance(answer, Ready)
            decoding = isinstance(answer, Window)
            if isinstance(answer, Identity):
                decoding = wanted(path, answer)
                process.send(decoding)
            self._put((path, answer))
            if not decoding:
                return

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

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        descriptor = theirs.fileno()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"from muscall.library.worker import serve; serve({descriptor})",
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
            self.receive(_STARTING)
        except _Died as error:
            raise MuscallError(f"no decoder can be started: {error}") from None

    def send(self, message: Task | bool) -> None:
        with suppress(OSError):  # it has died, which `receive` tells
            self._connection.send(message)

    def receive(self, patience: float) -> Answer:
        try:
            if self._connection.poll(patience):
                answer: Answer = self._connection.recv()
                return answer
        except (EOFError, OSError):
            code = self._process.wait()
            reason = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise _Died(f"the decoder died: {reason}") from None
        self.kill()
        raise _Died(f"the decoder gave no sign of life for {patience:g} s")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
