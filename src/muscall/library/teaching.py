"""What a model hears in the rows of a manifest, for others to learn it by distillation."""

from __future__ import annotations

import logging
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from muscall.data.manifest import Row
from muscall.errors import AudioError, MuscallError
from muscall.library.embedding_version import embedding_version_of
from muscall.models.inference import Segment
from muscall.models.muscall import MusCALL
from muscall.writing import written_aside

_SECONDS = 5.0  # between two writes, or nine times as long as a write takes

log = logging.getLogger("muscall")


def teach(
    teacher: MusCALL,
    rows: Sequence[Row],
    path: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[AudioError]:
    """Write the teacher's vectors of `rows` to `path`, as `data.targets` takes them.

    It is an npz of `ids` (n,), `vectors` (n, dim) float32 of unit norm, each the mean over the
    row's windows, and `teacher`, the model's embedding version. What the file holds already is not
    embedded again, and what is done is written every few seconds: whatever ends a run, the next
    one does the rest, and the file is the same as of one run.

    Args:
        progress: called with the number of rows done and of all rows.

    Returns:
        What was wrong with the rows that cannot be read. They are logged and left out.

    Raises:
        MuscallError: the file cannot be written, or it holds something else, which stays.
    """
    name = embedding_version_of(teacher)
    held = _read(path, name)
    missing = [row for row in rows if row.id not in held]
    done, failures = len(rows) - len(missing), list[AudioError]()

    def write() -> None:
        # In the manifest's order, and after it what earlier runs heard in other manifests.
        order = {row.id: None for row in rows if row.id in held} | dict.fromkeys(held)
        if order:
            with written_aside(path) as file:
                np.savez(file, ids=list(order), vectors=[held[id_] for id_ in order], teacher=name)

    segments = [Segment(row.audio, row.start, row.duration) for row in missing]
    written, took = time.monotonic(), 0.0
    try:
        for index, result in teacher.encode_each(segments):
            if isinstance(result, AudioError):
                log.warning("%s", result)
                failures.append(result)
            else:
                held[missing[index].id] = result
            if progress is not None:
                progress(done + index + 1, len(rows))
            if time.monotonic() - written > max(_SECONDS, 9 * took):
                started = time.monotonic()
                write()
                written = time.monotonic()
                took = written - started
    finally:
        write()
    return failures


def _read(path: Path, name: str) -> dict[str, np.ndarray]:
    """The vectors that an earlier run of the teacher `name` has written, by id."""
    try:
        with np.load(path) as table:
            if str(table["teacher"]) != name:
                raise MuscallError(f"{path}: of another teacher; move it away, or write elsewhere")
            return dict(zip(table["ids"].tolist(), table["vectors"], strict=True))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        raise MuscallError(f"{path}: there is something else; move it away first") from None
