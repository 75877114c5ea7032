"""What `muscall search` and `muscall similar` share: options, and how they show what was found."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from muscall.cli.common import clock, message, print_json, readable
from muscall.errors import one_line

if TYPE_CHECKING:
    from muscall.library.hits import Hit

N = Annotated[int, typer.Option("-n", min=1, help="How many tracks to show.")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="FILTER",
        help="Only such tracks: 'year > 1990 and (bpm < 100 or genre ~ dub)'. Also: title, artist, "
        "album, path, duration in seconds; in (...), not, !=. May be repeated: all of them hold.",
    ),
]
MaxPerArtist = Annotated[
    int | None, typer.Option("--max-per-artist", min=1, help="Tracks of one artist at most.")
]
AsPaths = Annotated[bool, typer.Option("--paths", help="Print nothing but paths, one a line.")]
M3u = Annotated[
    Path | None,
    typer.Option(
        "--m3u", metavar="OUT.m3u8", dir_okay=False, help="Write a playlist instead of printing."
    ),
]

_BAR = 12
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class Row:
    """A track to show, in all forms: as an object, as lines, and in a playlist."""

    object: dict[str, Any]
    lines: Sequence[str]
    path: Path
    name: str
    seconds: float | None = None


@dataclass(frozen=True)
class Form:
    """How to show what was found."""

    as_json: bool
    as_paths: bool
    m3u: Path | None

    def __post_init__(self) -> None:
        if self.as_json + self.as_paths + (self.m3u is not None) > 1:
            raise typer.BadParameter("choose one of --json, --paths and --m3u")

    def show(self, rows: Sequence[Row]) -> None:
        """Print or write `rows`."""
        if self.as_json:
            print_json([row.object for row in rows])
        elif self.as_paths:
            # For other programs, which want the bytes of a name as they are.
            sys.stdout.buffer.writelines(os.fsencode(row.path) + b"\n" for row in rows)
            sys.stdout.flush()
        elif self.m3u is not None:
            from muscall.library.embedding import written_aside
            from muscall.library.playlist import playlist

            with written_aside(self.m3u) as file:
                tracks = ((row.path, row.name, row.seconds) for row in rows)
                file.write(playlist(tracks).encode())
            message(f"{len(rows)} tracks in {readable(self.m3u)}")
        elif rows:
            print("\n".join(line for row in rows for line in row.lines), flush=True)

    def show_hits(self, hits: Sequence[Hit]) -> None:
        """Print or write what was found in a library."""
        if not hits:
            message("nothing fits")
        self.show([_row(hit) for hit in hits])


def _row(hit: Hit) -> Row:
    from muscall.library.playlist import called

    name = called(hit.path, hit.title, hit.artist)
    place = " " * (_BAR + 16)
    if hit.passage is not None:
        mark = "*" if hit.named else " "
        standing = f"{bar(hit.standing)}  {int(hit.percentile):3} %{mark}"
        place = f"{standing} {clock(hit.passage.start):>7}"
    lines = [f"{hit.rank:4}  {place}  {_titled(hit)}"]
    lines += [f"{'also':>{_BAR + 22}}  {_titled(version)}" for version in hit.versions]
    return Row(_object(hit), lines, hit.path, name, hit.duration)


def _titled(hit: Hit) -> str:
    from muscall.library.playlist import called

    name = called(hit.path, hit.title, hit.artist)
    return f"{one_line(name):<32}  {one_line(readable(hit.path))}"


def _object(hit: Hit) -> dict[str, Any]:
    passage = None if hit.passage is None else vars(hit.passage)
    versions = [_object(version) for version in hit.versions]
    return {**vars(hit), "path": readable(hit.path), "passage": passage, "versions": versions}


def bar(share: float) -> str:
    """`share` in 0..1 as a bar of fixed width."""
    full, rest = divmod(round(share * _BAR * 8), 8)
    return ("█" * full + _EIGHTHS[rest].strip()).ljust(_BAR)
