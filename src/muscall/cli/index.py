"""`muscall index`"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from muscall.cli.common import (
    SOME_FAILED,
    LibraryPath,
    Model,
    Threads,
    message,
    open_library,
    progress_bar,
    readable,
)
from muscall.errors import MuscallError
from muscall.models.memory import keep_freed_memory

if TYPE_CHECKING:
    from muscall.library.indexing.run import Progress

Engine = Literal["local", "ray"]


def index(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DIR", help="Folders of music; none for all that are known."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            metavar="GLOB",
            help="Leave out what has such a name, or such a path below DIR. Remembered with DIR.",
        ),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(
            "--include",
            metavar="GLOB",
            help="Take in what would be left out as hidden, a recycle bin or a snapshot, such as "
            "'.*' or '#recycle'. Remembered with DIR.",
        ),
    ] = None,
    forget: Annotated[
        list[Path] | None,
        typer.Option(
            "--forget",
            metavar="FOLDER",
            help="Delete FOLDER and its tracks from the library, nothing on the disk; then end.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            help="Processes that decode, at low priority; as many as threads if not said.",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and index again when something changes.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="Delete what is gone; also what is on a drive that is not there."
        ),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Read again what could not be read.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    engine: Annotated[
        Engine,
        typer.Option(
            "--engine", help="Listen on this machine, or on a Ray cluster (see docs/scaling.md)."
        ),
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address",
            metavar="ADDR",
            help="The cluster, instead of $RAY_ADDRESS; without either, this machine alone.",
        ),
    ] = None,
    library: LibraryPath = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Listen to a music folder, once, and keep up with its changes.

    What was moved, renamed or retagged is known by its sound. Interrupt it at any time: the next
    run does the rest.
    """
    keep_freed_memory()
    music = open_library(library, model, threads)
    if forget:
        if folders or watch or prune or dry_run:
            raise typer.BadParameter(
                "--forget goes with no other folder, nor with --watch, --prune"
            )
        for folder in forget:
            files, tracks = music.forget(folder)
            print(
                f"{readable(folder)}: {files:,} files and {tracks:,} tracks forgotten", flush=True
            )
        return
    if include:
        exclude = [*(exclude or ()), *(f"!{pattern}" for pattern in include)]
    report = None
    for _ in music.changes(folders or ()) if watch else [None]:
        try:
            with _progress() as progress:
                new = music.index(
                    folders or (),
                    exclude=exclude,
                    workers=workers,
                    prune=prune,
                    retry_failed=retry_failed and report is None,
                    dry_run=dry_run,
                    progress=progress,
                    engine=engine,
                    ray_address=ray_address,
                )
        except MuscallError as error:
            if report is None:
                raise
            message(error)  # a full disk or another run; the next time may be better
            continue
        if report is None or new.is_news:
            print(f"dry run: {new}" if dry_run else new, flush=True)
        report = new
    if report is not None and report.failed:
        raise typer.Exit(SOME_FAILED)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None] | None]:
    """A bar with speed and time left; None where nobody watches."""
    with progress_bar("Listening") as bar:
        if bar is None:
            yield None
            return
        started = time.monotonic()

        def show(progress: Progress) -> None:
            passed = time.monotonic() - started
            speed = f"{progress.done / passed:.1f} tracks/s"
            times = f"{progress.seconds / passed:,.0f} times real time"
            bar(progress.done, progress.total, f"{speed}, {times}")

        yield show
