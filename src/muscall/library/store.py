"""The tables of a library, in one LanceDB folder, and how they are read. Readers never wait.

`files` has a row for each file and is the record of what is done: a file without a row, or with
another size or time, is still to be read. The tables `tracks_VERSION` and `windows_VERSION` hold
the vectors of one embedding version; those of different versions never meet. `roots` has the
folders that were indexed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import lancedb
import numpy as np
import platformdirs
import pyarrow as pa
from lancedb.table import Table

from muscall.errors import MuscallError
from muscall.library.schema import tracks_schema

REPAIR = "`muscall index` repairs it, and listens again only to what is lost"  # the advice
_MANY = 1000  # keys or paths named in one statement
# LanceDB puts lines of its own source code around the reason.
_REASONS = (
    r"([A-Z][^():]*) \(os error \d+\)",
    r"lance error: (?:LanceError\(\w+\): )?(.*?)(?:, /.*)?$",
)


class NothingIndexed(MuscallError):
    """There is no library, or there are no tracks in it that the model has heard."""

    def __init__(
        self, reason: str = "nothing is indexed with this model: muscall index FOLDER"
    ) -> None:
        super().__init__(reason)


class Damaged(MuscallError):
    """A file of the library is cut off, spoiled or gone."""


@contextmanager
def reading() -> Iterator[None]:
    """What LanceDB says of files that it cannot read, as one line; also a decorator.

    Raises:
        Damaged: a file of the library is cut off, spoiled or gone.
        MuscallError: it cannot be read for now.
    """
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("lance error: "):
            raise
        raise library_error(error) from error


def library_error(error: RuntimeError) -> MuscallError:
    """What LanceDB could not read, in one line; `Damaged` where that is for good.

    A disk or a bucket out of reach is no damage.
    """
    if re.search(r"os error (?!2\))|Generic (?!memory|Local)\w+ error", str(error)):
        return MuscallError(f"the library cannot be read: {reason(error)}; try again")
    return Damaged(f"the library is damaged: {REPAIR} ({reason(error)})")


@dataclass(frozen=True, slots=True)
class File:
    """A row of `files`."""

    path: str
    root: str
    size: int
    mtime_ns: int
    key: str | None
    error: str | None
    state: Literal["present", "offline"]
    ctime_ns: int | None = None


@dataclass(frozen=True)
class Root:
    """A row of `roots`: patterns of what to leave out, and when it was last looked through."""

    path: str
    exclude: list[str]
    scanned: datetime


def default_folder() -> str | Path:
    """Where the library is: what MUSCALL_LIBRARY says, or the user's data folder."""
    named = os.environ.get("MUSCALL_LIBRARY")
    return _located(named) if named else platformdirs.user_data_path("muscall") / "library"


