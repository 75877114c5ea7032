"""What the commands that find tracks share: options, and how they show what was found."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.cells import cell_len, set_cell_size

from muscall.cli.common import message, print_json, readable, unicode
from muscall.clock import clock
from muscall.errors import one_line
from muscall.writing import written_aside

if TYPE_CHECKING:
    from muscall.library.search.hits import Hit, Results

Query = Annotated[
    str | None,
    typer.Argument(
        metavar="QUERY",
        help='What to find: "dreamy synths from the 90s, no drums", "by Nina Simone".',
    ),
]
Like = Annotated[
    list[str] | None,
    typer.Option(
        "--like",
        metavar="FILE[@m:ss-m:ss]",
        help="Music that sounds like this file, or this passage of it. May be repeated.",
    ),
]
Unlike = Annotated[
    list[str] | None,
    typer.Option("--unlike", metavar="FILE[@m:ss-m:ss]", help="Less like this."),
]
Avoid = Annotated[
    list[str] | None,
    typer.Option("--avoid", metavar="TEXT", help='Without this: "vocals". May be repeated.'),
]
N = Annotated[int, typer.Option("-n", min=1, help="How many tracks to show.")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="FILTER",
        help="Only such tracks: 'year > 1990 and (bpm < 100 or genre ~ dub)'. Also: title, artist, "
        "album, path, key, loudness, rating in stars, duration in seconds; in (...), not, !=. "
        "May be repeated: all of them hold.",
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
Relative = Annotated[
    bool, typer.Option("--relative", help="Paths in the playlist start from its own folder.")
]

_BAR = 12
_PLACE = _BAR + 10  # columns of bar, mark and start
_NARROWEST = 20  # columns that name and path have in any terminal
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def one_filter(where: list[str] | None) -> str:
    """One filter of all that `--where` gave; empty for none."""
    from muscall.library.search.filters import all_of

    return all_of([unicode(text) for text in where or ()])


@dataclass(frozen=True)
class Form:
    """How to show what was found."""

    as_json: bool
    as_paths: bool
    m3u: Path | None
    relative: bool = False

    def __post_init__(self) -> None:
        if self.relative and self.m3u is None:
            raise typer.BadParameter("--relative goes with --m3u")
        if self.as_json + self.as_paths + (self.m3u is not None) > 1:
            raise typer.BadParameter("choose one of --json, --paths and --m3u")

    def show(self, results: Results) -> None:
        """Print or write what was found."""
        if self.as_json:
            understood = [vars(part) for part in results.understood]
            print_json({"understood": understood, "results": list(map(_object, results))})
            return
        if any(part.kind != "sound" for part in results.understood):
            typer.secho(one_line(" · ".join(map(str, results.understood))), dim=True, err=True)
        if not results:
            message("nothing fits")
        if self.as_paths:
            # For other programs, which want the bytes of a name as they are.
            sys.stdout.buffer.writelines(os.fsencode(hit.path) + b"\n" for hit in results)
            sys.stdout.flush()
        elif self.m3u is not None:
            from muscall.library.playlists.m3u8 import Places, m3u8

            places = Places(relative_to=self.m3u.parent if self.relative else None)
            with written_aside(self.m3u) as file:
                file.write(m3u8(results, places).encode())
            message(f"{len(results)} tracks in {readable(self.m3u)}")
        elif results:
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
            if width:
                typer.secho(
                    _line("", f"{'fit':<{_BAR}}   {'at':>7}", "track", "file", width), dim=True
                )
            print("\n".join(line for hit in results for line in lines(hit, width)), flush=True)


def lines(hit: Hit, width: int | None) -> list[str]:
    """A line for a track, and one for each further version of it; cut to `width` if that is one."""
    place = " " * _PLACE
    if hit.passage is not None or hit.relative_score:
        mark = "*" if hit.keyword_match else " "
        start = "" if hit.passage is None else clock(hit.passage.start)
        place = f"{bar(hit.relative_score)} {mark} {start:>7}"
    rows = [(str(hit.rank), place, hit)]
    rows += [("", f"{'also':>{_PLACE}}", version) for version in hit.versions]
    return [_line(rank, place, *_titled(one), width) for rank, place, one in rows]


def _line(rank: str, place: str, name: str, path: str, width: int | None) -> str:
    left = f"{rank:>4}  {place}  "
    if width is None:
        return f"{left}{name:<32}  {path}"
    room = max(width - cell_len(left), _NARROWEST)
    named = room * 3 // 5
    return f"{left}{_cut(name, named)}  {_cut_start(path, room - named - 2)}".rstrip()


def _cut(text: str, width: int) -> str:
    """So many columns of a terminal, with three dots in the last where something is missing."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"


def _cut_start(text: str, width: int) -> str:
    """The end of a text, in so many columns of a terminal at most."""
    if cell_len(text) <= width:
        return text
    while cell_len(text) >= width:
        text = text[1:]
    return "…" + text


def _titled(hit: Hit) -> tuple[str, str]:
    from muscall.library.playlists.m3u8 import called

    name = called(hit.path, hit.title, hit.artist)
    return one_line(name), one_line(readable(hit.path))


def _object(hit: Hit) -> dict[str, Any]:
    passage = None if hit.passage is None else vars(hit.passage)
    versions = [_object(version) for version in hit.versions]
    return {**vars(hit), "path": readable(hit.path), "passage": passage, "versions": versions}


def bar(share: float) -> str:
    """`share` in 0..1 as a bar of fixed width."""
    full, rest = divmod(round(share * _BAR * 8), 8)
    return ("█" * full + _EIGHTHS[rest].strip()).ljust(_BAR)
