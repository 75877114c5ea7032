"""`muscall describe`"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from muscall.cli.common import (
    AnExample,
    Json,
    LibraryPath,
    Model,
    Threads,
    open_library,
    print_json,
)


def describe(
    example: AnExample,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE",
            dir_okay=False,
            help="Choose among these: a word or sentence a line, or YAML with lists by kind.",
        ),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="How many labels of each kind.")] = 3,
    as_json: Json = False,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Say in words what a file, or a passage of it, sounds like.

    The genre in its tags comes first. With the packaged weights only such labels are given
    as can be trusted, with others those that fit it better than they fit the rest of the library.
    """
    found = open_library(library, model, threads).describe(example, labels=labels, n=n)
    if as_json:
        print_json([vars(label) for label in found])
        return
    for kind, of_kind in groupby(found, lambda label: label.kind):
        print(f"{kind:<12}{', '.join(label.text for label in of_kind)}", flush=True)
