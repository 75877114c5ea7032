"""Sentences about how the development set sounds, answered by measurement.

    PYTHONPATH=recipes/open-corpus python -m dev.measure

What is stated of the tracks says mostly what they are for. Measurements say less, but of the sound
itself: for each of SENTENCES, the tracks in which its quantity is largest, or smallest, are
relevant. Writes `dev/measured.yaml`, in the form of `sentences.yaml`. No network takes part, so no
ruler is favoured.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import yaml
from scipy.ndimage import median_filter
from scipy.signal import find_peaks

from muscall.audio import decode
from muscall.audio.mel import LogMel, MelConfig
from muscall.audio.windows import centre_start

TRACKS = Path("corpora/dev/tracks.jsonl")
TARGET = Path(__file__).with_name("measured.yaml")
SECONDS = 90.0  # of the middle of a track
SHARE = 0.125  # of the tracks are relevant to a sentence
MEL = MelConfig()
FRAMES = MEL.sample_rate / MEL.hop  # a second
CENTRES = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 130)[1:-1] / 2595) - 1)


@dataclass(frozen=True)
class Measured:
    """Of the middle of a track.

    `onsets` a second; `drums`, the share of the energy that is percussive (median filtering,
    Fitzgerald, DAFx 2010); `pulse`, how well the onsets repeat at a beat of 50 to 180 a minute,
    in 0..1; `level`, dBFS RMS; `swing`, the standard deviation of the level over seconds, dB;
    `brightness`, the centroid in Hz.
    """

    onsets: float
    drums: float
    pulse: float
    level: float
    swing: float
    brightness: float


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


def measure(path: Path) -> Measured:
    """What the middle of a file sounds like; raises AudioError."""
    duration = decode.probe(path).duration
    sound = decode.read(
        path,
        start=centre_start(duration, SECONDS),
        duration=min(SECONDS, duration),
        sample_rate=MEL.sample_rate,
    )
    decibels = LogMel(MEL)(torch.from_numpy(sound)[None])[0].numpy()
    rise = np.maximum(np.diff(decibels.clip(-60), axis=1), 0).mean(axis=0)
    rise /= rise.std() + 1e-9
    peaks, _ = find_peaks(rise, prominence=1.0, distance=round(0.08 * FRAMES))

    flat = rise - rise.mean()
    likeness = np.correlate(flat, flat, "full")[len(flat) - 1 :]
    beats = slice(round(60 / 180 * FRAMES), round(60 / 50 * FRAMES) + 1)

    power = 10 ** (decibels / 10)
    steady, struck = median_filter(power, (1, 17)), median_filter(power, (17, 1))
    drums = power * struck**2 / (steady**2 + struck**2 + 1e-20)

    whole = sound[: len(sound) // MEL.sample_rate * MEL.sample_rate]
    levels = 10 * np.log10(np.square(whole.reshape(-1, MEL.sample_rate)).mean(axis=1) + 1e-9)
    return Measured(
        onsets=len(peaks) / (len(sound) / MEL.sample_rate),
        drums=float(drums.sum() / power.sum()),
        pulse=float(max(likeness[beats].max(), 0) / likeness[0]),
        level=float(10 * np.log10(np.square(sound).mean() + 1e-9)),
        swing=float(levels.std()),
        brightness=float((power.sum(axis=1) @ CENTRES) / power.sum()),
    )


def main() -> None:
    """Run the recipe."""
    rows = [json.loads(line) for line in TRACKS.read_text("utf-8").splitlines()]
    with ProcessPoolExecutor(initializer=torch.set_num_threads, initargs=(1,)) as pool:
        found = pool.map(measure, [TRACKS.parent / row["audio"] for row in rows])
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
