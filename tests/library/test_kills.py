"""An index run is killed at random moments; nothing is lost, nothing doubled."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from muscall import Library, MusCALL
from muscall.library.embedding_version import embedding_version_of

KILLS = 5

# Forked, so that torch is imported once. Not after LanceDB was: that has threads from then on.
RUNS = """
import os, random, signal, sys, time
import torch
import muscall

songs, folder, checkpoint = sys.argv[1:]
model = muscall.load(checkpoint)
torch.set_num_threads(1)
random.seed(0)
for _ in sys.stdin:
    read, write = os.pipe()
    if not (child := os.fork()):
        from muscall.library.indexing import run as indexing
        from muscall.library import library
        indexing._COMMIT_TRACKS = 2
        told = 0
        def tell(progress):
            global told
            os.write(write, b"." * (progress.done - told))
            told = progress.done
        library.Library(folder, model).index([songs], workers=2, progress=tell)
        os._exit(0)
    os.close(write)
    for _ in range(random.randrange(1, 7)):
        os.read(read, 1)
    time.sleep(random.uniform(0, 0.2))
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(read)
    print("failed" if os.WIFEXITED(status) and os.WEXITSTATUS(status) else "killed", flush=True)
"""


def contents(library: Library, embedding_version: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Vectors of tracks, and of their windows, by key; whole and each once."""
    tracks, windows = (
        library.store.tracks(embedding_version),
        library.store.windows(embedding_version),
    )
    if tracks is None or windows is None:
        return {}, {}
    rows = tracks.to_arrow().to_pylist()
    vectors = {row["key"]: row["vector"] for row in rows}
    assert len(vectors) == len(rows)
    heard: dict[str, Any] = {}
    for row in windows.to_arrow().to_pylist():
        heard.setdefault(row["key"], {})[row["start"]] = row["vector"]
    for row in rows:
        assert len(heard[row["key"]]) == row["windows"]
    return vectors, heard


def test_kills_lose_nothing_and_double_nothing(
    songs: Path,
    sing: Callable[..., Path],
    tmp_path: Path,
    tiny_model: MusCALL,
    tiny_checkpoint: Path,
) -> None:
    for seed in range(16):
        sing(songs / f"{seed}.flac", 400 + seed, 1 + seed / 4)
    (songs / "broken.mp3").write_bytes(b"no")
    embedding_version = embedding_version_of(tiny_model)
    library = Library(tmp_path / "library", tiny_model)
    known: dict[str, Any] = {}
    done: set[str] = set()
    with subprocess.Popen(
        [sys.executable, "-c", RUNS, songs, library.store.folder, tiny_checkpoint],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as runs:
        assert runs.stdin is not None
        assert runs.stdout is not None
        for _ in range(KILLS):
            print("run", file=runs.stdin, flush=True)
            assert runs.stdout.readline() == "killed\n"
            vectors, _ = contents(library, embedding_version)
            assert vectors.items() >= known.items()
            files = library.store.files()
            assert done <= files.keys()
            assert {row.key for row in files.values()} - {None} <= vectors.keys()
            known, done = vectors, set(files)
        runs.stdin.close()

    assert done
    report = library.index([songs], workers=2)
    assert report.unchanged == len(done)
    assert report.added + report.failed == 21 - len(done)
    assert report.moved + report.copies + report.retagged == 0
    straight = Library(tmp_path / "straight", tiny_model)
    straight.index([songs], workers=2)
    after, expected = contents(library, embedding_version), contents(straight, embedding_version)
    assert after[0].keys() == expected[0].keys()
    for key, vector in expected[0].items():
        np.testing.assert_allclose(after[0][key], vector, atol=1e-6)
    assert after[1].keys() == expected[1].keys()
    for key, windows in expected[1].items():
        assert after[1][key].keys() == windows.keys()
        for start, window in windows.items():
            np.testing.assert_allclose(after[1][key][start], window, atol=1e-3)
    assert library.store.files() == straight.store.files()
    windows_table = library.store.windows(embedding_version)
    assert windows_table is not None
    assert windows_table.count_rows() == sum(map(len, after[1].values()))
