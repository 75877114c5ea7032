"""A corpus made ready for training: its sound as WAV, which is read without decoding."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from muscall.data.unpacking import Change
from muscall.data.unpacking import unpack as decode
from muscall.processes import run
from recipes.corpus.sound.store import RATE

Row = dict[str, Any]
RECORDED = "recordings"  # the part of the corpus that was not rendered


def rows_of(manifest: Path) -> list[Row]:
    """The rows of a corpus's manifest."""
    return [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]


def unpack(rows: Iterable[Row], corpus: Path, out: Path, change: Change | None = None) -> list[Row]:
    """The rows with their sound as 16-bit WAV in `out`/audio; what is there stays.

    Args:
        corpus: what the rows' `audio` is relative to.
        change: what happens to each sound, by the row's id, on its way.

    Raises:
        AudioError: a sound cannot be decoded.
    """
    (out / "audio").mkdir(parents=True, exist_ok=True)
    sources, unpacked = {}, []
    for row in rows:
        target = Path("audio") / f"{row['id']}.wav"
        sources[out / target] = corpus / row["audio"]
        unpacked.append(row | {"audio": str(target)})
    for failure in decode(sources, sample_rate=RATE, change=change):
        raise failure
    return unpacked


def write(rows: Iterable[Row], path: Path) -> Path:
    """Write a manifest."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def muscall(*arguments: object) -> str:
    """Run the command; its messages go on to the terminal, and what it prints is returned."""
    command = [sys.executable, "-m", "muscall", *map(str, arguments)]
    return str(run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
