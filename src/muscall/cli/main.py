"""Entry point: puts the commands together and turns errors into lines and exit codes."""

from __future__ import annotations

import io
import logging
import sys
from typing import Annotated

import typer

from muscall import __version__
from muscall.cli import (
    convert,
    describe,
    duplicates,
    embed,
    evaluate,
    export,
    index,
    manifest,
    mcp,
    playlist,
    reproduce,
    search,
    serve,
    similar,
    status,
    tag,
    teach,
    train,
)
from muscall.cli.common import FAILED, MessagesToStderr, Threads, limit_threads, message
from muscall.errors import ManifestError, MuscallError

_SHOWN_PROBLEMS = 20

app = typer.Typer(
    help="Find music with a sentence, and train the models that do it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(index.index)
app.command()(search.search)
app.command()(similar.similar)
app.command()(similar.path)
app.add_typer(playlist.app, name="playlist")
app.command()(describe.describe)
app.command()(tag.tag)
app.command()(duplicates.duplicates)
app.command()(export.export)
app.command()(status.status)
app.command()(status.errors)
app.command()(serve.serve)
app.command()(mcp.mcp)
app.command()(train.train)
app.command()(teach.teach)
app.add_typer(manifest.app, name="manifest")
app.add_typer(evaluate.app, name="evaluate")
app.command()(reproduce.reproduce)
app.command()(embed.embed)
app.command()(convert.convert)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"muscall {__version__}")
        raise typer.Exit


@app.callback()
def options(
    threads: Threads = None,
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    limit_threads(threads)


def main() -> None:
    """Run the `muscall` command and exit.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some inputs failed, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logger = logging.getLogger("muscall")
    logger.addHandler(MessagesToStderr())
    logger.setLevel(logging.INFO)
    try:
        app(prog_name="muscall")
    except ManifestError as error:
        problems = error.problems
        for problem in problems[:_SHOWN_PROBLEMS]:
            message(problem)
        if len(problems) > _SHOWN_PROBLEMS:
            message(f"and {len(problems) - _SHOWN_PROBLEMS} more")
    except MuscallError as error:
        message(error)
    except OSError as error:
        message(f"{error.filename}: {error.strerror}" if error.filename else error)
    except RuntimeError as error:
        if not str(error).startswith("lance error: "):
            raise
        from muscall.library.store import library_error

        message(library_error(error))
    sys.exit(FAILED)
