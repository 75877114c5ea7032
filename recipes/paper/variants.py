"""The trainings that the tables ask for, the most important first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SECONDS = 5.0
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Job:
    """A training: a file of `configs/` with changed settings, on clips of so many seconds."""

    name: str
    config: str = "base"
    seconds: float = SECONDS
    crop: bool = True
    augment: bool = True
    settings: tuple[str, ...] = ()
    seed: int = 0


BASE, SSL = "MusCALL", "SSL"
PRINTED = "loss weighting, Eq. 3"
NORMALISED = "loss weighting, Eq. 3 with mean one"
PUBLISHED = "loss weighting, as published"
AVERAGE = "average pooling"
BARE = "no random crop, no augmentation"
DEPTHS = (1, 2, 8)
LENGTHS = (2.5, 10.0, 20.0)


def depth(layers: int) -> str:
    """The name of a training with so many layers in the text encoder."""
    return BASE if layers == 4 else f"{layers} layer{'s' * (layers > 1)}"


def length(seconds: float, pooling: str) -> str:
    """The name of a training with clips of this length."""
    if seconds == SECONDS:
        return BASE if pooling == "attention" else AVERAGE
    return f"{seconds:g} s, {pooling} pooling"


TABLE_1 = (Job(BASE), Job("DCASE", "dcase"), Job("DCASE + CL", "dcase-cl"))
TABLE_4 = (
    Job("no random crop", crop=False),
    Job(AVERAGE, settings=("model.audio.pooling=average",)),
    Job("no augmentation", augment=False),
    Job(BARE, crop=False, augment=False),
    Job(PRINTED, "weighted"),
    Job(PUBLISHED, "weighted-published"),
    Job(NORMALISED, "weighted", settings=("loss.weighting=content",)),
)
# Two views of half a clip: what the paper had memory for (section 5.2).
TABLE_2 = (Job(SSL, "ssl", SECONDS / 2),)
FIGURE_3 = tuple(Job(depth(n), settings=(f"model.text.layers={n}",)) for n in DEPTHS) + tuple(
    Job(length(s, pooling), seconds=s, settings=(f"model.audio.pooling={pooling}",))
    for s in LENGTHS
    for pooling in ("attention", "average")
)


def jobs(names: Iterable[str] = ()) -> list[Job]:
    """Those of these names, or all, table by table and in each seed by seed."""
    names = set(names)
    return [
        Job(**{**vars(job), "seed": seed})
        for table in (TABLE_1, (*TABLE_4, *TABLE_2), FIGURE_3)
        for seed in SEEDS
        for job in table
        if not names or job.name in names
    ]
