"""Playlists that every player reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from muscall.errors import one_line


def called(path: Path, title: str, artist: str) -> str:
    """What a listener calls a track; by the name of its file where the tags say no title."""
    title = title or path.stem
    return f"{artist} - {title}" if artist else title


def playlist(tracks: Iterable[tuple[Path, str, float | None]]) -> str:
    """M3U8 of tracks: each a path, what it is called and its length in seconds.

    Paths are absolute; one that is no line of UTF-8 is written as a `file://` URI.
    """
    lines = ["#EXTM3U"]
    for path, name, seconds in tracks:
        length = -1 if seconds is None else round(seconds)
        lines += [f"#EXTINF:{length},{one_line(name)}", _line(path.absolute())]
    return "\n".join([*lines, ""])


def _line(path: Path) -> str:
    return str(path) if one_line(path) == str(path) else path.as_uri()
