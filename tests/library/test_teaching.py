"""What a teacher hears is written for training, whatever ends the run in between."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from muscall import MusCALL
from muscall.data.manifest import Row, read_manifest
from muscall.data.targets import read_targets
from muscall.errors import AudioError, MuscallError
from muscall.library.teaching import teach

Sing = Callable[..., Path]


def rows(folder: Path) -> list[Row]:
    return [Row(path.stem, path, ("a song",)) for path in sorted(folder.glob("*.flac"))]


def held(path: Path) -> tuple[list[str], np.ndarray]:
    with np.load(path) as table:
        return table["ids"].tolist(), table["vectors"]


def test_training_reads_what_the_teacher_heard(
    tiny_model: MusCALL, songs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "heard.npz"
    (songs / "broken.flac").write_bytes(b"no music")
    told: list[tuple[int, int]] = []
    failures = teach(tiny_model, rows(songs), file, progress=lambda *done: told.append(done))
    assert [Path(error.path).name for error in failures] == ["broken.flac"]
    assert told == [(done, 5) for done in (1, 2, 3, 4, 5)]
    ids, vectors = held(file)
    assert ids == ["a", "b", "c", "d"]
    expected = tiny_model.encode_audio([songs / f"{name}.flac" for name in ids])
    np.testing.assert_array_equal(vectors, expected)
    targets = read_targets(file, rows(songs))
    assert np.isnan(targets).any(axis=1).tolist() == [False, False, True, False, False]


def test_what_was_heard_is_not_heard_again(
    tiny_model: MusCALL, songs: Path, tmp_path: Path
) -> None:
    file, at_once = tmp_path / "heard.npz", tmp_path / "at_once.npz"
    teach(tiny_model, rows(songs), at_once)

    def interrupted(done: int, total: int) -> None:  # noqa: ARG001
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teach(tiny_model, rows(songs), file, progress=interrupted)
    assert held(file)[0] == ["a", "b"]
    (songs / "a.flac").unlink()  # nor would that be noticed
    assert teach(tiny_model, rows(songs), file) == []
    some = [row for row in rows(songs) if row.id != "a"]
    assert teach(tiny_model, some, file) == []
    ids, vectors = held(file)
    assert ids == ["b", "c", "d", "a"]
    expected = dict(zip(*held(at_once), strict=True))
    np.testing.assert_array_equal(vectors, [expected[name] for name in ids])


def test_a_killed_run_goes_on_to_the_same_file(
    tiny_checkpoint: Path, sing: Sing, tmp_path: Path
) -> None:
    described = []
    for seed in range(12):
        path = sing(tmp_path / "songs" / f"{seed}.flac", seed, 2.5)
        described.append({"audio": str(path), "caption": "noise"})
    manifest = tmp_path / "songs.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in described))
    file, at_once = tmp_path / "heard.npz", tmp_path / "at_once.npz"
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "import muscall\n"
        "from muscall.data.manifest import read_manifest\n"
        "from muscall.library import teaching\n"
        "teaching._SECONDS = 0\n"
        "def slowly(done, total): time.sleep(0.2)\n"
        "rows, model, file = sys.argv[1:]\n"
        "rows, file = read_manifest(rows), Path(file)\n"
        "teaching.teach(muscall.load(model), rows, file, progress=slowly)\n"
    )
    arguments = [sys.executable, "-c", program, manifest, tiny_checkpoint, file]
    process = subprocess.Popen([str(argument) for argument in arguments])
    while not file.exists() and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 0 < len(held(file)[0]) < 12
    command = [sys.executable, "-m", "muscall", "teach", "--teacher", tiny_checkpoint, manifest]
    for output in (file, at_once):
        done = subprocess.run(
            [str(part) for part in (*command, "-o", output)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert f"12 of 12 rows in {output}: model.teacher_dim=16" in done.stderr
    assert held(file)[0] == held(at_once)[0] == [row.id for row in read_manifest(manifest)]
    np.testing.assert_array_equal(held(file)[1], held(at_once)[1])


def test_a_file_of_something_else_stays(tiny_model: MusCALL, songs: Path, tmp_path: Path) -> None:
    file = tmp_path / "heard.npz"
    teach(tiny_model, rows(songs)[:1], file)
    other = copy.deepcopy(tiny_model)
    other.audio_projection.weight.data *= 2
    with pytest.raises(MuscallError, match=r"heard\.npz: of another teacher"):
        teach(other, rows(songs), file)
    assert held(file)[0] == ["a"]
    np.savez(tmp_path / "vectors.npz", vectors=[1.0])
    (tmp_path / "text.npz").write_text("my notes")
    for name in ("vectors.npz", "text.npz"):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(MuscallError, match=f"{name}: there is something else"):
            teach(tiny_model, rows(songs), tmp_path / name)
        assert (tmp_path / name).read_bytes() == before


def test_without_a_readable_row_nothing_is_written(tiny_model: MusCALL, tmp_path: Path) -> None:
    (failure,) = teach(tiny_model, [Row("gone", tmp_path / "gone.flac")], tmp_path / "heard.npz")
    assert isinstance(failure, AudioError)
    assert not list(tmp_path.iterdir())