class Store:
    """The library in `folder`, which need not exist yet: then it is empty. Sees every commit.

    In object storage the folder is a URI, such as `s3://bucket/library`.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = _located(folder)
        self._complete: set[str] = set()

    def exists(self) -> bool:
        """Whether there is a library, also a damaged one. Any other folder is none."""
        try:
            return any(self.table(name) is not None for name in ("files", *self._tracks()))
        except Damaged:
            return True

    def names(self) -> list[str]:
        """The names of all tables, sorted."""
        if isinstance(self.folder, Path):  # LanceDB cannot list one that has names of any bytes
            return sorted(path.stem for path in self.folder.glob("*.lance"))
        return sorted(self.database.list_tables(limit=_MANY).tables)

    def must_exist(self) -> None:
        """Nothing where there is a library.

        Raises:
            NothingIndexed: there is none.
        """
        if not self.exists():
            raise NothingIndexed(f"{self.folder}: no library there; `muscall index` makes one")

    def size(self) -> int:
        """Bytes: of all the folder, or of what the tables in a bucket hold now."""
        if isinstance(self.folder, Path):
            return sum(map(_size, self.folder.rglob("*")))
        tables = map(self.database.open_table, self.names())
        statistics: list[Any] = [table.stats() for table in tables]  # dictionaries
        return sum(found["total_bytes"] for found in statistics)

    @reading()
    def files(self, paths: Iterable[str] | None = None) -> dict[str, File]:
        """Files by their path as text: those of `paths` that are known, or all."""
        table = self.table("files")
        if table is None:
            return {}
        if paths is None:
            found = [table.to_arrow()]
        else:
            found = [table.search().where(named).to_arrow() for named in one_of("path", paths)]
        return {row["path"]: File(**row) for rows in found for row in rows.to_pylist()}

    @reading()
    def roots(self) -> dict[str, Root]:
        """All roots by their path as text."""
        table = self.table("roots")
        rows = [] if table is None else table.to_arrow().to_pylist()
        return {row["path"]: Root(**row) for row in rows}

    def embedding_versions(self) -> list[str]:
        """The embedding versions that have tracks."""
        return [name.removeprefix("tracks_") for name in self._tracks()]

    def tracks(self, embedding_version: str) -> Table | None:
        """The tracks of an embedding version (`tracks_schema`), None where it has none.

        Columns that a library of an earlier version lacks are added, empty.

        Raises:
            MuscallError: they cannot be: the folder is read-only.
        """
        table = self.table(f"tracks_{embedding_version}")
        if table is not None and embedding_version not in self._complete:
            try:
                add_missing(table, tracks_schema(1))
            except (OSError, RuntimeError) as error:
                if set(tracks_schema(1).names) - set(table.schema.names):
                    raise MuscallError(
                        f"{self.folder}: of an earlier version, and cannot be written: "
                        f"{reason(error)}; let `muscall index` run where it can"
                    ) from error
            self._complete.add(embedding_version)
        return table

    def windows(self, embedding_version: str) -> Table | None:
        """The windows of an embedding version (`windows_schema`), None where it has none."""
        return self.table(f"windows_{embedding_version}")

    @reading()
    def rows(self, embedding_version: str, keys: Iterable[str]) -> pa.Table:
        """The rows of tracks with these keys, in no order; those without a track are left out."""
        table = self.tracks(embedding_version)
        if table is None:
            return tracks_schema(1).empty_table()
        found = [table.search().where(condition).to_arrow() for condition in one_of("key", keys)]
        return pa.concat_tables([table.schema.empty_table(), *found])

    @reading()
    def holders(self, key: str) -> list[File]:
        """The files that hold the sound `key` and are there."""
        table = self.table("files")
        if table is None:
            return []
        (condition,) = one_of("key", [key])
        rows = table.search().where(f"{condition} AND state = 'present'").to_list()
        return [File(**row) for row in rows]

    @reading()
    def table(self, name: str) -> Table | None:
        """A table as it is now, None where there is none."""
        if isinstance(self.folder, Path) and not self.folder.is_dir():
            return None  # and stays so: opening the database would make the folder
        try:
            return self.database.open_table(name)
        except ValueError:  # also of a table that a killed process had only begun to make
            return None

    def _tracks(self) -> list[str]:
        return [name for name in self.names() if name.startswith("tracks_")]

    @cached_property
    def database(self) -> lancedb.DBConnection:
        """The database itself. Opening it makes its folder.

        Raises:
            MuscallError: the URI is of no storage that there is.
        """
        try:
            return lancedb.connect(self.folder, read_consistency_interval=timedelta(0))
        except ValueError as error:
            first, *_ = str(error).splitlines()  # the others list what there is
            raise MuscallError(f"{self.folder}: no library: {first}") from None


def reason(error: OSError | RuntimeError) -> str:
    """Why LanceDB, or the system, could not read or write."""
    found = filter(None, (re.search(pattern, str(error)) for pattern in _REASONS))
    return next((match[1] for match in found), getattr(error, "strerror", None) or str(error))


def add_missing(table: Table, schema: pa.Schema) -> None:
    """Add the columns of `schema` that a table of an earlier version lacks, empty."""
    there = set(table.schema.names)
    if missing := [column for column in schema if column.name not in there]:
        table.add_columns(missing)


def is_indexed(table: Table, column: str) -> bool:
    """Whether a column has an index of its own."""
    return any(index.columns == [column] for index in table.list_indices())


def matrix(column: pa.ChunkedArray) -> np.ndarray:
    """A column of vectors -> (n, dim)."""
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat.reshape(len(column), column.type.list_size))


def one_of(column: str, values: Iterable[str]) -> Iterator[str]:
    """SQL conditions that `column` is one of `values`, each for a thousand of them."""
    quoted = ["'" + value.replace("'", "''") + "'" for value in values]
    for start in range(0, len(quoted), _MANY):
        yield f"{column} IN ({', '.join(quoted[start : start + _MANY])})"


def _located(folder: str | Path) -> str | Path:
    return folder if isinstance(folder, str) and "://" in folder else Path(folder)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a run that is at work has just removed it
        return 0
