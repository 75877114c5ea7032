"""Speed against the published design written plainly, in the same run.

    python benchmarks/speed.py [--quick] [--only train embed text help memory] [--out speed.json]

Each pair is measured in turn, A B A B, and the medians give the ratio: machines are noisy, ratios
of neighbours less so. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import audiomentations
import numpy as np
import soundfile
import torch
from plain import Plain
from rich.console import Console

from muscall.data.augment import Augment, AugmentConfig
from muscall.data.dataset import Batch
from muscall.losses import LossConfig
from muscall.models.config import ModelConfig
from muscall.models.muscall import MusCALL
from muscall.training.config import TrainConfig
from muscall.training.distributed import Group
from muscall.training.engine import Engine
from muscall.training.optimiser import build_optimiser

RATE, BATCH = 16000, 32
WORDS = [
    "slow",
    "calm",
    "jazz",
    "piano",
    "with",
    "soft",
    "drums",
    "and",
    "a",
    "warm",
    "bass",
    "for",
    "late",
    "evenings",
    "in",
    "minor",
]
Row = tuple[str, float, float, str]


def sentences(count: int) -> list[str]:
    """Captions of 8 to 20 words."""
    draw = random.Random(0)
    return [" ".join(draw.choices(WORDS, k=draw.randint(8, 20))) for _ in range(count)]


def clips(count: int, seconds: float) -> np.ndarray:
    """Noise with a tone, (count, samples) float32."""
    generator = np.random.default_rng(0)
    time_axis = np.arange(round(seconds * RATE)) / RATE
    tones = [0.2 * np.sin(2 * np.pi * 110 * (n % 20 + 1) * time_axis) for n in range(count)]
    noise = 0.05 * generator.standard_normal((count, len(time_axis)))
    return (np.stack(tones) + noise).astype(np.float32)


def in_turn(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each after a warm-up, measured in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def train(rounds: int) -> list[Row]:
    """A training step at batch 32 with 20 s clips, with and without augmentation."""
    model = MusCALL(ModelConfig())
    audio = clips(BATCH, 20)
    captions = sentences(BATCH)
    plain = Plain(model).train()
    plain_optimiser = torch.optim.AdamW(
        plain.parameters(), lr=5e-5, weight_decay=0.2, foreach=False, fused=False
    )
    published_augmentation = audiomentations.Compose(
        [
            audiomentations.PolarityInversion(p=0.8),
            audiomentations.AddGaussianSNR(min_snr_db=6, max_snr_db=40, p=0.3),
            audiomentations.Gain(min_gain_db=-12, max_gain_db=0, p=0.2),
            audiomentations.PitchShift(-4, 4, p=0.4, method="librosa_phase_vocoder"),
        ]
    )
    augment = Augment(AugmentConfig(), RATE)

    def plain_step(augmented: bool = False) -> None:
        batch = [published_augmentation(clip, RATE) for clip in audio] if augmented else audio
        plain_optimiser.zero_grad()
        plain.loss(torch.from_numpy(np.stack(batch)), captions).backward()
        plain_optimiser.step()

    def our_step(precision: str, augmented: bool = False) -> Callable[[], None]:
        model.train()
        optimiser = build_optimiser(model, TrainConfig())
        engine = Engine(
            model,
            LossConfig(),
            Group(),
            torch.device("cpu"),
            precision=precision,
            micro_batch=BATCH,
            recompute=False,
        )
        index = torch.arange(BATCH)

        def step() -> None:
            batch = [augment(clip, seed) for seed, clip in enumerate(audio)] if augmented else audio
            waveforms = torch.from_numpy(np.stack(batch)).unsqueeze(0)
            engine.gradients(Batch(waveforms, captions, index), 0, [BATCH])
            optimiser.step()

        return step

    runs = {
        "plain": plain_step,
        "fp32": our_step("fp32"),
        "bf16": our_step("bf16"),
        "plain, augmented": lambda: plain_step(augmented=True),
        "bf16, augmented": our_step("bf16", augmented=True),
    }
    took = {name: BATCH / seconds for name, seconds in in_turn(runs, rounds).items()}
    return [
        ("training step, fp32, pairs/s", took["plain"], took["fp32"], "2"),
        ("training step, bf16, pairs/s", took["plain"], took["bf16"], "4"),
        (
            "training step, bf16, augmented, pairs/s",
            took["plain, augmented"],
            took["bf16, augmented"],
            "8",
        ),
    ]


def embed(rounds: int) -> list[Row]:
    """Embedding the central 20 s of decoded tracks."""
    model = MusCALL(ModelConfig()).eval()
    plain = Plain(model).eval()
    audio = list(clips(2 * BATCH, 20))
    pairs = [(clip, RATE) for clip in audio]
    exact = plain.encode_audio(audio)
    likeness = (exact * model.encode_audio(pairs, windows="centre")).sum(axis=1).min()

    def ours(precision: torch.dtype) -> Callable[[], None]:
        def run() -> None:
            model.precision = precision
            model.audio_embedder()
            model.encode_audio(pairs, windows="centre")

        return run

    runs = {
        "plain": lambda: plain.encode_audio(audio),
        "fp32": ours(torch.float32),
        "bf16": ours(torch.bfloat16),
    }
    took = {name: len(audio) / seconds for name, seconds in in_turn(runs, rounds).items()}
    return [
        ("audio embedding, fp32, clips/s", took["plain"], took["fp32"], "-"),
        (
            f"audio embedding, bf16 (cosine at least {likeness:.5f}), clips/s",
            took["plain"],
            took["bf16"],
            "5",
        ),
    ]


def text(rounds: int) -> list[Row]:
    """Embedding sentences."""
    model = MusCALL(ModelConfig()).eval()
    plain = Plain(model).eval()
    captions = sentences(8 * BATCH)
    likeness = (plain.encode_text(captions) * model.encode_text(captions)).sum(axis=1).min()
    runs = {
        "plain": lambda: plain.encode_text(captions),
        "ours": lambda: model.encode_text(captions),
    }
    took = {name: len(captions) / seconds for name, seconds in in_turn(runs, rounds).items()}
    what = f"text embedding (cosine at least {likeness:.5f}), sentences/s"
    return [(what, took["plain"], took["ours"], "8")]


def help_(rounds: int) -> list[Row]:
    """How long `muscall --help` takes, beside an interpreter that does nothing."""
    runs = {
        "python": lambda: subprocess.run([sys.executable, "-c", "0"], check=True),
        "help": lambda: subprocess.run(
            [sys.executable, "-m", "muscall", "--help"], check=True, capture_output=True
        ),
    }
    took = in_turn(runs, 2 * rounds)
    return [("`muscall --help`, s (beside bare Python)", took["python"], took["help"], "< 0.3 s")]


MEMORY = """
import resource, sys
import muscall
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
model = muscall.load()
model.encode_audio([sys.argv[1]])
idle = peak()
model.encode_audio([sys.argv[2]])
print(idle, peak())
"""


def memory(_: int) -> list[Row]:
    """Peak memory of embedding a 2-hour file, beside that after a file of 20 s."""
    with tempfile.TemporaryDirectory() as folder:
        short, long = Path(folder) / "short.flac", Path(folder) / "long.flac"
        minute = clips(1, 60)[0]
        soundfile.write(short, minute[: 20 * RATE], RATE)
        with soundfile.SoundFile(long, "w", RATE, 1) as file:
            for _minute in range(120):
                file.write(minute)
        command = [sys.executable, "-c", MEMORY, str(short), str(long)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    idle, peak = map(float, done.stdout.split())
    what = f"peak memory of a 2-hour file, MiB above the {idle:.0f} before it"
    return [(what, idle, peak - idle, "< 600 MiB")]


PARTS = {"train": train, "embed": embed, "text": text, "help": help_, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed against the plain published design.")
    parser.add_argument("--quick", action="store_true", help="two rounds instead of five")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, help="JSON to write the numbers into")
    options = parser.parse_args()
    torch.manual_seed(0)
    rows: list[Row] = []
    for part in options.only:
        with Console(stderr=True).status(part):
            rows += PARTS[part](2 if options.quick else 5)
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}\n")
    print("| what | plain | ours | ours / plain | target |\n|---|---|---|---|---|")
    for what, plain, ours, target in rows:
        print(f"| {what} | {plain:.3g} | {ours:.3g} | {ours / plain:.2f} | {target} |")
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
