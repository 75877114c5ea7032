"""Finding the clips of a public set: a table names them, and their ids are in the file names.

The folders, the format and the suffix of the files make no difference.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from muscall.audio.decode import open_file, read
from muscall.audio.files import search_folder
from muscall.data.manifest import Row
from muscall.errors import AudioError, MuscallError

MORE = "..."


@dataclass(frozen=True)
class FoundClips:
    """A set as it is on this disk."""

    rows: list[Row]
    left_out: dict[str, str]
    """The reason, by the id of the clip."""
    known: frozenset[str]
    """Ids of `left_out` that are missing or damaged in the set as published."""


def find_clips(
    name: str,
    rows: Sequence[Row],
    folder: Path,
    id_of: Callable[[Path], str],
    *,
    damaged: Collection[str] = (),
) -> FoundClips:
    """Find the file of each row in `folder` or below it, and leave out rows without a usable one.

    Args:
        name: of the set, for messages.
        rows: with the path that the set itself has for the file in `audio`.
        id_of: the id of the row whose file a path is.
        damaged: ids of rows whose files are damaged in some or all published copies. Only these
            are decoded. The others are only opened, which finds empty and unreadable files.

    Raises:
        MuscallError: there are no rows, there is no such folder, or none of the clips can be used.
    """
    if not rows:
        raise MuscallError(f"the table of {name} names no clips")
    if not folder.is_dir():
        raise MuscallError(f"{folder}: no such folder")
    files: dict[str, Path] = {}
    for path in search_folder(folder):
        files.setdefault(id_of(path), path)
    usable: list[Row] = []
    left_out: dict[str, str] = {}
    for row in rows:
        try:
            if row.id not in files:
                raise AudioError(row.audio, "no such file")
            open_file(files[row.id]).close()
            if row.id in damaged:
                read(files[row.id])
            usable.append(replace(row, audio=files[row.id]))
        except AudioError as error:
            left_out[row.id] = error.reason
    if not usable:
        example, reason = rows[0].audio, left_out[rows[0].id]
        raise MuscallError(f"{folder}: no sound of {name} here, such as {example}: {reason}")
    return FoundClips(usable, left_out, frozenset(damaged) & left_out.keys())


def find_file(folder: Path, name: str) -> Path:
    """The file called `name`, which may begin with folders, in `folder` or below it.

    Raises:
        MuscallError: there is none, or no such folder.
    """
    if not folder.is_dir():
        raise MuscallError(f"{folder}: no such folder")
    found = min(folder.rglob(name), default=None)
    if found is None:
        raise MuscallError(f"{folder}: there is no {name} in it")
    return found


def read_table(
    path: Path, needed: Sequence[str], *, delimiter: str = ","
) -> Iterator[dict[str, str]]:
    """The rows of a table by the column names in its first line. Further cells are in `MORE`.

    Args:
        needed: columns that must be there.

    Raises:
        MuscallError: naming the file, the line and what is wrong with it.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file, restkey=MORE, delimiter=delimiter)
        try:
            for name in needed:
                if name not in (lines.fieldnames or ()):
                    raise MuscallError(f"{path}: there is no column {name} in it")
            for row in lines:
                if None in row.values():
                    raise MuscallError(f"{path}:{lines.line_num}: too few cells")
                yield row
        except csv.Error as error:
            raise MuscallError(f"{path}:{lines.line_num}: {error}") from None
        except UnicodeDecodeError:  # of more than a line at once
            raise MuscallError(f"{path}: not UTF-8") from None
    if lines.line_num < 2:
        raise MuscallError(f"{path}: no rows")
