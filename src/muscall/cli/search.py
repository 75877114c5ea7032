"""`muscall search`"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from muscall.cli.common import (
    Inputs,
    Json,
    Model,
    Threads,
    exit_on_failures,
    load_model,
    print_json,
    progress_bar,
    readable,
)
from muscall.errors import one_line

_BAR = 12
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def search(
    query: Annotated[str, typer.Argument(help='What to find: "calm acoustic guitar".')],
    paths: Inputs,
    n: Annotated[int, typer.Option("-n", min=1, help="How many tracks to show.")] = 10,
    as_json: Json = False,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Find the tracks that fit a sentence.

    The bar runs from the median of the tracks searched (empty) to the best one (full).
    """
    if not query.strip():
        raise typer.BadParameter("it is empty", param_hint="QUERY")
    loaded = load_model(model, threads)
    from muscall.library.search import search as find

    with progress_bar("Listening") as progress:
        text = os.fsencode(query).decode("utf-8", "replace")
        hits, failures = find(loaded, text, paths, n, progress=progress)
    if as_json:
        print_json(
            [
                {
                    "rank": hit.rank,
                    "path": readable(hit.path),
                    "score": hit.score,
                    "standing": hit.standing,
                }
                for hit in hits
            ]
        )
    else:
        lines = [
            f"{hit.rank:4}  {bar(hit.standing)}  {one_line(readable(hit.path))}" for hit in hits
        ]
        print("\n".join(lines), flush=True)
    exit_on_failures(failures)


def bar(share: float) -> str:
    """`share` in 0..1 as a bar of fixed width."""
    full, rest = divmod(round(share * _BAR * 8), 8)
    return ("█" * full + _EIGHTHS[rest].strip()).ljust(_BAR)
