"""A corpus made ready for training: its sound as WAV, which is read without decoding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from sound.store import RATE

from muscall.audio.decode import read

Row = dict[str, Any]
Change = Callable[[str, np.ndarray], np.ndarray]
"""Id of a row and its sound -> another sound, the same every time."""


def rows_of(manifest: Path) -> list[Row]:
    """The rows of a corpus's manifest."""
    return [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]


def unpack(rows: Iterable[Row], corpus: Path, out: Path, change: Change | None = None) -> list[Row]:
    """The rows with their sound as 16-bit WAV in `out`/audio; what is there stays.

    Args:
        corpus: what the rows' `audio` is relative to.
        change: what happens to each sound on its way.
    """
    (out / "audio").mkdir(parents=True, exist_ok=True)
    jobs, unpacked = [], []
    for row in rows:
        target = Path("audio") / f"{row['id']}.wav"
        if not (out / target).exists():
            jobs.append((row["id"], corpus / row["audio"], out / target))
        unpacked.append(row | {"audio": str(target)})
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(partial(_decode, change=change), jobs, chunksize=16))
    return unpacked


def _decode(job: tuple[str, Path, Path], change: Change | None) -> None:
    name, source, target = job
    sound = read(source, sample_rate=RATE)
    if change is not None:
        sound = change(name, sound)
    aside = target.with_suffix(f".{os.getpid()}")  # another run may unpack the same row
    soundfile.write(aside, sound, RATE, format="WAV", subtype="PCM_16")
    aside.rename(target)


def write(rows: Iterable[Row], path: Path) -> Path:
    """Write a manifest."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def muscall(*arguments: object) -> str:
    """Run the command; its messages go on to the terminal, and what it prints is returned."""
    command = [sys.executable, "-m", "muscall", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
