"""`muscall similar` and `muscall path`"""

from __future__ import annotations

from typing import Annotated

import typer

from muscall.cli.common import AnExample, Json, LibraryPath, Model, Threads, open_library
from muscall.cli.found import AsPaths, Form, M3u, MaxPerArtist, N, Relative, Where, one_filter


def similar(
    example: AnExample,
    walk: Annotated[
        int | None,
        typer.Option(
            "--walk",
            min=1,
            metavar="N",
            help="A radio of N tracks instead: each near to the one before, artists spread.",
        ),
    ] = None,
    where: Where = None,
    n: N = 10,
    max_per_artist: MaxPerArtist = None,
    as_json: Json = False,
    as_paths: AsPaths = False,
    m3u: M3u = None,
    relative: Relative = False,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Find tracks that sound like a file or passage.

    They are of the library; the file itself need not be. It is shown as `muscall search` does.
    """
    form = Form(as_json, as_paths, m3u, relative)
    if walk is not None and max_per_artist is not None:
        raise typer.BadParameter("a walk spreads artists itself", param_hint="--max-per-artist")
    music = open_library(library, model, threads)
    wanted = one_filter(where)
    if walk is None:
        form.show(music.similar(example, n=n, where=wanted, max_per_artist=max_per_artist))
    else:
        form.show(music.walk(example, n=walk, where=wanted))


def path(
    start: AnExample,
    end: AnExample,
    where: Where = None,
    n: Annotated[int, typer.Option("-n", min=2, help="How many tracks, with both ends.")] = 12,
    as_json: Json = False,
    as_paths: AsPaths = False,
    m3u: M3u = None,
    relative: Relative = False,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Lead from one file or passage to another in even steps.

    The tracks are of the library; the ends need not be. It is shown as `muscall search` does.
    """
    form = Form(as_json, as_paths, m3u, relative)
    music = open_library(library, model, threads)
    form.show(music.path(start, end, n=n, where=one_filter(where)))
