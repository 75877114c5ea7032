"""What a sound file says about itself."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import mutagen


@dataclass(frozen=True)
class Tags:
    """Empty where the file says nothing; several values of one tag are joined by a semicolon."""

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    date: str = ""
    """As it is written: a year, or a date that begins with one."""
    bpm: str = ""


def read_tags(path: str | Path) -> Tags:
    """The tags of a file, whatever their format; none if it has none or cannot be read.

    A file whose tags are damaged may still play, so nothing is raised: who decodes it will say
    what is wrong with it.
    """
    try:
        file = mutagen.File(path, easy=True)
    # Beside its own errors mutagen lets through what it trips over in damaged files.
    except Exception:
        return Tags()
    if file is None or not file.tags:
        return Tags()
    return Tags(**{field.name: _value(file, field.name) for field in fields(Tags)})


def _value(file: mutagen.FileType, name: str) -> str:
    try:
        found = file.get(name)
    except (KeyError, ValueError):  # a format that has no such tag
        return ""
    values = found if isinstance(found, list) else [] if found is None else [found]
    return "; ".join(text for text in (" ".join(str(value).split()) for value in values) if text)
