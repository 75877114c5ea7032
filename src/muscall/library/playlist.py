"""Playlists that every player reads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from muscall.errors import one_line


def called(path: Path, title: str, artist: str) -> str:
    """What a listener calls a track; by the name of its file where the tags say no title."""
    title = title or path.stem
    return f"{artist} - {title}" if artist else title


def playlist(
    tracks: Iterable[tuple[Path, str, float | None]], *, relative_to: Path | None = None
) -> str:
    """M3U8 of tracks: each a path, what it is called and its length in seconds.

    Paths are absolute; one that is no line of UTF-8 is written as a `file://` URI.

    Args:
        relative_to: the folder that the paths start from instead, for a player that knows the
            music by another path.
    """
    lines = ["#EXTM3U"]
    for path, name, seconds in tracks:
        length = -1 if seconds is None else round(seconds)
        place = path.absolute()
        if relative_to is not None:
            place = Path(os.path.relpath(place, relative_to.absolute()))
        lines += [f"#EXTINF:{length},{one_line(name)}", _line(place)]
    return "\n".join([*lines, ""])


def _line(path: Path) -> str:
    if one_line(path) == str(path):
        return str(path)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path))
