"""Runs commands on bad input, and writes what they did as the tables of docs/bad-input.md."""

from __future__ import annotations

import importlib.readers  # noqa: F401 - another user may not see where Python lies
import os
import re
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import muscall.library.search.folders
import muscall.training  # noqa: F401 - as above: forked commands need not load them
from muscall.cli import main as muscall_main

MUSCALL = str(Path(sys.executable).with_name("muscall"))
PATIENCE = 300  # seconds for a command
SHOWN = 20  # lines of standard error in the table


class Session:
    """Runs commands in the current folder; what they did becomes rows of Markdown tables.

    `lines` are the tables, `wrong` what was not as expected.
    """

    def __init__(self, model: str, only: str) -> None:
        self.model, self.only = model, only
        self.lines: list[str] = []
        self.wrong: list[str] = []
        self.tried = 0

    def section(self, title: str) -> None:
        self._tell(f"\n## {title}\n")
        self._tell("| input | command | what it printed | exit code |\n| --- | --- | --- | --- |")

    def _tell(self, line: str) -> None:
        self.lines.append(line)
        print(line, flush=True)

    def try_(
        self,
        what: str,
        command: str | list[str | bytes],
        expected: int,
        *,
        shown: str | None = None,
        user: int | None = None,
        interrupt: Callable[[int], None] | None = None,
    ) -> bool:
        """Run `muscall` with `command` (split at spaces if text; MODEL is the model).

        Returns whether it was run: not where `only` leaves it out.
        """
        parts = command.split() if isinstance(command, str) else command
        shown = shown or as_typed(parts)
        if self.only not in f"{what} {shown}":
            return False
        arguments = [self.model if part == "MODEL" else part for part in parts]
        self._row(what, f"muscall {shown}", expected, forked(arguments, user, interrupt))
        return True

    def run(
        self,
        what: str,
        shown: str,
        arguments: list[str | bytes],
        expected: int | tuple[int, ...],
        interrupt: Callable[[int], None] | None = None,
    ) -> None:
        """Run any command as a process of its own."""
        self._row(what, shown, expected, started(arguments, interrupt))

    def _row(
        self, what: str, shown: str, expected: int | tuple[int, ...], done: tuple[int, str, str]
    ) -> None:
        status, out, err = done
        self.tried += 1
        wanted = expected if isinstance(expected, tuple) else (expected,)
        if status not in wanted or "Traceback" in out + err:
            self.wrong.append(f"{what}: exit code {status}, not {expected}: {shown}: {err}")
        lines = [line for line in told(err).splitlines() if line.strip()]
        kept = lines[:SHOWN] + [f"... {len(lines)} lines"] * (len(lines) > SHOWN)
        kept = [line if len(line) <= 200 else f"{line[:200]}..." for line in kept]
        count = len(out.splitlines())
        # Where several codes are right, chance decides, also on what was written till then.
        kept += [f"({count} lines of data)"] * bool(count and len(wanted) == 1)
        code_ = " or ".join(map(str, wanted)) if status in wanted else str(status)
        cells = [what, code(shown), "<br>".join(map(code, kept)) or "nothing", code_]
        self._tell(f"| {' | '.join(cells)} |")

    def check(self, what: str, holds: bool) -> None:
        """Report something that must hold after a command."""
        self._tell(f"| | | {'checked' if holds else 'WRONG'}: {what} | |")
        if not holds:
            self.wrong.append(what)


def told(text: str) -> str:
    """Standard error without what differs from one run to the next."""
    text = text.replace(f"{Path.cwd()}/", "")  # a temporary folder, whose name tells nothing
    text = re.sub(r"(127\.0\.0\.1:)\d+", r"\1PORT", text)
    text = re.sub(r"(step \d+), \d+ s:", r"\1, 0 s:", text)
    return re.sub(r'bytes: b"[^"]*"', "bytes: ...", text)


def code(text: str) -> str:
    """`text` as code in a cell of a table."""
    return "`" + text.replace("`", "'").replace("|", "\\|") + "`"


def as_typed(parts: list[str | bytes]) -> str:
    """A command as one would type it, without the model, which is the same everywhere."""
    words = [
        part.decode("utf-8", "backslashreplace") if isinstance(part, bytes) else part
        for part in parts
    ]
    if words[-2:] == ["--model", "MODEL"]:
        words = words[:-2]
    return " ".join(f'"{word}"' if " " in word else word for word in words)


# --- running


def started(
    arguments: list[str | bytes], interrupt: Callable[[int], None] | None
) -> tuple[int, str, str]:
    """Run a command -> exit code, standard output, standard error."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        if interrupt:
            interrupt(process.pid)
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return process.returncode, written(out), written(err)


def forked(
    arguments: list[str | bytes], user: int | None, interrupt: Callable[[int], None] | None
) -> tuple[int, str, str]:
    """`muscall` as `started`, in a copy of this process, where all is loaded; as another `user`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            os.setsid()
            signal.alarm(PATIENCE)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            if user is not None:
                os.setuid(user)
            sys.argv = ["muscall", *map(os.fsdecode, arguments)]
            status = 1
            try:
                muscall_main()
            except SystemExit as end:
                status = int(end.code or 0)
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            os._exit(status)
        if interrupt:
            interrupt(child)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), written(out), written(err)


def written(file: IO[bytes]) -> str:
    """All that is in `file`."""
    file.seek(0)
    return file.read().decode("utf-8", "backslashreplace")


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[bool]:
    """A file system of so many bytes in the new `folder`; False, and said, where none can be."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        print(f"({folder}: a file system cannot be mounted here: not tried)", file=sys.stderr)
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", str(folder)], check=False)


def remount(folder: Path, option: str) -> None:
    """Change an option of what is mounted there, as size=40m or ro."""
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)
