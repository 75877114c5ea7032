"""Sentences about how the development set sounds, answered by measurement.

    python -m recipes.corpus.dev.measure

The metadata of a track say mostly what it is for. Measurements say less, but of the sound itself:
for each of SENTENCES, the tracks in which its quantity is largest, or smallest, are relevant.
Writes `dev/acoustic.yaml`, in the form of `metadata.yaml`. No network takes part, so no baseline is
favoured.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import torch
import yaml

from muscall.audio import decode
from muscall.audio.windows import centre_start
from muscall.processes import end_with_parent
from recipes.corpus.acoustics import RATE, Measured, measure
from recipes.corpus.dev.baselines import PART, part_of

TRACKS = Path("corpora/dev/tracks.jsonl")
TARGET = Path(__file__).with_name("acoustic.yaml")
SECONDS = 90.0  # of the middle of a track
SHARE = 0.125  # of the tracks are relevant to a sentence

# Sentence, quantity, and whether much of it is wanted.
SENTENCES: tuple[tuple[str, str, bool], ...] = (
    ("slow sparse music with long held notes", "onsets", False),
    ("fast busy music with many notes", "onsets", True),
    ("ambient music without drums", "drums", False),
    ("punchy drums and percussion", "drums", True),
    ("a strong steady beat to dance to", "pulse", True),
    ("free floating music without a beat", "pulse", False),
    ("soft quiet music", "level", False),
    ("loud powerful music", "level", True),
    ("dramatic music that goes from quiet to loud", "swing", True),
    ("dark, deep and muffled sound", "brightness", False),
    ("bright sparkling high sounds", "brightness", True),
)
UNITS: dict[str, Callable[[float], str]] = {
    "onsets": "{:.2f} onsets a second".format,
    "drums": "{:.2f} of the energy percussive".format,
    "pulse": "pulse clarity {:.2f}".format,
    "level": "{:.1f} dBFS".format,
    "swing": "level varies by {:.1f} dB".format,
    "brightness": "centroid {:.0f} Hz".format,
}


def middle(path: Path) -> Measured:
    """What the middle of a file sounds like; raises AudioError."""
    duration = decode.probe(path).duration
    sound = decode.read(
        path,
        start=centre_start(duration, SECONDS),
        duration=min(SECONDS, duration),
        sample_rate=RATE,
    )
    return measure(sound)


def _start_worker() -> None:
    end_with_parent()
    torch.set_num_threads(1)


def main() -> None:
    """Run the recipe."""
    lines = TRACKS.read_text("utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if part_of(row) == PART]
    with ProcessPoolExecutor(initializer=_start_worker) as pool:
        found = pool.map(middle, [TRACKS.parent / row["audio"] for row in rows])
        table = {row["id"]: asdict(values) for row, values in zip(rows, found, strict=True)}
    entries = []
    for sentence, quantity, much in SENTENCES:
        order = sorted(table, key=lambda name: table[name][quantity], reverse=much)
        chosen = order[: round(SHARE * len(order))]
        reasons = {name: f"measured: {UNITS[quantity](table[name][quantity])}" for name in chosen}
        entries.append({"sentence": sentence, "relevant": reasons})
    head = "# Written by measure.py: how the tracks sound, by measurement.\n"
    TARGET.write_text(head + yaml.safe_dump(entries, sort_keys=False, width=100), "utf-8")


if __name__ == "__main__":
    main()
