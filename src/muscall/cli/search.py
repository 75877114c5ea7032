"""`muscall search`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muscall.audio.files import check_there
from muscall.cli.common import (
    Json,
    LibraryPath,
    Model,
    Threads,
    exit_on_failures,
    load_model,
    open_library,
    progress_bar,
    unicode,
)
from muscall.cli.found import (
    AsPaths,
    Avoid,
    Form,
    Like,
    M3u,
    MaxPerArtist,
    N,
    Query,
    Relative,
    Unlike,
    Where,
    one_filter,
)
from muscall.errors import needs


def search(
    query: Query = None,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DIR_OR_FILES",
            help="Listen to these now and search them, instead of the library.",
        ),
    ] = None,
    like: Like = None,
    unlike: Unlike = None,
    avoid: Avoid = None,
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
    """Find the tracks that fit a sentence, an example or a filter.

    Searches the library that `muscall index` makes, or the files and folders named behind QUERY.
    Names, years, lengths, tempi and keys in QUERY are understood, and what it should be without.
    The bar runs from what is usual there (empty) to the best track (full). Then comes an asterisk
    where words of QUERY stand in the tags or the file's name, and where the passage that fits best
    begins.
    """
    form = Form(as_json, as_paths, m3u, relative)
    if query is not None and not query.strip():
        raise typer.BadParameter("it is empty", param_hint="QUERY")
    text = unicode(query or "")
    if paths:
        if like or unlike or avoid or where or max_per_artist or library:
            raise typer.BadParameter(
                "files are searched by QUERY alone; the other ways need the library",
                param_hint="DIR_OR_FILES",
            )
        check_there(paths)  # here, where a slip of the pen need not wait for the model
        loaded = load_model(model, threads)
        from muscall.library.search.folders import search as find

        with progress_bar("Listening") as progress:
            results, failures = find(loaded, text, paths, n, progress=progress)
        form.show(results)
        exit_on_failures(failures)
        return
    with needs("library", "a search without files"):
        wanted = one_filter(where)
    if not (text or like or wanted):
        raise typer.BadParameter("say what to find: QUERY, --like or --where")
    results = open_library(library, model, threads).search(
        text,
        like=like or (),
        unlike=unlike or (),
        avoid=[unicode(words) for words in avoid or ()],
        where=wanted,
        n=n,
        max_per_artist=max_per_artist,
    )
    form.show(results)
