"""Files that are written as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from muscall.errors import MuscallError


@contextmanager
def written_aside(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that becomes `path` once the block has succeeded, and vanishes otherwise.

    Raises:
        MuscallError: when it cannot be written (no space, no folder); `path` is as before.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("xb") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                aside.replace(path)
            except BaseException:
                aside.unlink()
                raise
    except OSError as error:
        # A failed write names no file; what names another one has nothing to do with this one.
        if error.filename not in (None, str(aside)):
            raise
        raise MuscallError(f"{path}: cannot be written: {error.strerror or error}") from None
