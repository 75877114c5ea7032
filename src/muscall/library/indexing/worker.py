"""A process that reads sound files for another one, which survives whatever a file does to it.

It is given a `Task` at a time and tells what it finds, see `messages`. Nothing here may import
torch: the process would start slowly and be large.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from muscall.audio import decode
from muscall.audio.chapters import read_chapters
from muscall.audio.descriptors import Meter
from muscall.audio.tags import read_tags
from muscall.audio.waveform import Waveform
from muscall.audio.windows import Samples, stream_windows
from muscall.errors import AudioError
from muscall.library.audio_hash import audio_hash
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
from muscall.processes import end_with_parent

_NICE = 10


def serve(descriptor: int) -> None:
    """Work off tasks from a socket until its other end is closed."""
    end_with_parent()
    # A file that fills the memory should cost this process, not the one that holds the model.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.nice(_NICE)
    connection = Connection(descriptor)
    logging.getLogger("muscall").addHandler(LogSender(connection))
    with contextlib.suppress(EOFError, OSError):
        send(connection, Ready())
        while isinstance(task := receive(connection), Task):
            for answer in _answers(task):
                send(connection, answer)
                if isinstance(answer, Identity) and receive(connection) == Wanted(False):
                    break


def _answers(task: Task) -> Iterator[Message]:
    path = Path(task.path)
    before = _stamp(path)
    try:
        key = task.key or audio_hash(path)  # first: it refuses what may not be opened
        yield Identity(key, replace(read_tags(path), chapters=read_chapters(path)))
        count = 0
        meter, waveform = Meter(task.sample_rate), Waveform(task.sample_rate)

        def counted() -> Iterator[Samples]:
            nonlocal count
            for block in decode.stream(path, sample_rate=task.sample_rate):
                count += len(block)
                meter.add(block)
                waveform.add(block)
                yield block

        for index, samples in enumerate(stream_windows(counted(), task.length)):
            # The last window ends with the track; before it, more may have been read already.
            start = max(0, min(index * task.length, count - task.length))
            held = min(count, task.length)
            yield Window(start / task.sample_rate, held / task.sample_rate, samples)
        last: Message = Decoded(count / task.sample_rate, meter.descriptors(), waveform.bars())
    except AudioError as error:
        last = Failed(error.reason)
    except Exception as error:  # a decoder's surprise is a reason like any other
        last = Failed(f"{type(error).__name__}: {error}")
    yield last if _stamp(path) == before else Changed()


def _stamp(path: Path) -> tuple[int, int, int, int] | None:
    """What distinguishes a file from an earlier one of its name; None where there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class LogSender(logging.Handler):
    def __init__(self, connection: Connection) -> None:
        super().__init__(logging.WARNING)
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        send(self._connection, Note(record.getMessage()))
