"""Play tracker modules through libopenmpt's C interface (Debian's libopenmpt0)."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections import Counter
from collections.abc import Callable
from ctypes import c_char_p, c_double, c_int, c_int32, c_size_t, c_uint8, c_void_p
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from recipes.corpus.rows import ClipError, Samples

RATE = 32_000
_BLOCK = RATE // 50  # shorter than a row
_NOTE, _INSTRUMENT = 0, 1  # libopenmpt's columns of a pattern

_SIGNATURES: dict[str, tuple[Any, ...]] = {
    # name: result, arguments after the module
    "get_duration_seconds": (c_double,),
    "set_position_seconds": (c_double, c_double),
    "get_current_estimated_bpm": (c_double,),
    "get_current_order": (c_int32,),
    "get_current_pattern": (c_int32,),
    "get_current_row": (c_int32,),
    "get_pattern_row_channel_command": (c_uint8, c_int32, c_int32, c_int32, c_int),
    "get_num_samples": (c_int32,),
    "get_num_instruments": (c_int32,),
    "get_num_channels": (c_int32,),
    "get_metadata": (c_void_p, c_char_p),
    "get_sample_name": (c_void_p, c_int32),
    "get_instrument_name": (c_void_p, c_int32),
    "ctl_set_floatingpoint": (c_int, c_char_p, c_double),
    "read_interleaved_float_stereo": (c_size_t, c_int32, c_size_t, c_void_p),
    "destroy": (None,),
}


@once
def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library("openmpt")
    if name is None:
        raise ClipError("libopenmpt: not installed (apt-get install libopenmpt0)")
    library = ctypes.CDLL(name)
    for function, (result, *arguments) in _SIGNATURES.items():
        entry = getattr(library, f"openmpt_module_{function}")
        entry.restype, entry.argtypes = result, [c_void_p, *arguments]
    create = library.openmpt_module_create_from_memory2
    create.restype = c_void_p
    create.argtypes = [c_char_p, c_size_t, *[c_void_p] * 7]
    library.openmpt_free_string.argtypes = [c_void_p]
    return library


@dataclass(frozen=True)
class Rendering:
    """(frames, 2) at RATE, and what was played in it.

    `bpm` is what rows and ticks suggest, at best what the composer thought of; `onsets` are
    rows with new notes, a second; `struck` counts the notes begun by name of instrument.
    """

    samples: Samples
    bpm: float
    onsets: float
    struck: Counter[str]


class Module:
    """An open module; a context manager.

    Raises:
        ClipError: libopenmpt is missing or cannot read the file.
    """

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self._library = _library()
        nothing = [None] * 7
        self._module = self._library.openmpt_module_create_from_memory2(data, len(data), *nothing)
        if not self._module:
            raise ClipError(f"{path.name}: not a module that libopenmpt can read")

    def __enter__(self) -> Module:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call("destroy")

    def _call(self, function: str, *arguments: Any) -> Any:
        entry: Callable[..., Any] = getattr(self._library, f"openmpt_module_{function}")
        return entry(self._module, *arguments)

    def _text(self, function: str, *arguments: Any) -> str:
        where = self._call(function, *arguments)
        try:
            return ctypes.string_at(where).decode("utf-8", "replace").strip()
        finally:
            self._library.openmpt_free_string(where)

    @property
    def seconds(self) -> float:
        return float(self._call("get_duration_seconds"))

    @property
    def title(self) -> str:
        return self._text("get_metadata", b"title")

    @property
    def names(self) -> list[str]:
        """What the author called the instruments, by number; samples where there are none."""
        kind = "instrument" if self._call("get_num_instruments") else "sample"
        count = self._call(f"get_num_{kind}s")
        return [self._text(f"get_{kind}_name", n) for n in range(count)]

    def play(
        self, start: float, seconds: float, *, tempo: float = 1.0, pitch: float = 1.0
    ) -> Rendering:
        """From `start` (s) of the module; `tempo` and `pitch` are factors."""
        self._call("ctl_set_floatingpoint", b"play.tempo_factor", tempo)
        self._call("ctl_set_floatingpoint", b"play.pitch_factor", pitch)
        self._call("set_position_seconds", start)
        sound = np.zeros((round(seconds * RATE), 2), np.float32)
        at, row, beats = 0, (-1, -1, -1), []
        struck: Counter[int] = Counter()
        rows_struck = 0
        while at < len(sound):
            size = min(_BLOCK, len(sound) - at)
            where = sound[at:].ctypes.data_as(c_void_p)
            got = int(self._call("read_interleaved_float_stereo", RATE, size, where))
            if got == 0:
                break
            at += got
            order = self._call("get_current_order")
            here = (order, self._call("get_current_pattern"), self._call("get_current_row"))
            if here != row:
                row = here
                beats.append(float(self._call("get_current_estimated_bpm")))
                begun = self._struck(*row[1:])
                struck.update(begun)
                rows_struck += bool(begun)
        names = self.names
        counts: Counter[str] = Counter()
        for number, count in struck.items():
            if 0 < number <= len(names):
                counts[names[number - 1]] += count
        middle = sorted(beats)[len(beats) // 2] if beats else 0.0
        return Rendering(sound[:at], middle, rows_struck / max(at / RATE, 1.0), counts)

    def _struck(self, pattern: int, row: int) -> list[int]:
        """The instruments whose notes begin in a row, by number from 1."""
        begun = []
        for channel in range(self._call("get_num_channels")):
            place = (pattern, row, channel)
            note = self._call("get_pattern_row_channel_command", *place, _NOTE)
            instrument = self._call("get_pattern_row_channel_command", *place, _INSTRUMENT)
            if 0 < note < 128 and instrument:
                begun.append(instrument)
        return begun
