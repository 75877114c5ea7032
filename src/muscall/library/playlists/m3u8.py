"""Playlists that every player reads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from muscall.errors import one_line
from muscall.library.search.hits import Hit


@dataclass(frozen=True)
class Places:
    """How a list says where its tracks are: by their absolute paths, if nothing else is said."""

    relative_to: Path | None = None
    """The folder that paths start from, for a player that knows the music by another path."""
    prefix: tuple[str, str] | None = None
    """The beginning of a path, and what stands there instead, for a player that has the music
    elsewhere."""
    server: str = ""
    """The address of a `muscall serve` that sends the sound."""
    sign: str = ""
    """What shows the server its key."""

    def of(self, hit: Hit) -> str:
        """A line of UTF-8: a path, or a URI where a path is no such line."""
        if self.server:
            about = f"?id={hit.key}&c=m3u8&v=1.16.1{self.sign and '&'}{self.sign}"
            return f"{self.server.rstrip('/')}/rest/stream{about}"
        path = hit.path.absolute()
        if self.relative_to is not None:
            path = Path(os.path.relpath(path, self.relative_to.absolute()))
        if self.prefix is not None and path.is_relative_to(self.prefix[0]):
            after = str(path.relative_to(self.prefix[0]))
            if one_line(after) == after:
                joint = "" if self.prefix[1].endswith(("/", "\\")) else "/"
                return f"{self.prefix[1]}{joint}{after}"
        if one_line(path) == str(path):
            return str(path)
        return path.as_uri() if path.is_absolute() else quote(os.fsencode(path))


ABSOLUTE = Places()


def called(path: Path, title: str, artist: str) -> str:
    """What a listener calls a track; by the name of its file where the tags say no title."""
    title = title or path.stem
    return f"{artist} - {title}" if artist else title


def m3u8(hits: Iterable[Hit], places: Places = ABSOLUTE) -> str:
    """A playlist of tracks: each with its length in seconds, what it is called, and where it is."""
    lines = ["#EXTM3U"]
    for hit in hits:
        name = one_line(called(hit.path, hit.title, hit.artist))
        lines += [f"#EXTINF:{round(hit.duration)},{name}", places.of(hit)]
    return "\n".join([*lines, ""])
