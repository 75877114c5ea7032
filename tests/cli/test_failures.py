"""What the commands do with odd input and at a bad moment; more is in test_bad_input.py."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from muscall.errors import MuscallError

Run = Callable[..., SimpleNamespace]


@pytest.mark.parametrize("query", ["word " * 10_000, "\udcff\udcfe", "🎵\x00"])
def test_odd_queries(run: Run, music: Path, tiny_checkpoint: Path, query: str) -> None:
    done = run("search", query, music / "0.wav", "--json", "--model", tiny_checkpoint)
    assert done.code == 0
    (hit,) = json.loads(done.out)["results"]
    assert not hit["keyword_match"]
    assert len(done.err.splitlines()) == (len(query) > 1000)


def test_a_full_disk_is_one_line(
    run: Run, music: Path, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = run("embed", music / "0.wav", "-o", tmp_path / "o.npz", "--model", tiny_checkpoint)
    assert (done.code, done.out) == (1, "")
    assert (
        done.err == f"muscall: {tmp_path / 'o.npz'}: cannot be written: No space left on device\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_goes_away(music: Path, tiny_checkpoint: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "muscall",
            "search",
            "a tone",
            music / "0.wav",
            "--json",
            "--model",
            tiny_checkpoint,
        ],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_messages_pass_above_the_progress_bar(
    run: Run, music: Path, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no")
    done = run("search", "a tone", music, bad, "--json", "--model", tiny_checkpoint)
    assert done.code == 3
    hits = json.loads(done.out)["results"]
    assert sum(1 + len(hit["versions"]) for hit in hits) == 5
    assert "6/6" in done.err
    assert "muscall: " in done.err


def test_the_log_tells_why_something_failed(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(_: object) -> None:
        try:
            raise ZeroDivisionError("a wrong turn")
        except ZeroDivisionError:
            logging.getLogger("muscall").exception("the page could not be served")
        raise MuscallError("no status")

    monkeypatch.setattr("muscall.Library.status", fail)
    done = run("status", "--library", tmp_path)
    first, *more = done.err.splitlines()
    assert first == "muscall: the page could not be served"
    assert more[-2:] == ["ZeroDivisionError: a wrong turn", "muscall: no status"]
    assert any("test_failures.py" in line for line in more)


def test_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch, music: Path) -> None:
    monkeypatch.setattr("muscall.load", lambda _: signal.raise_signal(signal.SIGINT))
    # A suite that was started in the background ignores interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    done = run("search", "a tone", music)
    signal.signal(signal.SIGINT, before)
    assert (done.code, done.out, done.err) == (130, "", "")
