"""The songs inside one long file: of a cue sheet beside it or in its tags, or its own chapters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from muscall.audio.decode import open_file
from muscall.audio.decoders import open_stream
from muscall.audio.tags import Chapter, repaired

_LARGEST = 1 << 20  # bytes of a cue sheet
_MOST = 1000  # chapters
_LINE = re.compile(
    r'\s*(FILE|TRACK|TITLE|PERFORMER|INDEX)\s+(?:"([^"]*)"|(\S+))\s*(\S*)', re.IGNORECASE
)
_INDEX = re.compile(r"(\d{1,4}):(\d\d):(\d\d)")  # minutes, seconds, frames
_FRAMES = 75  # a second


def read_chapters(path: Path) -> tuple[Chapter, ...]:
    """The songs in a file, in their order; none where the file names none, or is damaged.

    A sheet beside the file is called as it is, `album.cue` or `album.flac.cue`.
    """
    for sheet in (path.with_suffix(".cue"), path.with_name(f"{path.name}.cue")):
        with suppress(OSError, ValueError):
            if sheet.stat().st_size <= _LARGEST and (found := read_sheet(_text(sheet), path.stem)):
                return found
    with suppress(Exception):  # whoever decodes the file says what is wrong with it
        return _inside(path)
    return ()


def read_sheet(sheet: str, stem: str) -> tuple[Chapter, ...]:
    """The tracks that a cue sheet has of the file called `stem`, or of its only file."""
    tracks = list(_tracks(sheet))
    files = {file for file, _ in tracks}
    own = next((file for file in files if Path(file).stem.lower() == stem.lower()), None)
    if own is None and len(files) > 1:
        return ()
    return tuple(chapter for file, chapter in tracks if own in (None, file))[:_MOST]


def _tracks(sheet: str) -> Iterator[tuple[str, Chapter]]:
    """Each track with the file that it is in."""
    file = title = performer = everyone = ""
    inside = False
    for line in sheet.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        word, value = found[1].upper(), (found[2] if found[2] is not None else found[3]).strip()
        if word == "FILE":
            file = value.replace("\\", "/")
        elif word == "TRACK":
            inside, title, performer = True, "", ""
        elif word == "TITLE" and inside:
            title = value
        elif word == "PERFORMER":
            performer, everyone = (value, everyone) if inside else (performer, value)
        elif word == "INDEX" and value == "01" and title and (at := _INDEX.fullmatch(found[4])):
            start = 60 * int(at[1]) + int(at[2]) + int(at[3]) / _FRAMES
            named = f"{performer} - {title}" if performer not in ("", everyone) else title
            yield file, Chapter(start, named)


def _text(sheet: Path) -> str:
    raw = sheet.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return repaired(raw.decode("latin-1"))


def _inside(path: Path) -> tuple[Chapter, ...]:
    with open_file(path) as file:
        container, stream = open_stream(file)
        with closing(container):
            told = {**container.metadata, **stream.metadata}
            sheet = next((told[name] for name in told if name.lower() == "cuesheet"), "")
            if sheet[:_LARGEST]:
                return read_sheet(sheet, path.stem)
            chapters = container.chapters()
    found = (
        Chapter(float(one["start"] * (one["time_base"] or 0)), one["metadata"]["title"].strip())
        for one in chapters[:_MOST]
        if one["metadata"].get("title", "").strip()
    )
    return tuple(found)
