"""Tracks and their embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from muscall.audio.files import find_audio
from muscall.data.manifest import Row
from muscall.errors import AudioError, MuscallError
from muscall.evaluation.embedding import embed_readable
from muscall.models.inference import Segment
from muscall.models.muscall import MusCALL
from muscall.several import several


@dataclass(frozen=True)
class Collection:
    """Tracks with one embedding each, and the files that could not be read."""

    paths: list[Path]
    embeddings: np.ndarray
    """(len(paths), d) float32, unit norm."""
    failures: list[AudioError]

    def write(self, file: IO[bytes]) -> None:
        """Write an npz with `paths` (n,) unicode and `embeddings` (n, d) float32.

        Bytes of a name that are not UTF-8 are there as Python keeps them (PEP 383), so that
        `os.fsencode(path)` gives the name back.
        """
        np.savez(
            file, paths=np.array([str(path) for path in self.paths]), embeddings=self.embeddings
        )


def embed_files(
    model: MusCALL,
    paths: str | Path | Sequence[str | Path],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Collection:
    """Embed every music file under `paths` (files or folders), each over its whole length.

    A file that cannot be read is logged and listed in `failures`.

    Args:
        progress: called with the number of files done and of all files.

    Raises:
        MuscallError: when a path does not exist, there is no music, or none that can be read.
    """
    files = find_audio(paths)
    if not files:
        raise MuscallError(f"no music in {', '.join(map(str, several(paths)))}")
    indices, embeddings, failures = embed_readable(model, files, progress=progress)
    return Collection([files[index] for index in indices], embeddings, failures)


def embed_rows(
    model: MusCALL,
    rows: Sequence[Row],
    file: IO[bytes],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[AudioError]:
    """Embed the sound of each row of a manifest, over its whole length.

    Writes an npz with `ids` (n,) unicode, those of the rows, and `embeddings` (n, d) float32, unit
    norm.

    Args:
        progress: called with the number of rows done and of all rows.

    Returns:
        What was wrong with the rows that cannot be read. They are logged and left out.

    Raises:
        MuscallError: no row can be read.
    """
    segments = [Segment(row.audio, row.start, row.duration) for row in rows]
    indices, embeddings, failures = embed_readable(model, segments, progress=progress)
    np.savez(file, ids=np.array([rows[index].id for index in indices]), embeddings=embeddings)
    return failures
