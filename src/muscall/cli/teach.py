"""`muscall teach`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muscall.cli.common import Threads, exit_on_failures, load_model, message, progress_bar


def teach(
    manifest: Annotated[str, typer.Argument(help="Audio that the teacher is to listen to.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE.npz", dir_okay=False, help="What to write."),
    ],
    teacher: Annotated[
        str,
        typer.Option(
            "--teacher", metavar="MODEL", help="Checkpoint folder or hub name; also of CLAP."
        ),
    ],
    threads: Threads = None,
) -> None:
    """Write what a model hears, for another one to learn it.

    Training takes the file as `data.targets`. A run that was ended early is gone on with.
    """
    from muscall.data.manifest import read_manifest

    rows = read_manifest(manifest, check_files=False)
    if not output.parent.is_dir():
        raise typer.BadParameter(f"{output.parent}: no such folder", param_hint="'-o'")
    loaded = load_model(teacher, threads)
    from muscall.library.teaching import teach

    with progress_bar("Listening") as progress:
        failures = teach(loaded, rows, output, progress=progress)
    heard = len(rows) - len(failures)
    message(f"{heard} of {len(rows)} rows in {output}: model.teacher_dim={loaded.config.dim}")
    exit_on_failures(failures)
