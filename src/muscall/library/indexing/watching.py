"""When it is time to look through folders again."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import watchfiles

log = logging.getLogger("muscall")

_LOOK_AGAIN = 600.0  # seconds; network drives report nothing, and a folder may have come back
_QUIET, _IMPATIENT = 1.0, 10.0  # seconds without a change after some, or with changes all the time


def occasions(folders: Sequence[Path], ignored: Path) -> Generator[None]:
    """Yields at once, then whenever something changed in `folders`, but not in `ignored`.

    What changes while the caller is busy counts too. Every ten minutes it yields in any case; where
    the system cannot watch so many folders, that is said once, and nothing else makes it yield.
    """
    there = [folder for folder in folders if folder.is_dir()]
    watched = _watch(there, ignored.absolute(), denied_too=False)
    looked = -math.inf
    while True:
        changes = None
        try:
            changes = next(watched)
        except StopIteration:  # it has failed
            time.sleep(_QUIET)
        except PermissionError:
            watched = _watch(there, ignored.absolute(), denied_too=True)
        except (OSError, RuntimeError) as error:
            log.warning(
                "changes are not noticed, but looked for every %g minutes: %s (on Linux, "
                "`sysctl fs.inotify.max_user_watches=1000000` lets more folders be watched)",
                _LOOK_AGAIN / 60,
                str(error).partition(" about ")[0],
            )
        if changes or time.monotonic() - looked > _LOOK_AGAIN:
            yield
            looked = time.monotonic()


def _watch(
    folders: Sequence[Path], ignored: Path, *, denied_too: bool
) -> Iterator[set[tuple[watchfiles.Change, str]]]:
    """Changes, an empty set where there were none for a moment.

    Args:
        denied_too: let there be folders that may not be read. Then nobody is told of other reasons
            for which a folder is not watched.
    """
    return watchfiles.watch(
        *folders,
        watch_filter=lambda _, path: not Path(path).is_relative_to(ignored),
        step=round(_QUIET * 1000),
        debounce=round(_IMPATIENT * 1000),
        rust_timeout=500,
        yield_on_timeout=True,
        ignore_permission_denied=denied_too,
    )
