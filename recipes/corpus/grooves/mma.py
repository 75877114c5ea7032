"""Debian's `mma`, run from its unpacked package; nothing needs to be installed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from muscall.processes import run
from recipes.corpus.packages import debian
from recipes.corpus.rows import ClipError


@dataclass(frozen=True)
class Mma:
    """One version of mma; `home` holds its modules and its library of style files."""

    version: str
    home: str

    @classmethod
    def of(cls, cache: Path) -> Mma:
        """The mma of Debian's package, fetched into `cache` once; raises PackageError."""
        package = debian("mma", cache)
        return cls(package.version, str(package.root / "usr" / "share" / "mma"))

    @property
    def library(self) -> Path:
        return Path(self.home, "lib")

    def run(self, *arguments: str, seconds: float = 60.0) -> str:
        """What mma prints; raises ClipError where it fails or takes longer than `seconds`."""
        program = Path(self.home).parents[1] / "bin" / "mma"
        try:
            done = run(
                # -E: mma's modules are those of its package, whatever PYTHONPATH says.
                [sys.executable, "-E", str(program), "-w", *arguments],
                capture_output=True, encoding="latin-1", timeout=seconds,
                env={**os.environ, "MMA_HOME": self.home},
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ClipError(f"mma took over {seconds:.0f} s") from error
        if done.returncode:
            said = " ".join((done.stdout + done.stderr).split())[-200:]
            raise ClipError(f"mma failed: {said}")
        return done.stdout

    def play(self, song: str, folder: Path) -> Path:
        """A MIDI file of a song, mma's own text, made in `folder`."""
        text, midi = folder / "song.mma", folder / "song.mid"
        text.write_text(song)
        self.run("-f", str(midi), str(text))
        if not midi.exists():
            raise ClipError("mma wrote nothing")
        return midi
