"""`muscall tag`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from muscall.cli.common import (
    FAILED,
    LibraryPath,
    Model,
    Threads,
    exit_on_failures,
    message,
    open_library,
    progress_bar,
    readable,
)
from muscall.errors import AudioError, one_line


def tag(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR_OR_FILES", help="Music files, or folders of them.")
    ],
    labels: Annotated[
        Path,
        typer.Option(
            "--labels",
            metavar="FILE",
            dir_okay=False,
            help="What to choose from: a mood a line, or YAML with lists by kind.",
        ),
    ],
    n: Annotated[int, typer.Option("-n", min=1, help="How many labels of each kind at most.")] = 3,
    write_tags: Annotated[
        bool, typer.Option("--write-tags", help="Write them into the files, as their moods.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before --write-tags writes, on a terminal.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what --write-tags would write.")
    ] = False,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Print the labels that fit each file best.

    They are those of `muscall describe`, but for the genre in its tags. What is in the
    library is not listened to now. With --write-tags, once all are shown, they take the place of
    the moods in its tags (MOOD, in MP3 TMOO); everything else in the file stays, and the
    library need not listen to it again.
    """
    music = open_library(library, model, threads)
    failures: list[AudioError] = []
    planned: list[tuple[Path, list[str]]] = []
    with progress_bar("Listening") as progress:
        for path, found in music.tags(folders, labels=labels, n=n, progress=progress):
            try:
                if isinstance(found, AudioError):
                    raise found
                moods = [label.text for label in found]
                if (write_tags or dry_run) and moods and _write(path, moods, dry_run=True):
                    planned.append((path, moods))
            except AudioError as error:
                message(error)
                failures.append(error)
            else:
                print(f"{one_line(readable(path))}: {', '.join(moods)}", flush=True)
    if dry_run:
        message(f"dry run: {len(planned)} files would be written")
    elif write_tags:
        # All is shown before the first file is touched.
        if planned and not yes and sys.stdin.isatty():
            message(f"write these into {len(planned)} files? [y/N]")
            if sys.stdin.readline().strip().lower() not in ("y", "yes"):
                raise typer.Exit(FAILED)
        written = 0
        for path, moods in planned:
            try:
                written += _write(path, moods)
            except AudioError as error:
                message(error)
                failures.append(error)
        message(f"{written} files written")
    exit_on_failures(failures)


def _write(path: Path, moods: list[str], *, dry_run: bool = False) -> bool:
    from muscall.library.moods import write_moods

    return write_moods(path, moods, dry_run=dry_run)
