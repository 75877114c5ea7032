"""Moods in the tags of sound files. The sound itself is never touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import mutagen
from mutagen.apev2 import APENoHeaderError, APEv2
from mutagen.asf import ASFTags
from mutagen.id3 import ID3, TMOO, TXXX
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4FreeForm, MP4Tags

from muscall.errors import AudioError
from muscall.library.audio_hash import audio_hash
from muscall.several import several


def write_moods(path: Path, moods: str | Sequence[str], *, dry_run: bool = False) -> bool:
    """Put `moods` in place of those that the tags of a file have; False where they are the same.

    The tag is what players read: MOOD, in ID3 TMOO (up to version 2.3 TXXX:MOOD), in MP4 a
    freeform one, in ASF WM/Mood. All other tags stay, and so do their kind and version: an MP3
    with APEv2 alone gets no ID3. The file is replaced at once by one with the same sound, or left
    as it is.

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


def _tagged(path: Path, moods: Sequence[str]) -> tuple[Callable[[], None], bool]:
    """What saves the file with `moods` in its tags, and whether they are new there."""
    file = mutagen.File(path)
    if file is None:
        raise AudioError(path, "tags cannot be written: a format without any")
    if file.tags is None and isinstance(file, MP3):
        with suppress(APENoHeaderError):
            tags = APEv2(path)
            return lambda: tags.save(path), _put(tags, moods)
    if file.tags is None:
        file.add_tags()
    elif isinstance(file.tags, ID3) and file.tags.version < (2, 4):
        file.tags.update_to_v23()
        changed = _put(file.tags, moods)
        return lambda: file.save(v2_version=3, v23_sep=None), changed
    return file.save, _put(file.tags, moods)


def _put(tags: Any, moods: Sequence[str]) -> bool:
    """Put `moods` into `tags`; whether they are new there."""
    name, value = _tag(tags, list(moods))
    before = str(tags.get(name))
    tags[name] = value
    return str(tags.get(name)) != before


def _tag(tags: object, moods: list[str]) -> tuple[str, Any]:
    match tags:
        case ID3(version=version) if version < (2, 4):  # which knows no TMOO, and one value a tag
            return "TXXX:MOOD", TXXX(encoding=1, desc="MOOD", text=["; ".join(moods)])
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
        save, _ = _tagged(aside, moods)
        save()
        if audio_hash(aside) != audio_hash(path):
            raise AudioError(path, "tags not written: its sound would not stay the same")
        with aside.open("rb+") as written:
            os.fsync(written.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
