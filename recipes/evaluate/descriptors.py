"""How often tempo and key are right, and the profiles that keys are told by.

    python -m recipes.evaluate.descriptors corpora/open          # a table
    python -m recipes.evaluate.descriptors corpora/open --fit    # learn the profiles first

The truth is the score of each rendered clip, and what the makers of 28 generated tracks state. A
tempo is right within 4 %, at half or double speed too.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from immich_memories_music import tracks_dir
from torch.nn import functional as F

from muscall.audio import descriptors
from muscall.audio.decode import stream
from muscall.audio.descriptors import KEYS, MODES, Meter

RATE = 16000
PROFILES = Path(descriptors.__file__).with_name("key_profiles.npy")
TRAINED, STEPS, BATCH, LR = 3500, 3000, 512, 3e-3
_SAME = {"Db": "C#", "D#": "Eb", "Gb": "F#", "G#": "Ab", "A#": "Bb", "Cb": "B", "E#": "F"}

Truth = tuple[Path, float | None, str | None]


def rendered(corpus: Path, split: str) -> list[Truth]:
    """Path, tempo and key of every rendered clip whose score tells one of them."""
    found = []
    for line in (corpus / f"{split}.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["part"] != "recordings":
            found.append((corpus / row["audio"], *_told(row["facts"])))
    return [truth for truth in found if truth[1] or truth[2]]


def _told(facts: dict[str, Any]) -> tuple[float | None, str | None]:
    tempo = facts.get("bpm") if facts.get("bpm_is_felt", True) else None
    tonic, mode = facts.get("tonic"), facts.get("mode")
    return tempo, f"{_SAME.get(tonic, tonic)} {mode}" if tonic and mode in MODES else None


def generated() -> list[Truth]:
    """Path, tempo and key of the generated tracks, as their package states them."""
    package = files("immich-memories-music") or []
    licence = next(file for file in package if file.name == "LICENSE-MUSIC").read_text()
    stated = dict(re.findall(r"(\S+\.opus)\s+(\d+ bpm\s+\S+ \S+)", licence))
    found = []
    for path in sorted(tracks_dir().rglob("*.opus")):
        tempo, _, tonic, mode = stated[path.name].split()
        found.append((path, float(tempo), f"{_SAME.get(tonic, tonic)} {mode}"))
    return found


def meters(truths: list[Truth]) -> Iterator[tuple[Meter, Truth]]:
    """What was measured of each, in order."""
    for truth in truths:
        meter = Meter(RATE)
        for block in stream(truth[0], sample_rate=RATE):
            meter.add(block)
        yield meter, truth


def fit(truths: list[Truth]) -> np.ndarray:
    """Profiles (2, 4, 12) by softmax regression over all 24 keys, turned to each tonic."""
    known = [(meter.chroma_statistics(), key) for meter, (_, _, key) in meters(truths) if key]
    keys = [(MODES.index(mode), KEYS.index(tonic)) for tonic, mode in (k.split() for _, k in known)]
    wanted = torch.tensor([mode * len(KEYS) + tonic for mode, tonic in keys])
    turned = torch.from_numpy(
        np.stack([[np.roll(s, -tonic, axis=1) for tonic in range(12)] for s, _ in known])
    ).float()
    torch.manual_seed(0)
    profiles = torch.zeros(2, 4, 12, requires_grad=True)
    optimiser = torch.optim.AdamW([profiles], LR, weight_decay=1e-3)
    for _ in range(STEPS):
        batch = torch.randint(len(turned), (BATCH,))
        scores = torch.einsum("btsp,msp->bmt", turned[batch], profiles).flatten(1)
        loss = F.cross_entropy(scores, wanted[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return profiles.detach().numpy()


def report(name: str, truths: list[Truth]) -> str:
    """One row of a Markdown table."""
    tempi, exact, keys = [], [], []
    for meter, (_, tempo, key) in meters(truths):
        told = meter.descriptors()
        if tempo:
            ratios = [abs((told.tempo or 0) * times / tempo - 1) for times in (1, 2, 0.5)]
            tempi.append(min(ratios) <= 0.04)
            exact.append(ratios[0] <= 0.04)
        if key:
            keys.append(told.key == key)
    numbers = [f"{100 * np.mean(right):.0f} % of {len(right)}" for right in (tempi, exact, keys)]
    return " | ".join([f"| {name}", *numbers]) + " |"


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Measure how often tempo and key are right.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--fit", action="store_true", help="learn the profiles of keys first")
    options = parser.parse_args()
    if options.fit:
        clips = rendered(options.corpus, "train")
        drawn = np.random.default_rng(0).permutation(len(clips))[:TRAINED]
        np.save(PROFILES, fit([clips[n] for n in drawn]))
        descriptors._profiles.cache_clear()
    print(
        "| | tempo within 4 %, octaves forgiven | the octave too | key |\n| --- | --- | --- | --- |"
    )
    print(report("rendered clips of unseen styles", rendered(options.corpus, "test")))
    print(report("28 generated tracks", generated()))


if __name__ == "__main__":
    main()
