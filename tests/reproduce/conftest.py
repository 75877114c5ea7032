"""A few short clips in three manifests."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 16000
COUNTS = {"train": 16, "val": 4, "test": 12}


@pytest.fixture(scope="session")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By split, a manifest of tones of 2 s with captions that say which."""
    folder = tmp_path_factory.mktemp("clips")
    generator = np.random.default_rng(0)
    found = {}
    for split, count in COUNTS.items():
        lines = []
        for number in range(count):
            time = np.arange(2 * RATE) / RATE
            tone = 0.3 * np.sin(2 * np.pi * 60 * (number + 2) * time)
            tone += 0.02 * generator.normal(size=tone.shape)
            name = f"{split}-{number}.flac"
            soundfile.write(folder / name, tone, RATE)
            caption = [f"a calm flute of {60 * (number + 2)} hertz", f"number {number}"]
            lines.append({"id": name, "audio": name, "caption": caption, "duration": 2.0})
        found[split] = folder / f"{split}.jsonl"
        found[split].write_text("".join(json.dumps(line) + "\n" for line in lines))
    return found
