"""Damaged files of every format give sound or a reason; they neither hang, crash nor print.

MUSCALL_FUZZ sets how many damaged files are tried (60).
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

COUNT = int(os.environ.get("MUSCALL_FUZZ", "60"))
BATCH = 60  # files for one interpreter, whose end at the first crash hides what follows

# Decodes the files named on the command line, each whole, in part and from near its end.
PROGRAM = """
import faulthandler, logging, resource, sys, time
import numpy as np
from muscall.audio.decode import probe, read
from muscall.errors import AudioError

faulthandler.enable()
logging.disable()
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
for path in sys.argv[1:]:
    print("begin", path, flush=True)
    began = time.process_time()
    for arguments in ({}, {"start": 0.7, "duration": 0.5}, {"start": 1.9}):
        try:
            probe(path)
            samples = read(path, **arguments)
        except AudioError as error:
            assert str(error).isprintable(), error
            print("refused", error.reason)
        else:
            assert samples.dtype == np.float32 and samples.ndim == 1 and len(samples)
            assert np.isfinite(samples).all()
            print("sound", len(samples))
    seconds = time.process_time() - began
    assert seconds < 10, seconds
"""


@pytest.fixture
def originals(write, encodings) -> dict[str, bytes]:
    """Two seconds of a chord and noise in every format, and two pieces of music, by file name."""
    rng = np.random.default_rng(0)
    time = np.arange(2 * 24000) / 24000
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 277, 330)) / 8
    signal = np.stack([chord, chord + 0.02 * rng.standard_normal(len(time))], 1)
    paths = {name: write(signal.astype(np.float32), 24000, name, name) for name in encodings}
    files = {path.name: path.read_bytes() for path in paths.values()}
    package = importlib.util.find_spec("immich_memories_music")
    if package and package.submodule_search_locations:
        tracks = Path(package.submodule_search_locations[0]).rglob("*.opus")
        files |= {track.name: track.read_bytes()[:60_000] for track in sorted(tracks)[:2]}
    return files


def damaged(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """`content` with one kind of damage; `other` is what it may run into."""
    size = len(content)
    begin, end = sorted(rng.integers(0, size + 1, 2).tolist())
    near = min(size, begin + int(rng.integers(1, 2000)))
    match rng.integers(9):
        case 0 | 1:  # flipped bits
            mutable = bytearray(content)
            for offset in rng.integers(0, size, rng.integers(1, 40)):
                mutable[offset] ^= 1 << rng.integers(8)
            return bytes(mutable)
        case 2 | 3:  # a few bytes of the header
            mutable = bytearray(content)
            for offset in rng.integers(0, min(size, 300), rng.integers(1, 12)):
                mutable[offset] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(256)])
            return bytes(mutable)
        case 4:  # cut off
            return content[:end]
        case 5:  # a hole
            return content[:begin] + content[near:]
        case 6:  # the same again
            return content[:near] + content[begin:]
        case 7:  # garbage or zeros
            garbage = rng.bytes(near - begin) if rng.integers(2) else bytes(near - begin)
            return content[:begin] + garbage + content[near:]
        case _:  # another file in the middle of this
            return content[:begin] + other[begin:]


@pytest.mark.parametrize("batch", range(-(-COUNT // BATCH)))
def test_damaged_files_give_sound_or_a_reason(originals, tmp_path, batch):
    folder = tmp_path / "damaged"
    folder.mkdir()
    names = sorted(originals)
    for number in range(batch * BATCH, min(COUNT, (batch + 1) * BATCH)):
        rng = np.random.default_rng(number)
        name = names[number % len(names)]
        content = damaged(originals[name], originals[rng.choice(names)], rng)
        (folder / f"{number:05}-{name}").write_bytes(content)
    paths = sorted(map(str, folder.iterdir()))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *paths], capture_output=True, text=True, timeout=300
    )
    lines = done.stdout.splitlines()
    last = [line for line in lines if line.startswith("begin")][-1:]
    assert (done.returncode, done.stderr) == (0, ""), last
    given, refused = (sum(line.startswith(w) for line in lines) for w in ("sound", "refused"))
    assert given + refused == 3 * len(paths)
    assert given > refused / 3  # or else the damage is so great that nothing is tried
