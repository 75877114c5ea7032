"""Sound files that lie inside others: members of a tar, cells of a Parquet table."""

from __future__ import annotations

import os
import tempfile
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from muscall.errors import AudioError, needs

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@dataclass(frozen=True)
class Inside(ABC):
    """Where a sound file lies inside another one."""

    file: Path
    """The file around it."""
    name: str
    """What it is called there."""

    def __str__(self) -> str:
        return f"{self.file}/{self.name}"

    def resolve(self) -> Self:
        """The same place, with the path of the file around it made absolute."""
        return replace(self, file=self.file.resolve())

    @abstractmethod
    def open(self) -> FileIO:
        """The sound file as if it lay by itself.

        Raises:
            AudioError: the file around it is damaged, or there is nothing at this place.
            OSError: the file around it cannot be opened.
        """


Sound = Path | Inside
"""Where a sound file is."""


@dataclass(frozen=True)
class Member(Inside):
    """A member of a tar file: `size` bytes from byte `start` on."""

    start: int
    size: int

    def open(self) -> FileIO:
        if not self.size:
            raise AudioError(self, "empty file")
        return Part(self.file, self.start, self.size)


@dataclass(frozen=True)
class Cell(Inside):
    """A cell of a Parquet table: `row` of the row group `group`, in the leaf column `column`."""

    column: str
    group: int
    row: int

    def __str__(self) -> str:
        return f"{self.file}: row {self.name}"

    def open(self) -> FileIO:
        with _reading:  # threads that want rows of one group read it once
            values = _row_group(self.file, self.column, self.group)
        content = values[self.row].as_buffer()
        if not content:
            raise AudioError(self, "no sound in it")
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        file.write(content)
        file.seek(0)
        return file


_reading = threading.Lock()


@lru_cache(maxsize=1)
def _row_group(file: Path, column: str, group: int) -> Any:
    """All cells of a column in a row group: no part of one can be read by itself.

    The last one is kept, so that reading row by row reads each group once.
    """
    with needs("train", f"{file}: Parquet"):
        from pyarrow import parquet
    try:
        with parquet.ParquetFile(file, memory_map=True) as table:
            return table.read_row_group(group, columns=[column], use_threads=False).flatten()[0]
    except (OSError, ValueError, IndexError) as error:
        reason = f"row group {group} cannot be read ({error}): fetch the file again"
        raise AudioError(file, " ".join(reason.split())) from None


class Part(FileIO):
    """`size` bytes of a file from byte `start` on, read as a file of their own.

    Only `fileno()` is that of the whole file.
    """

    def __init__(self, path: Path, start: int, size: int) -> None:
        super().__init__(path)
        self.start, self.size = start, size
        self.seek(0)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        origin = (0, self.tell(), self.size)[whence]
        return super().seek(self.start + max(0, origin + offset)) - self.start

    def tell(self) -> int:
        return super().tell() - self.start

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self.size - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left))

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        content = self.read(memoryview(buffer).nbytes)
        memoryview(buffer).cast("B")[: len(content)] = content
        return len(content)
