"""Options and output that several commands share.

Data goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from muscall.errors import one_line

if TYPE_CHECKING:
    from muscall.library.library import Library
    from muscall.models.muscall import MusCALL

FAILED, SOME_FAILED = 1, 3

Inputs = Annotated[
    list[Path], typer.Argument(metavar="DIR_OR_FILES", help="Music files, or folders of them.")
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Checkpoint folder or hub name, instead of the weights inside the package.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Processor threads to use at most.")
]
AnExample = Annotated[
    str,
    typer.Argument(
        metavar="FILE[@m:ss-m:ss]",
        help="A music file, a passage (song.flac@1:05-1:20), or the title of a track.",
    ),
]
LibraryPath = Annotated[
    str | None,
    typer.Option(
        "--library",
        metavar="DIR",
        help="Where the library is, instead of $MUSCALL_LIBRARY or your data folder; also s3://...",
    ),
]


def load_model(source: str | None, threads: int | None) -> MusCALL:
    """The model that the options name."""
    at_hand = _at_hand(source)
    limit_threads(threads)
    import muscall
    from muscall.models.memory import keep_freed_memory

    keep_freed_memory()
    return muscall.load(at_hand)


def _at_hand(source: str | None) -> str | Path | None:
    """`source`, or where a hub's model lies: that there is none is told before torch is loaded."""
    if source is None or "/" not in source:
        return source
    from muscall.models.hub import find_model

    return find_model(source)


def open_library(
    folder: str | None, model: str | None = None, threads: int | None = None
) -> Library:
    """The library that the options name. Its model is loaded when it is needed."""
    at_hand = _at_hand(model)
    limit_threads(threads)
    import muscall

    return muscall.Library(folder, at_hand)


def limit_threads(threads: int | None) -> None:
    """Keep the computation to so many processor threads; None leaves it as it is."""
    if threads is not None:
        os.environ["LANCE_CPU_THREADS"] = str(threads)
        import torch

        torch.set_num_threads(threads)


def readable(path: str | Path) -> str:
    r"""`path` as valid Unicode: bytes that are not UTF-8 become `\xff`.

    Nothing is lost unless the name itself holds a backslash followed by x and two digits.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def unicode(argument: str) -> str:
    """What was typed as valid Unicode."""
    return os.fsencode(argument).decode("utf-8", "replace")


def print_json(value: Any) -> None:
    """Print `value` in ASCII, so that it is the same in every terminal encoding."""
    # Flushed here, where a reader that has gone away still ends the command quietly.
    print(json.dumps(value, indent=2), flush=True)


def message(text: object) -> None:
    """Print one line for a person."""
    print(f"muscall: {one_line(text)}", file=sys.stderr, flush=True)


class MessagesToStderr(logging.Handler):
    """Log records as lines on what is standard error by then: a progress bar replaces it."""

    def emit(self, record: logging.LogRecord) -> None:
        message(record.getMessage())
        if record.exc_info:
            traceback.print_exception(record.exc_info[1])


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[..., None] | None]:
    """A bar with the time left, None where nobody watches.

    It is fed by `progress(done, total, note="")`.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    note = TextColumn("{task.fields[note]}")
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), note)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=None, note="")

        def progress(done: int, total: int, note: str = "") -> None:
            bars.update(task, completed=done, total=total, note=note)

        yield progress


def exit_on_failures(failures: list[Any]) -> None:
    """End with the exit code for some failed inputs, if there are any."""
    if failures:
        raise typer.Exit(SOME_FAILED)
