"""`muscall embed`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muscall.audio.files import check_there
from muscall.cli.common import (
    Inputs,
    Model,
    Threads,
    exit_on_failures,
    load_model,
    message,
    progress_bar,
)


def embed(
    paths: Inputs,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE.npz", dir_okay=False, help="What to write."),
    ],
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Write the embeddings of tracks to a file.

    A numpy .npz with `paths` (n,) and `embeddings` (n, d), float32, unit norm.
    """
    from muscall.library.embedding import embed_files, written_aside

    # Opened before the work, so that an output that cannot be written is known at once.
    with written_aside(output) as file:
        check_there(paths)  # nor need a slip of the pen wait for the model
        loaded = load_model(model, threads)
        with progress_bar("Listening") as progress:
            collection = embed_files(loaded, paths, progress=progress)
        collection.write(file)
    message(f"{len(collection.paths)} tracks in {output}")
    exit_on_failures(collection.failures)
