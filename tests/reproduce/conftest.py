"""A few short clips in three manifests."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 16000
COUNTS = {"train": 64, "val": 8, "test": 12}


@pytest.fixture(scope="session")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By split, a manifest of tones of 3 s with captions that say which, with facts."""
    folder = tmp_path_factory.mktemp("clips")
    generator = np.random.default_rng(0)
    found = {}
    for split, count in COUNTS.items():
        lines = []
        for number in range(count):
            time = np.arange(3 * RATE) / RATE
            hertz = 100 + 20 * number
            tone = 0.3 * np.sin(2 * np.pi * hertz * time)
            tone += 0.02 * generator.normal(size=tone.shape)
            name = f"{split}-{number}.flac"
            soundfile.write(folder / name, tone, RATE)
            caption = [f"a calm flute of {hertz} hertz", f"number {number}"]
            row = {"id": name, "audio": name, "caption": caption, "duration": 3.0}
            instruments = ["flute", "piano"][number % 2 :]
            lines.append(
                row | {"facts": {"instruments": instruments, "style": ["waltz", "jig"][number % 2]}}
            )
        found[split] = folder / f"{split}.jsonl"
        found[split].write_text("".join(json.dumps(line) + "\n" for line in lines))
    return found
