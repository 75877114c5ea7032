"""Train a small model from nothing on pairs of one's own, and search with it.

    python examples/train_pairs.py /tmp/tones

A manifest names sound files and their sentences. Here both are made: tones and noise, steady or
pulsing. A few seconds of training are enough for a tiny model to tell which is which; the same
lines with other settings train the model of the paper (`configs/base.yaml`).
"""

import json
import sys
from pathlib import Path

import numpy as np
import soundfile

import muscall
from muscall.data.manifest import read_manifest
from muscall.evaluation.retrieval import evaluate_retrieval
from muscall.training import Config, train

RATE, SECONDS = 16000, 2
SOUNDS = {"a low tone": 110, "a high tone": 1760, "noise": 0}


def make_pairs(folder: Path, count: int, seed: int) -> Path:
    """Write `count` clips of each kind and their manifest; its path."""
    random = np.random.default_rng(seed)
    time = np.arange(RATE * SECONDS) / RATE
    rows = []
    for sound, frequency in SOUNDS.items():
        for rhythm, pulses in {"steady": 0, "pulsing": 4}.items():
            for number in range(count):
                tone = np.sin(2 * np.pi * frequency * random.uniform(0.9, 1.1) * time)
                clip = tone if frequency else random.normal(size=len(time))
                clip = 0.2 * clip * (np.cos(2 * np.pi * pulses * time) > -0.1)
                name = f"{sound}, {rhythm}, {seed}-{number}.wav"
                soundfile.write(folder / name, clip, RATE)
                rows.append({"audio": name, "caption": f"{sound}, {rhythm}"})
    manifest = folder / f"pairs-{seed}.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tiny = {"width": 4, "blocks": [1, 1, 1, 1], "heads": 2, "features": 32, "window_seconds": 2}
    settings = {
        "model": {"dim": 32, "audio": tiny, "text": {"width": 64, "layers": 1, "heads": 2}},
        "data": {
            "train": str(make_pairs(folder, count=8, seed=0)),
            "val": str(make_pairs(folder, count=1, seed=1)),
            "augment": {"enabled": False},
            "workers": 0,
        },
        "train": {
            "out": str(folder / "run"),
            "steps": 60,
            "batch_size": 16,
            "micro_batch": 16,
            "gradient_caching": False,
            "lr": 3e-3,
            "precision": "fp32",
            "validate_every": 20,
        },
    }
    model = muscall.load(train(Config.parse(settings)), device="cpu")
    rows = read_manifest(folder / "pairs-1.jsonl")
    scores = evaluate_retrieval(model, rows).text_to_audio
    print(f"R@1 {scores['R@1']:.0f} % on {len(rows)} clips that were not trained on")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
