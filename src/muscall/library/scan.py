"""What is in the folders of a library."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from muscall.audio.files import search_folder
from muscall.errors import MuscallError
from muscall.library.store import Root
from muscall.several import several

_URI = "file://"
# What file systems round times to, in ns: FAT 2 s, HFS+ 1 s, exFAT 10 ms, then others.
_GRAINS = (2_000_000_000, 1_000_000_000, 10_000_000, 1_000_000, 1_000, 100)
_QUARTER, _ZONES = 900_000_000_000, 14 * 4  # ns of 15 minutes; as many to the farthest time zone


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A sound file in a folder: `size` in bytes, times of the last changes in ns since 1970."""

    root: str
    size: int
    mtime_ns: int
    ctime_ns: int
    """Of anything, as tags that were written without a new `mtime_ns`."""
    key: str | None = None
    """Of its sound, where that is known and only the tags have changed."""


def scan(
    root: Path,
    exclude: Sequence[str] = (),
    *,
    seen: set[tuple[int, int]] | None = None,
    left_out: list[Path] | None = None,
) -> dict[str, SoundFile]:
    """The sound files under `root` by their path as text, each once, as `search_folder` finds them.

    A folder that does not exist holds none. `exclude`, `seen` and `left_out` are `search_folder`'s.
    """
    found = {}
    name = path_text(root)
    seen = set() if seen is None else seen
    paths = search_folder(root, exclude=exclude, seen=seen, left_out=left_out)
    for path in paths if root.is_dir() else ():
        status = _status(path)
        if status is not None:
            found[path_text(path)] = SoundFile(
                name, status.st_size, status.st_mtime_ns, status.st_ctime_ns
            )
    return found


def _status(path: Path) -> os.stat_result | None:
    """Of the file, or of a link to nowhere itself; None when it has just gone."""
    for follow in (True, False):
        try:
            return path.stat(follow_symlinks=follow)
        except OSError:
            continue
    return None


def is_same_time(*times: int) -> bool:
    """Whether two times of a file, in ns, may be the same.

    A drive may round times when it is written or mounted again. Those of FAT are local: all of them
    shift when the clocks do.
    """
    apart = abs(times[0] - times[1])
    rounded = any(apart < grain and any(t % grain == 0 for t in times) for grain in _GRAINS)
    local = all(time % _GRAINS[0] == 0 for time in times) and apart % _QUARTER == 0
    return apart == 0 or rounded or (local and apart <= _ZONES * _QUARTER)


def path_text(path: Path) -> str:
    """An absolute path as valid Unicode: itself, or a `file://` URI where it is not UTF-8."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _URI + quote_from_bytes(os.fsencode(path))
    return text


def text_path(text: str) -> Path:
    """The path that `path_text` wrote."""
    if text.startswith(_URI):
        return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(_URI))))
    return Path(text)


def choose_roots(
    known: dict[str, Root],
    roots: str | Path | Sequence[str | Path],
    exclude: str | Sequence[str] | None,
) -> dict[str, Root]:
    """The roots to look through, by their path: `roots`, or all that are `known` for none.

    Raises:
        MuscallError: there is no such folder, or none is known.
    """
    named = [os.path.normpath(Path(root).absolute()) for root in several(roots)]
    paths = [path_text(Path(name)) for name in named] or list(known)
    if not paths:
        raise MuscallError("the library knows no folder yet: name one")
    for path in paths:
        if path not in known and not text_path(path).is_dir():
            raise MuscallError(f"{text_path(path)}: no such folder")
    now = datetime.now(UTC)
    before = {path: known[path].exclude if path in known else [] for path in paths}
    stated = None if exclude is None else several(exclude)
    return {path: Root(path, before[path] if stated is None else stated, now) for path in paths}
