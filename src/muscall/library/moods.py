"""Moods in the tags of sound files. The sound itself is never touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import mutagen
from mutagen.asf import ASFTags
from mutagen.id3 import ID3, TMOO
from mutagen.mp4 import MP4FreeForm, MP4Tags

from muscall.errors import AudioError
from muscall.library.payload import payload_hash
from muscall.several import several


def write_moods(path: Path, moods: str | Sequence[str], *, dry_run: bool = False) -> bool:
    """Put `moods` in place of those that the tags of a file have; False where they are the same.

    The tag is what players read: MOOD, in ID3 TMOO, in MP4 a freeform one, in ASF WM/Mood. All
    other tags stay. The file is replaced at once by one with the same sound, or left as it is.

    Args:
        dry_run: write nothing.

    Raises:
        AudioError: the file cannot be written, or its format has no such tag.
    """
    moods = several(moods)
    try:
        _, changed = _tagged(path, moods)
        if changed and not dry_run:
            _replace(path.resolve(), moods)
    except AudioError:
        raise
    # Beside its own errors mutagen lets through what it trips over in damaged files.
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise AudioError(path, f"tags cannot be written: {reason}") from error
    return changed


def _tagged(path: Path, moods: Sequence[str]) -> tuple[Any, bool]:
    """The file with `moods` in its tags, not saved yet, and whether they are new there."""
    file = mutagen.File(path)
    if file is None:
        raise AudioError(path, "tags cannot be written: a format without any")
    if file.tags is None:
        file.add_tags()
    name, value = _tag(file.tags, list(moods))
    before = str(file.tags.get(name))
    file.tags[name] = value
    return file, str(file.tags.get(name)) != before


def _tag(tags: object, moods: list[str]) -> tuple[str, Any]:
    match tags:
        case ID3():
            return "TMOO", TMOO(encoding=3, text=moods)
        case MP4Tags():
            return "----:com.apple.iTunes:MOOD", [MP4FreeForm(mood.encode()) for mood in moods]
        case ASFTags():
            return "WM/Mood", moods
        case _:  # Vorbis comments and APEv2
            return "MOOD", moods


def _replace(path: Path, moods: Sequence[str]) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    os.close(descriptor)
    aside = Path(name)
    try:
        shutil.copy2(path, aside)
        status = path.stat()
        with suppress(PermissionError):
            os.chown(aside, status.st_uid, status.st_gid)
        file, _ = _tagged(aside, moods)
        file.save()
        if payload_hash(aside) != payload_hash(path):
            raise AudioError(path, "tags not written: its sound would not stay the same")
        with aside.open("rb+") as written:
            os.fsync(written.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
