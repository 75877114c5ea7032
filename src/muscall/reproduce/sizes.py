"""How large the trainings of a sweep are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

FITTED = (
    "train.recompute=false",
    "train.warmup=0.05",
)
PACE = ("train.lr=3e-4",)
"""For trainings that are hundreds of times shorter than the paper's. After 200 steps 1e-4 and 1e-3
are behind, and 2e-3 learns nothing (docs/experiments.md). The baseline has its own.
"""


@dataclass(frozen=True)
class Size:
    """What every training of a sweep has in common.

    `rows` are how many of each split are used at most, `seconds` the length of a clip. `settings`
    change every configuration, `encoders` those with the paper's encoders. The others are what
    the studies vary: layers of the text encoder, seconds of a clip, pairs in a batch, and shares
    of the rows to train on.
    """

    name: str
    told: str
    rows: Mapping[str, int]
    seconds: float
    batch: int
    steps: int
    settings: tuple[str, ...]
    depths: tuple[int, ...]
    lengths: tuple[float, ...]
    batches: tuple[int, ...]
    shares: tuple[float, ...]
    encoders: tuple[str, ...] = ()

    @property
    def overrides(self) -> list[str]:
        """All that it changes in a configuration."""
        return [
            *self.settings,
            f"model.audio.window_seconds={self.seconds:g}",
            f"train.batch_size={self.batch}",
            f"train.steps={self.steps}",
            f"train.validate_every={-(-self.steps // 4)}",
        ]


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
SIZES = {size.name: size for size in (FULL, REDUCED, SHORT, TINY)}
