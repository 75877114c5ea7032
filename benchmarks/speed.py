"""Speed against the published design written plainly, in the same run.

    python benchmarks/speed.py [--quick] [--only train embed text help memory] [--out speed.json]

Each pair is measured in turn, A B A B, and the medians give the ratio: machines are noisy, ratios
of neighbours less so. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
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
from muscall.models.memory import keep_freed_memory
from muscall.models.muscall import MusCALL
from muscall.training.config import TrainConfig
from muscall.training.distributed import Group
from muscall.training.optimiser import build_optimiser
from muscall.training.step import ContrastiveStep

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
Prepare = Callable[[], Callable[[], object]]


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


class Competitor:
    """A process of its own that prepares something and runs it whenever it is told to.

    Of its own because what one does to the process, such as tuning the allocator, must not help
    the other.
    """

    def __init__(self, prepare: Prepare) -> None:
        self.pipe, other = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(target=_compete, args=(prepare, other), daemon=True)
        self.process.start()

    def run(self) -> float:
        """Seconds that a run took."""
        self.pipe.send(True)
        return float(self.pipe.recv())


def _compete(prepare: Prepare, pipe: Connection) -> None:
    torch.manual_seed(0)
    run = prepare()
    while pipe.recv():
        start = time.perf_counter()
        run()
        pipe.send(time.perf_counter() - start)


def in_turn(competitors: dict[str, Prepare], rounds: int) -> dict[str, float]:
    """Median seconds of each after a warm-up, measured in turn."""
    processes = {name: Competitor(prepare) for name, prepare in competitors.items()}
    seconds: dict[str, list[float]] = {name: [] for name in competitors}
    for turn in range(rounds + 1):
        for name, competitor in processes.items():
            took = competitor.run()
            if turn:
                seconds[name].append(took)
    for competitor in processes.values():
        competitor.process.kill()
    return {name: statistics.median(values) for name, values in seconds.items()}


def plain_step(augmented: bool) -> Callable[[], None]:
    """A training step of the plain design, with the published augmentation or without."""
    plain = Plain(MusCALL(ModelConfig())).train()
    audio, captions = clips(BATCH, 20), sentences(BATCH)
    optimiser = torch.optim.AdamW(
        plain.parameters(), lr=5e-5, weight_decay=0.2, foreach=False, fused=False
    )
    augment = audiomentations.Compose(
        [
            audiomentations.PolarityInversion(p=0.8),
            audiomentations.AddGaussianSNR(min_snr_db=6, max_snr_db=40, p=0.3),
            audiomentations.Gain(min_gain_db=-12, max_gain_db=0, p=0.2),
            audiomentations.PitchShift(-4, 4, p=0.4, method="librosa_phase_vocoder"),
        ]
    )

    def step() -> None:
        batch = [augment(clip, RATE) for clip in audio] if augmented else audio
        optimiser.zero_grad()
        plain.loss(torch.from_numpy(np.stack(batch)), captions).backward()
        optimiser.step()

    return step


def our_step(precision: str, augmented: bool) -> Callable[[], None]:
    """A training step as `muscall train` does it."""
    keep_freed_memory()
    model = MusCALL(ModelConfig()).train()
    audio, captions, index = clips(BATCH, 20), sentences(BATCH), torch.arange(BATCH)
    augment = Augment(AugmentConfig(), RATE)
    optimiser = build_optimiser(model, TrainConfig())
    contrastive = ContrastiveStep(
        model,
        LossConfig(),
        Group(),
        torch.device("cpu"),
        precision=precision,
        micro_batch=BATCH,
        gradient_caching=False,
    )

    def step() -> None:
        batch = [augment(clip, seed) for seed, clip in enumerate(audio)] if augmented else audio
        waveforms = torch.from_numpy(np.stack(batch)).unsqueeze(0)
        contrastive.gradients(Batch(waveforms, captions, index), 0, [BATCH])
        optimiser.step()

    return step


def train(rounds: int) -> list[Row]:
    """A training step at batch 32 with 20 s clips, with and without augmentation."""
    runs: dict[str, Prepare] = {
        "plain": partial(plain_step, augmented=False),
        "fp32": partial(our_step, "fp32", augmented=False),
        "bf16": partial(our_step, "bf16", augmented=False),
        "plain, augmented": partial(plain_step, augmented=True),
        "bf16, augmented": partial(our_step, "bf16", augmented=True),
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


def plain_encoder(kind: str) -> Callable[[], np.ndarray]:
    """Embedding of 64 clips or 256 sentences by the plain design."""
    plain = Plain(MusCALL(ModelConfig())).eval()
    if kind == "text":
        captions = sentences(8 * BATCH)
        return lambda: plain.encode_text(captions)
    audio = list(clips(2 * BATCH, 20))
    return lambda: plain.encode_audio(audio)


def our_encoder(kind: str, precision: torch.dtype) -> Callable[[], np.ndarray]:
    """The same by `encode_text` and `encode_audio`, as `muscall embed` does it."""
    keep_freed_memory()
    model = MusCALL(ModelConfig()).eval()
    model.precision = precision
    if kind == "text":
        captions = sentences(8 * BATCH)
        return lambda: model.encode_text(captions)
    pairs = [(clip, RATE) for clip in clips(2 * BATCH, 20)]
    return lambda: model.encode_audio(pairs, windows="centre")


def likeness(kind: str) -> float:
    """The smallest cosine between what the plain design gives and what bfloat16 does."""
    embeddings = []
    for prepare in (partial(plain_encoder, kind), partial(our_encoder, kind, torch.bfloat16)):
        torch.manual_seed(0)
        embeddings.append(prepare()())
    return float((embeddings[0] * embeddings[1]).sum(axis=1).min())


def encoding(kind: str, rounds: int, target: str) -> list[Row]:
    runs: dict[str, Prepare] = {
        "plain": partial(plain_encoder, kind),
        "fp32": partial(our_encoder, kind, torch.float32),
        "bf16": partial(our_encoder, kind, torch.bfloat16),
    }
    count = {"text": 8 * BATCH, "audio": 2 * BATCH}[kind]
    took = {name: count / seconds for name, seconds in in_turn(runs, rounds).items()}
    return [
        (f"{kind} embedding, fp32, items/s", took["plain"], took["fp32"], "-"),
        (
            f"{kind} embedding, bf16 (cosine at least {likeness(kind):.5f}), items/s",
            took["plain"],
            took["bf16"],
            target,
        ),
    ]


def embed(rounds: int) -> list[Row]:
    """Embedding the central 20 s of decoded tracks."""
    return encoding("audio", rounds, "5")


def text(rounds: int) -> list[Row]:
    """Embedding sentences."""
    return encoding("text", rounds, "8")


def nothing() -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", "0"], check=True)


def help_text() -> Callable[[], object]:
    command = [sys.executable, "-m", "muscall", "--help"]
    return lambda: subprocess.run(command, check=True, capture_output=True)


def help_(rounds: int) -> list[Row]:
    """How long `muscall --help` takes, beside an interpreter that does nothing."""
    took = in_turn({"python": nothing, "help": help_text}, 2 * rounds)
    return [("`muscall --help`, s (beside bare Python)", took["python"], took["help"], "< 0.3 s")]


MEMORY = """
import re, sys
import muscall
# Not getrusage: its peak is inherited from the process that started this one.
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
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
