"""The leak check between splits, on music-like sound made here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
import soundfile

pytest.importorskip("chromaprint", reason="the leak check needs pyacoustid and libchromaprint1")

RATE = 16000


def _tune(seed: int, seconds: float = 25.0) -> npt.NDArray[np.float32]:
    """Random chords of four harmonics each, every 0.3 s: as many as music has."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(0.3 * RATE)) / RATE
    chords = []
    for _ in range(round(seconds / 0.3)):
        pitches = 220 * 2 ** (rng.integers(0, 24, 3) / 12)
        tones = [np.sin(2 * np.pi * p * k * time) / k for p in pitches for k in (1, 2, 3, 4)]
        chords.append(np.sum(tones, axis=0) * np.exp(-3 * time))
    sound = np.concatenate(chords) + rng.normal(0, 0.01, len(time) * len(chords))
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def _opus(path: Path, sound: npt.NDArray[np.float32]) -> None:
    """As Opus of 24 kbit/s."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono", bit_rate=24000)
        frame = av.AudioFrame.from_ndarray(sound[None], format="flt", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def _side(folder: Path, name: str, files: list[str]) -> Path:
    manifest = folder / f"{name}.jsonl"
    manifest.write_text("".join(json.dumps({"audio": file}) + "\n" for file in files))
    return manifest


def _check(*manifests: Path) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, "-m", "recipes.corpus.fingerprint"]
    command = [*script, *map(str, manifests), "--jobs", "1"]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    for seed in range(4):
        soundfile.write(folder / f"tune{seed}.wav", _tune(seed), RATE)
    # From 4.37 s on, quieter, and through a codec.
    _opus(folder / "copy.opus", 0.3 * _tune(0)[round(4.37 * RATE) :])
    soundfile.write(folder / "silence.flac", np.zeros(25 * RATE, np.float32), RATE)
    return folder


def test_finds_a_shifted_and_encoded_copy(folder: Path) -> None:
    train = _side(folder, "train", ["tune0.wav", "tune1.wav", "silence.flac"])
    test = _side(folder, "test", ["tune2.wav", "copy.opus"])
    done = _check(train, test)
    assert done.returncode == 1, done.stderr
    (line,) = done.stdout.splitlines()
    assert Path(line.split("\t")[0]).name == "tune0.wav"
    assert Path(line.split("\t")[1]).name == "copy.opus"
    assert float(line.split("\t")[3].removesuffix(" s")) >= 15


def test_says_nothing_of_different_tunes(folder: Path) -> None:
    train = _side(folder, "train", ["tune0.wav", "tune1.wav", "silence.flac"])
    test = _side(folder, "test", ["tune2.wav", "tune3.wav"])
    done = _check(train, test)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_lets_copies_within_a_side_be(folder: Path) -> None:
    train = _side(folder, "train", ["tune0.wav", "copy.opus"])
    test = _side(folder, "test", ["tune3.wav"])
    assert _check(train, test).returncode == 0


def test_names_a_file_that_cannot_be_read(folder: Path) -> None:
    done = _check(_side(folder, "train", ["missing.wav"]), _side(folder, "test", ["tune3.wav"]))
    assert done.returncode == 2
    assert done.stderr.startswith("fingerprint: ")
    assert "missing.wav" in done.stderr.splitlines()[0]
    assert len(done.stderr.splitlines()) == 1
