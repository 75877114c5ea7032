"""When it is time to look through folders again."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from pathlib import Path

import watchfiles

from muscall.errors import MuscallError

_LOOK_AGAIN = 600.0  # seconds; network drives tell nothing, and a folder may have come back
_QUIET, _IMPATIENT = 1.0, 10.0  # seconds without a change after some, or with changes all the time


def occasions(folders: Sequence[Path], ignored: Path) -> Generator[None]:
    """Yields at once, then whenever something changed in `folders`, but not in `ignored`.

    What changes while the caller is busy counts too. Every ten minutes it yields in any case.

    Raises:
        MuscallError: the system cannot watch so many folders.
    """
    watched = watchfiles.watch(
        *(folder for folder in folders if folder.is_dir()),
        watch_filter=lambda _, path: not Path(path).is_relative_to(ignored.absolute()),
        step=round(_QUIET * 1000),
        debounce=round(_IMPATIENT * 1000),
        rust_timeout=500,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    looked = -math.inf
    while True:
        try:
            changes = next(watched)
        except (OSError, RuntimeError) as error:
            raise MuscallError(f"cannot watch for changes: {error}") from error
        if changes or time.monotonic() - looked > _LOOK_AGAIN:
            yield
            looked = time.monotonic()
