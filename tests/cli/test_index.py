"""`muscall index`, `status` and `errors`: what they print, and their exit codes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from muscall.library.indexing.writer import writing
from muscall.library.store import Store

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands find the library."""
    monkeypatch.setenv("MUSCALL_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


@pytest.fixture
def index(run: Run, library: Path, tiny_checkpoint: Path) -> Run:  # noqa: ARG001
    return lambda *arguments: run("index", "--model", tiny_checkpoint, "--workers", 1, *arguments)


@pytest.fixture
def folder(music: Path, tmp_path: Path) -> Path:
    return shutil.copytree(music, tmp_path / "music")


def test_a_folder_is_indexed_and_kept_up_with(
    index: Run, run: Run, folder: Path, library: Path
) -> None:
    done = index(folder, "--exclude", "4*")
    assert (done.code, done.out, done.err) == (0, "4 added, 0 unchanged\n", "")
    (folder / "0.wav").rename(folder / "zero.wav")
    (folder / "1.wav").unlink()
    done = index("--dry-run")
    assert done.out == "dry run: 0 added, 1 moved, 2 unchanged, 1 offline\n"
    done = index()
    assert (done.code, done.out) == (0, "0 added, 1 moved, 2 unchanged, 1 offline\n")
    assert index("--prune").out == "0 added, 3 unchanged, 1 pruned\n"

    status = run("status", "--json")
    assert (status.code, status.err) == (0, "")
    told = json.loads(status.out)
    (embedding_version,) = told.pop("embedding_versions")
    assert (embedding_version["tracks"], embedding_version["offline"]) == (3, 0)
    assert embedding_version["hours"] == pytest.approx(9 / 3600)
    assert told.pop("bytes") > 1000
    assert list(told.pop("roots")) == [str(folder)]
    assert told == {"path": str(library), "files": 3, "offline": 0, "failed": 0, "damage": {}}
    table = run("status").out
    assert str(library) in table
    assert f"folder    {folder}, last read 20" in table
    assert "files     3, 0 offline, 0 failed" in table
    assert (
        f"tracks    3, 0 offline, 0.0 hours, embedding version {embedding_version['id']}" in table
    )


def test_files_that_cannot_be_read_are_listed(index: Run, run: Run, folder: Path) -> None:
    (folder / "empty.wav").touch()
    (folder / os.fsdecode(b"\xff\n.wav")).touch()
    done = index(folder)
    assert (done.code, done.out) == (3, "5 added, 0 unchanged, 2 failed (muscall errors)\n")
    lines = [f"{folder}/empty.wav: empty file", rf"{folder}/\xff\n.wav: empty file"]
    assert set(done.err.splitlines()) == {f"muscall: {line}" for line in lines}
    assert run("errors").out.splitlines() == lines
    assert json.loads(run("errors", "--json").out) == [
        {"path": f"{folder}/empty.wav", "reason": "empty file"},
        {"path": f"{folder}/\\xff\n.wav", "reason": "empty file"},
    ]
    again = index()
    assert (again.code, again.out, again.err) == (0, "0 added, 7 unchanged\n", "")
    assert index("--retry-failed").code == 3
    for path in folder.glob("*.wav"):
        if not path.stat().st_size:
            path.unlink()
    assert index().code == 0
    done = run("errors")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_the_option_names_the_library(index: Run, run: Run, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert index(folder / "below", "--library", other).out == "1 added, 0 unchanged\n"
    assert json.loads(run("status", "--json", "--library", other).out)["files"] == 1
    assert run("status").code == 1


@pytest.mark.skipif(shutil.which("cc") is None, reason="makes a library that denies links")
def test_a_file_system_without_links_is_named(
    folder: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    names = ("link", "linkat", "renameat2")
    code = ["#include <errno.h>"] + [
        f"int {name}() {{ errno = EPERM; return -1; }}" for name in names
    ]
    (tmp_path / "deny.c").write_text("\n".join(code))
    build = ["cc", "-w", "-fno-builtin", "-shared", "-fPIC", "deny.c", "-o", "deny.so"]
    subprocess.run(build, cwd=tmp_path, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "muscall", "index", folder, "--library", tmp_path / "there",
         "--model", tiny_checkpoint],
        env={**os.environ, "LD_PRELOAD": str(tmp_path / "deny.so")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert (
        f"{tmp_path}/there: cannot be written: Operation not permitted; its file system (" in line
    )
    assert line.endswith("put it elsewhere (--library, MUSCALL_LIBRARY), the music may stay")


def test_failures_are_one_line(
    index: Run, run: Run, folder: Path, library: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for done, reason in (
        (index(), "the library knows no folder yet: name one"),
        (index(folder / "missing"), f"{folder}/missing: no such folder"),
        (index(folder / "0.wav"), f"{folder}/0.wav: no such folder"),
        (run("status"), f"{library}: no library there; `muscall index` makes one"),
        (run("errors"), f"{library}: no library there; `muscall index` makes one"),
        (
            index(folder, "--library", tmp_path / "file" / "in"),
            f"{tmp_path}/file/in: cannot be written: Not a directory",
        ),
        (index(folder, "--library", "abc://there"), "abc://there: no library: Invalid input, No"),
        (run("index", folder, "--model", "no/such/folder"), "no/such/folder"),
    ):
        assert (done.code, done.out) == (1, "")
        (line,) = done.err.splitlines()
        assert line.startswith(f"muscall: {reason}")
    with writing(Store(library), "0123456789ab", 16):
        done = index(folder)
    assert (done.code, done.out) == (1, "")
    assert (
        done.err
        == f"muscall: {library}: another index run is at work there: wait for its end, or stop it\n"
    )


def test_a_folder_without_music_is_told(index: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = index(tmp_path / "empty")
    assert (done.code, done.out) == (0, "0 added, 0 unchanged\n")
    assert done.err == f"muscall: {tmp_path}/empty: no music there\n"


@pytest.mark.parametrize("arguments", [["--workers", "0"], ["--threads", "0"], ["--frobnicate"]])
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    done = run("index", ".", *arguments)
    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err


def test_progress_is_shown_to_who_watches(
    index: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    (folder / "bad.wav").touch()
    done = index(folder)
    assert done.code == 3
    assert "tracks/s" in done.err
    assert "times real time" in done.err
    assert "6/6" in done.err
    assert "bad.wav: empty file" in done.err.replace("\n", "")


def test_watching_follows_changes_until_it_is_interrupted(
    index: Run, folder: Path, library: Path
) -> None:
    def change() -> None:
        store = Store(library)
        while len(store.files()) < 5:
            time.sleep(0.1)
        (folder / "0.wav").rename(folder / "new.wav")
        while str(folder / "new.wav") not in store.files():
            time.sleep(0.1)
        time.sleep(1)  # until it has said so
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=change).start()
    done = index(folder, "--watch")
    signal.signal(signal.SIGINT, before)
    assert done.code == 130
    assert done.out == "5 added, 0 unchanged\n0 added, 1 moved, 4 unchanged\n"


def test_a_folder_is_forgotten(
    run: Run, folder: Path, library: Path, tiny_checkpoint: Path
) -> None:
    options = ("--library", library, "--model", tiny_checkpoint)
    (folder / ".hidden").mkdir()
    first = min(path for path in folder.iterdir() if path.is_file())
    first.rename(folder / ".hidden" / first.name)
    done = run("index", folder, "--workers", 1, *options)
    assert done.out.splitlines()[-1].endswith("1 left out (.hidden: --include NAME)")
    done = run("index", folder, "--include", ".hidden", "--workers", 1, *options)
    assert done.out.startswith("1 added")
    done = run("index", "--forget", folder / ".hidden", *options)
    assert done.out == f"{folder}/.hidden: 1 files and 1 tracks forgotten\n"
    assert (folder / ".hidden" / first.name).exists()
    done = run("index", "--forget", folder / "none", *options)
    assert (done.code, done.out) == (1, "")
    assert "not in the library; `muscall status` lists its folders" in done.err
    assert run("index", folder, "--forget", folder, *options).code == 2
