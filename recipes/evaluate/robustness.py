"""How often the first ten results change with the file format, the level or the passage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import muscall
from muscall.audio.decode import probe, read
from muscall.audio.windows import centre_start
from muscall.evaluation.score import Scores, mean
from recipes.corpus.sound.realism import through

SECONDS = 30.0
RATE = 44100
FIRST = 10
Sound = np.ndarray


def passages(path: Path) -> tuple[Sound, Sound]:
    """The middle 30 s of a track, and the 30 s after them, or its first 30 s if it is shorter."""
    duration = probe(path).duration
    start = centre_start(duration, SECONDS)
    beside = start + SECONDS if start + 2 * SECONDS <= duration else 0.0
    return tuple(  # type: ignore[return-value]
        read(path, start=at, duration=min(SECONDS, duration), sample_rate=RATE)
        for at in (start, beside)
    )


def as_mp3(sound: Sound, *, kbits: int = 64) -> Sound:
    """The sound encoded as mono MP3 and decoded."""
    return through(sound.astype(np.float32), RATE, "libmp3lame", "mp3", kbits)


CHANGES: dict[str, Callable[[Sound, Sound], Sound]] = {
    "as 64 kbit/s MP3": lambda sound, _: as_mp3(sound),
    "6 dB quieter": lambda sound, _: 0.5 * sound,
    "another 30 s": lambda _, other: other,
}


def measure(
    model: muscall.MusCALL, paths: Sequence[Path], sentences: Sequence[str]
) -> dict[str, Scores]:
    """How many of the first ten results stay, and how often all do, in percent by change."""
    text = model.encode_text(sentences)
    pairs = [passages(path) for path in paths]

    def first(sounds: list[Sound]) -> list[set[int]]:
        audio = model.encode_audio([(sound, RATE) for sound in sounds])
        return [set(np.argsort(-row, kind="stable")[:FIRST].tolist()) for row in text @ audio.T]

    before = first([sound for sound, _ in pairs])
    rows: dict[str, Scores] = {}
    for name, change in CHANGES.items():
        after = first([change(sound, other) for sound, other in pairs])
        shared = [len(old & new) for old, new in zip(before, after, strict=True)]
        rows[name] = {
            "of the first 10 stay, %": mean([100 * n / FIRST for n in shared]),
            "all 10 stay, % of queries": mean([100.0 * (n == FIRST) for n in shared]),
        }
    return rows
