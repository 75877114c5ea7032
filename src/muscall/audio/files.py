"""Finds the sound files among files and folders."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from pathlib import Path

from muscall.errors import AudioError, one_line
from muscall.several import several

# fmt: off
AUDIO_SUFFIXES = frozenset({
    ".3ga", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".alac", ".amr", ".ape", ".au", ".caf",
    ".dsf", ".dts", ".eac3", ".flac", ".m4a", ".m4b", ".mka", ".mp1", ".mp2", ".mp3", ".mp4",
    ".mpc", ".mpga", ".oga", ".ogg", ".opus", ".ra", ".rf64", ".snd", ".spx", ".tak", ".tta",
    ".voc", ".w64", ".wav", ".wave", ".weba", ".webm", ".wma", ".wv",
})
# fmt: on

logger = logging.getLogger("muscall")


def find_audio(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """The sound files in `paths`: files as they are, whatever their suffix, folders searched.

    The order is that of `paths` and, inside a folder, that of the names, files before folders. A
    file or folder met twice is listed once. Folders are searched as `search_folder` does.

    Raises:
        AudioError: one of `paths` does not exist or may not be looked at.
    """
    found: dict[Path, None] = {}
    seen: set[tuple[int, int]] = set()
    for path in map(Path, several(paths)):
        check_there([path])
        found.update(dict.fromkeys(search_folder(path, seen=seen) if path.is_dir() else [path]))
    return list(found)


def check_there(paths: Iterable[Path]) -> None:
    """Look whether all of `paths` are there, which takes no time.

    Raises:
        AudioError: as `find_audio`.
    """
    for path in paths:
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise AudioError(path, "no such file or folder") from error
        except (OSError, ValueError) as error:
            raise AudioError(path, getattr(error, "strerror", None) or str(error)) from error


def search_folder(
    root: Path,
    *,
    exclude: str | Sequence[str] = (),
    seen: set[tuple[int, int]] | None = None,
) -> Iterator[Path]:
    """The sound files under `root`, to any depth and through links too, each folder once.

    Left out are hidden files and folders, and a folder that holds a `.nomedia` with all that is
    below it; a folder that cannot be read is logged and passed by.

    Args:
        exclude: shell patterns; a file or folder is left out where its name, or its path relative
            to `root`, matches one. `*` matches across folders too.
        seen: (device, inode) of folders to leave out, because links may loop; added to.
    """
    excluded = re.compile("|".join(map(translate, several(exclude))) or r"(?!)")
    seen = set() if seen is None else seen

    def wanted(name: str, below: str) -> bool:
        hidden = name.startswith(".")
        return not (hidden or excluded.match(name) or excluded.match(below + name))

    for folder, folders, names in os.walk(root, onerror=_pass_by, followlinks=True):
        here = Path(folder)
        if ".nomedia" in names or not _is_new(here, seen):
            folders.clear()
            continue
        below = "" if here == root else f"{here.relative_to(root)}/"
        folders[:] = sorted(name for name in folders if wanted(name, below))
        for name in sorted(names):
            path = here / name
            # Pipes and links to nowhere too: whoever decodes them says what is wrong with them.
            if path.suffix.lower() in AUDIO_SUFFIXES and wanted(name, below):
                yield path


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether `folder` is there and not among `seen`, to which it is added."""
    try:
        status = folder.stat()
    except OSError as error:  # it went away a moment ago
        _pass_by(error)
        return False
    identity = (status.st_dev, status.st_ino)
    new = identity not in seen
    seen.add(identity)
    return new


def _pass_by(error: OSError) -> None:
    reason = (error.strerror or str(error)).lower()
    logger.warning("%s: %s, passed by", one_line(error.filename), reason)
