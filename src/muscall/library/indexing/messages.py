"""What is said between a process that reads sound files and the one that gave it that task.

It goes as JSON and plain arrays: a file may take over the process that decodes it, and of what that
one says nothing may be run, as what is unpickled would be.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
from pydantic import TypeAdapter

from muscall.audio.descriptors import Descriptors
from muscall.audio.tags import Tags
from muscall.audio.waveform import BARS
from muscall.audio.windows import Samples

_LARGEST = 64 << 20  # bytes of a message
_WAVEFORM = re.compile(f"[0-9a-f]{{{2 * BARS}}}")
_TAGS = TypeAdapter(Tags)
_DESCRIPTORS = TypeAdapter(Descriptors)


@dataclass(frozen=True)
class Task:
    """A file to read, in windows of `length` samples at `sample_rate`.

    `key` is of its sound, where that is known.
    """

    path: str
    length: int
    sample_rate: int
    key: str | None = None


@dataclass(frozen=True)
class Wanted:
    """Whether the windows of the file are wanted: the answer to an `Identity`."""

    yes: bool


@dataclass(frozen=True)
class Ready:
    """The process has started."""


@dataclass(frozen=True)
class Identity:
    """What the file is. To be answered with `Wanted`."""

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
    """There are no more windows; the track lasts `seconds`, and this was measured of it.

    `waveform` is as `audio.waveform` gives it.
    """

    seconds: float
    descriptors: Descriptors
    waveform: bytes


@dataclass(frozen=True)
class Failed:
    """The file cannot be read, or not to its end."""

    reason: str


@dataclass(frozen=True)
class Changed:
    """The file was written to or replaced while it was read: nothing said of it counts."""


@dataclass(frozen=True)
class Note:
    """A line for the log."""

    text: str


Message = Task | Wanted | Ready | Identity | Window | Decoded | Failed | Changed | Note


def send(connection: Connection, message: Message) -> None:
    """Send a message.

    Raises:
        OSError: the other end is closed.
    """
    told = {name: value for name, value in vars(message).items() if name != "samples"}
    connection.send_bytes(json.dumps([type(message).__name__, told], default=_as_json).encode())
    if isinstance(message, Window):
        connection.send_bytes(message.samples.data)


def _as_json(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else vars(value)


def receive(connection: Connection, length: int = 0) -> Message:
    """The next message, with windows of `length` samples, which cannot be written to.

    Raises:
        EOFError, OSError: the other end is closed.
        ValueError: what comes is no message.
    """
    try:
        told = json.loads(_bytes(connection))
    except (ValueError, RecursionError):
        told = None
    match told:
        case [
            "Task",
            {
                "path": str(path),
                "length": int(length),
                "sample_rate": int(sample_rate),
                "key": None | str() as key,
            },
        ]:
            return Task(path, length, sample_rate, key)
        case ["Wanted", {"yes": bool(yes)}]:
            return Wanted(yes)
        case ["Ready", {}]:
            return Ready()
        case ["Identity", {"key": str(key), "tags": dict(tags)}]:
            return Identity(key, _TAGS.validate_python(tags))
        case ["Window", {"start": float(start), "seconds": float(seconds)}]:
            samples = np.frombuffer(_bytes(connection), np.float32)
            finite = math.isfinite(start + seconds) and np.isfinite(samples).all()
            if finite and len(samples) == length:
                return Window(start, seconds, samples)
        case [
            "Decoded",
            {"seconds": float(seconds), "descriptors": dict(measured), "waveform": str(bars)},
        ]:
            descriptors = _DESCRIPTORS.validate_python(measured)
            numbers = seconds, descriptors.tempo, descriptors.loudness
            measurable = all(math.isfinite(number or 0) for number in numbers)
            if measurable and _WAVEFORM.fullmatch(bars):
                return Decoded(seconds, descriptors, bytes.fromhex(bars))
        case ["Failed", {"reason": str(reason)}]:
            return Failed(reason)
        case ["Changed", {}]:
            return Changed()
        case ["Note", {"text": str(text)}]:
            return Note(text)
    raise ValueError("not understood")


def _bytes(connection: Connection) -> bytes:
    return connection.recv_bytes(_LARGEST)
