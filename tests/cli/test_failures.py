"""What the commands do with wrong usage and bad input: one clear line and an exit code."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Run = Callable[..., SimpleNamespace]


@pytest.mark.parametrize(
    "arguments",
    [
        ["serch"],
        ["search"],
        ["search", "a tone", ".", "-n", "0"],
        ["search", "a tone", ".", "--frobnicate"],
        ["embed", "."],
        ["embed", ".", "-o", "."],
        ["evaluate", "retrieval", "model"],
        ["convert", "a.pth"],
        ["--threads", "0", "search", "a tone", "."],
    ],
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err


@pytest.mark.parametrize("query", ["", "  ", "\n"])
def test_empty_query_is_wrong_usage(run: Run, music: Path, query: str) -> None:
    done = run("search", query, music)
    assert (done.code, done.out) == (2, "")
    assert "empty" in done.err


@pytest.mark.parametrize("query", ["word " * 10_000, "\udcff\udcfe", "🎵\x00"])
def test_odd_queries(run: Run, music: Path, tiny_checkpoint: Path, query: str) -> None:
    done = run("search", query, music / "0.wav", "--json", "--model", tiny_checkpoint)
    assert done.code == 0
    assert len(json.loads(done.out)) == 1
    assert len(done.err.splitlines()) == (len(query) > 1000)


def test_a_folder_without_music(run: Run, tiny_checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no music")
    done = run("search", "a tone", tmp_path, "--model", tiny_checkpoint)
    assert (done.code, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1


def test_a_wrong_manifest_is_named_line_by_line(
    run: Run, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "wrong.jsonl"
    manifest.write_text('{"audio": "a.wav", "caption": ""}\n' * 57)
    done = run("evaluate", "retrieval", tiny_checkpoint, manifest)
    assert (done.code, done.out) == (1, "")
    *problems, more = done.err.splitlines()
    assert len(problems) == 20
    assert all(problem.startswith("muscall: ") for problem in problems)
    assert more.startswith("muscall: and ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "a tone", ".", "--model", "no/such/folder"],
        ["evaluate", "retrieval", "no/such/folder", "missing.jsonl"],
        ["embed", "missing.wav", "-o", "out.npz"],
        ["embed", "{music}", "-o", "no/such/folder/out.npz"],
        ["train", "missing.yaml"],
        ["convert", "missing.pth", "missing.yaml", "out"],
    ],
)
def test_failures_are_one_line(
    run: Run,
    music: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*(argument.format(music=music) for argument in arguments))
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert line.startswith("muscall: ")
    assert list(tmp_path.iterdir()) == []


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
    assert len(json.loads(done.out)) == 5
    assert "6/6" in done.err
    assert "muscall: " in done.err


def test_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch, music: Path) -> None:
    monkeypatch.setattr("muscall.load", lambda _: signal.raise_signal(signal.SIGINT))
    # A suite that was started in the background ignores interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    done = run("search", "a tone", music)
    signal.signal(signal.SIGINT, before)
    assert (done.code, done.out, done.err) == (130, "", "")
