"""A process that reads sound files for another one, which survives whatever a file does to it.

It is given a `Task` at a time and gives back what `Answer` names. Nothing here may import torch:
the process would start slowly and be large.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from muscall.audio import decode
from muscall.audio.tags import Tags, read_tags
from muscall.audio.windows import Samples, stream_windows
from muscall.errors import AudioError
from muscall.library.payload import payload_hash

_NICE = 10


@dataclass(frozen=True)
class Task:
    """A file to read, in windows of `length` samples at `sample_rate`."""

    path: Path
    length: int
    sample_rate: int


@dataclass(frozen=True)
class Ready:
    """The process has started."""


@dataclass(frozen=True)
class Identity:
    """What the file is. To be answered with whether its windows are wanted (bool)."""

    key: str
    tags: Tags


@dataclass(frozen=True)
class Window:
    """The next window: `samples` (length,) float32, `start` in seconds.

    `seconds` is how much of it is the track's: less than a window where that was repeated.
    """

    start: float
    seconds: float
    samples: Samples


@dataclass(frozen=True)
class Decoded:
    """There are no more windows; the track lasts `seconds`."""

    seconds: float


@dataclass(frozen=True)
class Changed:
    """The file was written to or replaced while it was read: nothing said of it counts."""


@dataclass(frozen=True)
class Note:
    """A line for the log."""

    text: str


Answer = Ready | Identity | Window | Decoded | Changed | AudioError | Note


def serve(descriptor: int) -> None:
    """Work off tasks from a socket until its other end is closed."""
    # A file that fills the memory shall cost this process, not the one that holds the model.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.nice(_NICE)
    connection = Connection(descriptor)
    logging.getLogger("muscall").addHandler(_Notes(connection))
    with contextlib.suppress(EOFError, OSError):
        connection.send(Ready())
        while True:
            for answer in _answers(connection.recv()):
                connection.send(answer)
                if isinstance(answer, Identity) and not connection.recv():
                    break


def _answers(task: Task) -> Iterator[Answer]:
    before = _stamp(task.path)
    try:
        yield Identity(payload_hash(task.path), read_tags(task.path))
        count = 0

        def counted() -> Iterator[Samples]:
            nonlocal count
            for block in decode.stream(task.path, sample_rate=task.sample_rate):
                count += len(block)
                yield block

        for index, samples in enumerate(stream_windows(counted(), task.length)):
            # The last window ends with the track; before it, more may have been read already.
            start = max(0, min(index * task.length, count - task.length))
            held = min(count, task.length)
            yield Window(start / task.sample_rate, held / task.sample_rate, samples)
        last: Answer = Decoded(count / task.sample_rate)
    except AudioError as error:
        last = error
    except Exception as error:  # a decoder's surprise is a reason like any other
        last = AudioError(task.path, f"{type(error).__name__}: {error}")
    yield last if _stamp(task.path) == before else Changed()


def _stamp(path: Path) -> tuple[int, int, int, int] | None:
    """What tells a file from the one that had its name before; None where there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class _Notes(logging.Handler):
    def __init__(self, connection: Connection) -> None:
        super().__init__(logging.WARNING)
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        self._connection.send(Note(record.getMessage()))
