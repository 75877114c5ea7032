"""Finds the sound files among files and folders."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import translate
from pathlib import Path

from muscall.errors import AudioError, one_line
from muscall.several import several

# fmt: off
AUDIO_SUFFIXES = frozenset({
    ".3ga", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".alac", ".amr", ".ape", ".au", ".caf",
    ".dff", ".dsf", ".dts", ".eac3", ".flac", ".m4a", ".m4b", ".mka", ".mp1", ".mp2", ".mp3",
    ".mp4", ".mpc", ".mpga", ".oga", ".ogg", ".opus", ".ra", ".rf64", ".snd", ".spx", ".tak",
    ".tta", ".voc", ".w64", ".wav", ".wave", ".weba", ".webm", ".wma", ".wv",
})
# Folders of systems and of network drives that hold what was deleted, or every file once more.
_ASIDE = frozenset({
    "$recycle.bin", "#recycle", "@recycle", "@recently-snapshot", "#snapshot", "@snapshot",
    "~snapshot", "@eadir", "@sharebin", "@tmp", "@__thumb", "system volume information",
    "lost+found", "found.000", "network trash folder", "network recycle bin",
})
# fmt: on
# A name that begins with a dot is hidden, but a word, a number or an ellipsis of a title is not.
_HIDDEN = re.compile(r"\.(?![.\d\s('\"])")
_SHADOW = "._"  # how macOS names what it keeps beside a file on drives of others: never sound
_LOOK = 2000  # entries of a folder that are looked at for sound, where it is left out

logger = logging.getLogger("muscall")


def find_audio(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """The sound files in `paths`: files as they are, whatever their suffix, folders searched.

    The order is that of `paths` and, inside a folder, that of the names, files before folders and
    links to files last. A file or folder met twice is listed once. Folders are searched as
    `search_folder` does.

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
    left_out: list[Path] | None = None,
) -> Iterator[Path]:
    """The sound files under `root`, to any depth and through links too, each folder once.

    Left out are hidden files and folders (but not names as "...And Justice for All" or ".38
    Special"), recycle bins, snapshots and what else systems put into folders, and a folder that
    holds a `.nomedia`, each with all that is below it. Links to files come last. A folder that
    cannot be read is logged and passed by.

    Args:
        exclude: shell patterns; a file or folder is left out where its name, or its path relative
            to `root`, matches one. `*` matches across folders too. After a `!` it is taken in
            instead, were it hidden, a recycle bin or a snapshot.
        seen: (device, inode) of files and folders to leave out, added to: with it, of links and
            hard links to one file the first alone is listed.
        left_out: is given what was left out though it holds sound and no pattern said so.
    """
    patterns = several(exclude)
    excluded = _matching(pattern for pattern in patterns if not pattern.startswith("!"))
    included = _matching(pattern[1:] for pattern in patterns if pattern.startswith("!"))
    walked = set() if seen is None else seen  # links may loop
    left_out = [] if left_out is None else left_out

    def wanted(path: Path, below: str, *, folder: bool) -> bool:
        name = path.name
        if name.startswith(_SHADOW) or excluded(name) or excluded(below + name):
            return False
        aside = _HIDDEN.match(name) or (folder and name.lower() in _ASIDE)
        if not aside or included(name) or included(below + name):
            return True
        if not folder or _holds_sound(path):
            left_out.append(path)
        return False

    links = []
    for at, folders, names in os.walk(root, onerror=_pass_by, followlinks=True):
        here = Path(at)
        if not _is_new(here, walked):
            folders.clear()
            continue
        if ".nomedia" in names:
            if _holds_sound(here):
                left_out.append(here)
            folders.clear()
            continue
        below = "" if here == root else f"{here.relative_to(root)}/"
        folders[:] = sorted(name for name in folders if wanted(here / name, below, folder=True))
        for name in sorted(names):
            path = here / name
            # Pipes and links to nowhere too: whoever decodes them says what is wrong with them.
            if path.suffix.lower() in AUDIO_SUFFIXES and wanted(path, below, folder=False):
                if path.is_symlink():
                    links.append(path)
                elif seen is None or _is_first(path, seen):
                    yield path
    yield from (path for path in links if seen is None or _is_first(path, seen))


def _matching(patterns: Iterable[str]) -> Callable[[str], object]:
    return re.compile("|".join(map(translate, patterns)) or r"(?!)").match


def _holds_sound(folder: Path) -> bool:
    """Whether there is a sound file under `folder`, by a quick look."""
    looked = 0
    for _, _, names in os.walk(folder):
        if any(Path(name).suffix.lower() in AUDIO_SUFFIXES for name in names):
            return True
        looked += 1 + len(names)
        if looked > _LOOK:
            break
    return False


def _is_first(path: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether a file has no other name that was met before; what cannot be looked at has none.

    Only where it can have one: network drives may give files that differ the same number.
    """
    try:
        status = path.stat()
    except OSError:
        return True
    identity = (status.st_dev, status.st_ino)
    if identity in seen and (status.st_nlink > 1 or path.is_symlink()):
        return False
    seen.add(identity)
    return True


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
