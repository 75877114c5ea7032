"""Finds the sound files among files and folders."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from muscall.errors import AudioError, one_line

# fmt: off
AUDIO_SUFFIXES = frozenset({
    ".3ga", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".alac", ".amr", ".ape", ".au", ".caf",
    ".dsf", ".dts", ".eac3", ".flac", ".m4a", ".m4b", ".mka", ".mp1", ".mp2", ".mp3", ".mp4",
    ".mpc", ".mpga", ".oga", ".ogg", ".opus", ".ra", ".rf64", ".snd", ".spx", ".tak", ".tta",
    ".voc", ".w64", ".wav", ".wave", ".weba", ".webm", ".wma", ".wv",
})
# fmt: on

logger = logging.getLogger("muscall")


def find_audio(paths: Iterable[str | Path]) -> list[Path]:
    """The sound files in `paths`: files as they are, whatever their suffix, folders searched.

    The order is that of `paths` and, inside a folder, that of the names, files before folders. A
    file or folder met twice is listed once. Folders are searched to any depth, through links too,
    but hidden files and folders are left out; a folder that cannot be read is logged and passed by.

    Raises:
        AudioError: one of `paths` does not exist or may not be looked at.
    """
    found: dict[Path, None] = {}
    seen: set[tuple[int, int]] = set()
    for path in map(Path, paths):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise AudioError(path, "no such file or folder") from error
        except (OSError, ValueError) as error:
            raise AudioError(path, getattr(error, "strerror", None) or str(error)) from error
        found.update(dict.fromkeys(_search(path, seen) if path.is_dir() else [path]))
    return list(found)


def _search(root: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """The sound files under `root`; links may loop, so not in folders (device, inode) `seen`."""
    for folder, folders, names in os.walk(root, onerror=_pass_by, followlinks=True):
        here = Path(folder)
        status = here.stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = here / name
            # Pipes and links to nowhere too: whoever decodes them says what is wrong with them.
            if not name.startswith(".") and path.suffix.lower() in AUDIO_SUFFIXES:
                yield path


def _pass_by(error: OSError) -> None:
    reason = (error.strerror or str(error)).lower()
    logger.warning("%s: %s, passed by", one_line(error.filename), reason)
