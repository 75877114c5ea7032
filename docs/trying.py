"""Runs commands on bad input, and tells what they did: what docs/try_bad_input.py is made of."""

from __future__ import annotations

import importlib.readers  # noqa: F401 - another user may not see where Python lies
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import muscall.library.search
import muscall.training  # noqa: F401 - as above: forked commands need not load them
from muscall.cli import main as muscall_main

MUSCALL = str(Path(sys.executable).with_name("muscall"))
PATIENCE = 300  # seconds for a command
SHOWN = 20  # lines of standard error in the table


@dataclass
class Result:
    """One command as it went."""

    what: str
    shown: str
    code: int
    out: str
    err: str
    expected: int | tuple[int, ...]

    @property
    def right(self) -> bool:
        wanted = self.expected if isinstance(self.expected, tuple) else (self.expected,)
        return self.code in wanted and "Traceback" not in self.out + self.err


class Session:
    """Runs commands in the current folder and tells what they did."""

    def __init__(self, model: str, only: str, table: bool, fork: bool) -> None:
        self.model, self.only, self.table, self.fork = model, only, table, fork
        self.results: list[Result] = []

    def section(self, title: str) -> None:
        print(f"\n## {title}\n" if self.table else f"\n===== {title}", flush=True)
        if self.table:
            print("| input | command | what it printed | exit code |\n| --- | --- | --- | --- |")

    def try_(
        self,
        what: str,
        command: str | list[str | bytes],
        expected: int,
        *,
        shown: str | None = None,
        user: int | None = None,
        interrupt: Callable[[int], None] | None = None,
    ) -> Result | None:
        """Run `muscall` with `command` (split at spaces if text; MODEL is the model)."""
        parts = command.split() if isinstance(command, str) else command
        shown = shown or as_typed(parts)
        if self.only not in f"{what} {shown}":
            return None
        arguments = [self.model if part == "MODEL" else part for part in parts]
        return self.run(what, f"muscall {shown}", [MUSCALL, *arguments], expected, user, interrupt)

    def run(
        self,
        what: str,
        shown: str,
        arguments: list[str | bytes],
        expected: int | tuple[int, ...],
        user: int | None = None,
        interrupt: Callable[[int], None] | None = None,
    ) -> Result:
        if user is not None or (self.fork and arguments[0] == MUSCALL):
            done = forked(arguments, user, interrupt)
        else:
            done = started(arguments, interrupt)
        here = f"{Path.cwd()}/"  # a temporary folder, whose name tells nothing
        status, out, err = done[0], done[1].replace(here, ""), done[2].replace(here, "")
        result = Result(what, shown, status, out, err, expected)
        self.results.append(result)
        self.tell(result)
        return result

    def tell(self, result: Result) -> None:
        lines = [line for line in result.err.splitlines() if line.strip()]
        count = len(result.out.splitlines())
        if self.table:
            kept = lines[:SHOWN] + [f"... {len(lines)} lines"] * (len(lines) > SHOWN)
            kept = [line if len(line) <= 200 else f"{line[:200]}..." for line in kept]
            kept += [f"({count} lines of data)"] * bool(count)
            cells = [result.what, code(result.shown), "<br>".join(map(code, kept)) or "nothing"]
            print("|", " | ".join([*cells, str(result.code)]), "|", flush=True)
            return
        wrong = "" if result.right else f"   <<<<<<<< expected {result.expected}"
        print(f"\n# {result.what}\n$ {result.shown}")
        print(f"exit {result.code}, {count} lines on stdout{wrong}")
        print("\n".join(lines), flush=True)

    def check(self, what: str, holds: bool) -> None:
        """Report something that must hold after a command."""
        if self.table:
            print(f"| | | {'checked' if holds else 'WRONG'}: {what} | |")
        else:
            print(f"{'checked' if holds else '<<<<<<<< WRONG'}: {what}", flush=True)
        if not holds:
            self.results.append(Result(what, "", 0, "", "", -1))


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
    """As `started`, in a copy of this process, where all is loaded: `user` need not see it."""
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
            sys.argv = ["muscall", *map(os.fsdecode, arguments[1:])]
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
