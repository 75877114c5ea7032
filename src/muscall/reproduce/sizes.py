"""How large the trainings of a sweep are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

FITTED = (
    "train.gradient_caching=false",
    "train.warmup=0.05",
)
PACE = ("train.lr=3e-4",)
"""For trainings that are hundreds of times shorter than the paper's. After 200 steps 1e-4 and 1e-3
are behind, and 2e-3 learns nothing (docs/experiments.md). The baseline has its own.
"""


@dataclass(frozen=True)
class Size:
    """What every training of a sweep has in common.

    `rows` are how many of each split are used at most, `seconds` the length of a clip. A training
    takes so many `steps` at this batch, or else `epochs`, and validates so many times. `settings`
    change every configuration, `encoders` those with the paper's encoders. The others are what
    the studies vary: layers of the text encoder, seconds of a clip, pairs in a batch, and shares
    of the rows to train on.
    """

    name: str
    told: str
    rows: Mapping[str, int]
    seconds: float
    batch: int
    settings: tuple[str, ...]
    depths: tuple[int, ...]
    lengths: tuple[float, ...]
    batches: tuple[int, ...]
    shares: tuple[float, ...]
    encoders: tuple[str, ...] = ()
    steps: int = 0
    epochs: int = 0
    validations: int = 4

    @property
    def length(self) -> str:
        """How long a training is, for a page."""
        return f"{self.epochs} epochs" if self.epochs else f"{self.steps:,} steps"

    def overrides(self, rows: int, batch: int | None = None) -> list[str]:
        """All that it changes in a configuration for a training on `rows` pairs.

        As many pairs are seen whatever the `batch`, so larger ones take fewer steps.
        """
        batch = batch or self.batch
        steps = self.epochs * (rows // batch) or self.batch * self.steps // batch or 1
        return [
            *self.settings,
            f"model.audio.window_seconds={self.seconds:g}",
            f"train.batch_size={batch}",
            f"train.steps={steps}",
            f"train.validate_every={-(-steps // self.validations)}",
        ]


PAPER = Size(
    name="paper",
    told="the paper's own training: 250,000 pairs, GPUs, days",
    rows={"train": 200_000, "val": 25_000, "test": 1000},
    seconds=20,
    batch=256,
    epochs=150,
    validations=150,
    settings=(
        "train.micro_batch=256",
        "train.gradient_caching=false",
        "train.warmup=0",
        "train.clip_norm=null",
        "train.betas=[0.9, 0.999]",
        "train.eps=1e-8",
    ),
    depths=(1, 2, 4, 8, 12),
    lengths=(5, 10, 20),
    batches=(64, 128, 256, 512),
    shares=(1 / 16, 1 / 8, 1 / 4, 1 / 2, 1),
)
"""As section 4.2 says it; docs/deviations.md says where the configurations themselves differ."""
FULL = Size(
    name="full",
    told="one GPU",
    rows={"train": 20_000, "val": 1000, "test": 1000},
    seconds=10,
    batch=256,
    steps=500,
    settings=(*FITTED, "train.micro_batch=64"),
    depths=(1, 2, 4, 8, 12),
    lengths=(2.5, 5, 10, 20),
    batches=(64, 128, 256, 512, 1024),
    shares=(1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1),
    encoders=PACE,
)
REDUCED = Size(
    name="reduced",
    told="two processor cores, overnight",
    rows={"train": 4000, "val": 500, "test": 1000},
    seconds=5,
    batch=64,
    steps=600,
    settings=(*FITTED, "train.micro_batch=32"),
    depths=(1, 2, 4, 8),
    lengths=(1.25, 2.5, 5, 10),
    batches=(16, 32, 64, 128),
    shares=(1 / 16, 1 / 8, 1 / 4, 1 / 2, 1),
    encoders=PACE,
)
SHORT = replace(REDUCED, name="short", told="two processor cores, two hours", steps=200)
TINY = Size(
    name="tiny",
    told="a trial of the commands, on a few clips",
    rows={"train": 64, "val": 16, "test": 32},
    seconds=2,
    batch=8,
    steps=2,
    settings=(*FITTED, "train.micro_batch=4", "train.precision=fp32"),
    encoders=(
        "model.dim=16",
        "model.audio.width=4",
        "model.audio.blocks=[1, 1, 1, 1]",
        "model.audio.heads=2",
        "model.audio.features=16",
        "model.text.width=32",
        "model.text.layers=1",
        "model.text.heads=2",
    ),
    depths=(1, 2),
    lengths=(1, 2),
    batches=(4, 8),
    shares=(1 / 4, 1 / 2, 1),
)
SIZES = {size.name: size for size in (PAPER, FULL, REDUCED, SHORT, TINY)}
