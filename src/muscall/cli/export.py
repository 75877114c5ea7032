"""`muscall export`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muscall.cli.common import LibraryPath, Model, Threads, message, open_library, readable


def export(
    parquet: Annotated[
        Path, typer.Option("--parquet", metavar="FILE", dir_okay=False, help="What to write.")
    ],
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Write the tracks of the library to a file for other programs.

    A row a track: path, tags, length in seconds and embedding.
    """
    count = open_library(library, model, threads).export(parquet)
    message(f"{count:,} tracks in {readable(parquet)}")
