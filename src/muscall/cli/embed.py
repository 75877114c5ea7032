"""`muscall embed`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from muscall.audio.files import check_there
from muscall.cli.common import (
    Model,
    Threads,
    exit_on_failures,
    load_model,
    message,
    progress_bar,
)
from muscall.writing import written_aside

if TYPE_CHECKING:
    from muscall.data.manifest import Row


def embed(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR_OR_FILES|MANIFEST", help="Music files or folders of them, or a manifest."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE.npz", dir_okay=False, help="What to write."),
    ],
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Write the embeddings of tracks to a file.

    A numpy .npz with `paths` (n,) and `embeddings` (n, d), float32, unit norm. Of a manifest it has
    `ids`, those of the rows, in place of `paths`.
    """
    from muscall.data.manifest import is_manifest, read_manifest
    from muscall.library.embedding import embed_files, embed_rows

    rows: list[Row] = []
    if any(map(is_manifest, paths)):
        if len(paths) > 1:
            raise typer.BadParameter("a manifest is embedded by itself", param_hint="'MANIFEST'")
        rows = read_manifest(paths[0], check_files=False, needs=None)
    # Opened before the work, so that an output that cannot be written is known at once.
    with written_aside(output) as file:
        if not rows:
            check_there(map(Path, paths))  # nor need a slip of the pen wait for the model
        loaded = load_model(model, threads)
        with progress_bar("Listening") as progress:
            if rows:
                failures = embed_rows(loaded, rows, file, progress=progress)
                done = len(rows) - len(failures)
            else:
                collection = embed_files(loaded, paths, progress=progress)
                collection.write(file)
                failures, done = collection.failures, len(collection.paths)
    message(f"{done} {'rows' if rows else 'tracks'} in {output}")
    exit_on_failures(failures)
