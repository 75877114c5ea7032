"""Batches of clips and captions that depend only on the seed and the step.

Workers, processes and interruptions cannot change the training data: an item is identified by its
epoch and index, which seed everything random about it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from muscall.audio.decode import probe, read
from muscall.audio.inside import Sound
from muscall.audio.windows import Samples, centre_start, loop_to, random_start
from muscall.data.augment import Augment, AugmentConfig
from muscall.data.manifest import Row
from muscall.errors import AudioError, ConfigError, MuscallError
from muscall.processes import end_with_parent
from muscall.records import Record

logger = logging.getLogger("muscall")

Key = tuple[int, int]
"""Epoch and index of an item, both from 0."""


class DataConfig(Record):
    """The training data, and how clips are made of it (paper, section 4.2 and table 4)."""

    train: str = ""
    """Manifest to train on."""
    train_split: str | None = None
    """Only its rows of this split."""
    val: str = ""
    """Manifest to validate on."""
    val_split: str | None = None
    val_share: float = Field(default=0.0, ge=0, lt=1)
    """Share of the rows of `train` to validate on, if there is no `val`."""
    random_crop: bool = True
    """Cut the clip from a random place. False: from the centre of the track."""
    targets: str = ""
    """A teacher's vectors of these rows, for distillation; see `data.targets.read_targets`."""
    augment: AugmentConfig = AugmentConfig()
    workers: int = Field(default=2, ge=0)
    """Number of processes that decode and augment; 0 for the training process itself."""
    pin_memory: bool = True
    """Batches for a GPU lie in page-locked memory, so that steps do not wait for copies."""


@dataclass(frozen=True)
class Pair:
    """An item: `audio` (views, samples) float32, its caption, and the index of its row."""

    audio: Samples
    caption: str
    index: int


@dataclass(frozen=True)
class Batch:
    """Items: `audio` (views, n, samples) float32, n captions, `index` (n,) int64."""

    audio: Tensor
    captions: list[str]
    index: Tensor

    def pin_memory(self) -> Batch:
        """The batch in page-locked memory, for fast copies to a GPU."""
        return Batch(self.audio.pin_memory(), self.captions, self.index)


class PairDataset(Dataset[Pair]):
    """Clips of audio with captions, indexed by `(epoch, index)`.

    Each view has its own crop and augmentation. The caption is drawn from those of the row. Tracks
    that are shorter than a clip are repeated to fill it.

    Args:
        seconds: length of a clip.
        seed: at least 0.
        views: clips of each item.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        config: DataConfig,
        *,
        seconds: float,
        sample_rate: int,
        seed: int,
        views: int = 1,
    ) -> None:
        self.rows = rows
        self.seconds = seconds
        self.sample_rate = sample_rate
        self.seed = seed
        self.views = views
        self.random_crop = config.random_crop
        self.augment = Augment(config.augment, sample_rate) if config.augment.enabled else None
        self._durations: dict[Sound, float] = {}
        self._reported: set[Sound] = set()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Key) -> Pair:
        """The item at `index` in `epoch`.

        If a file cannot be decoded, it is logged once, and the item of the next decodable row is
        used instead.

        Raises:
            MuscallError: no file can be decoded.
        """
        epoch, index = key
        for place in range(index, index + len(self.rows)):
            try:
                return self._item(epoch, place % len(self.rows))
            except AudioError as error:
                if error.path not in self._reported:
                    self._reported.add(error.path)
                    logger.warning("%s (another row takes its place)", error)
        raise MuscallError(f"none of the {len(self.rows)} audio files can be decoded")

    def _item(self, epoch: int, index: int) -> Pair:
        row = self.rows[index]
        generators = [
            np.random.default_rng((self.seed, epoch, index, stream))
            for stream in range(1, self.views + 2)
        ]
        audio = np.stack([self._view(row, generator) for generator in generators[1:]])
        caption = generators[0].integers(len(row.captions))
        return Pair(audio, row.captions[caption], index)

    def _view(self, row: Row, generator: np.random.Generator) -> Samples:
        usable = self._usable_seconds(row)
        if self.random_crop:
            start = random_start(usable, self.seconds, generator)
        else:
            start = centre_start(usable, self.seconds)
        # Without a duration in the row, the crop ends at the end of the file.
        duration = self.seconds if row.duration is None else min(self.seconds, row.duration)
        samples = read(
            row.audio, start=row.start + start, duration=duration, sample_rate=self.sample_rate
        )
        clip = loop_to(samples, round(self.seconds * self.sample_rate))
        return self.augment(clip, int(generator.integers(2**32))) if self.augment else clip

    def _usable_seconds(self, row: Row) -> float:
        if row.duration is not None:
            return row.duration
        if row.audio not in self._durations:
            self._durations[row.audio] = probe(row.audio).duration
        return self._durations[row.audio] - row.start


class TrainSampler(Sampler[list[Key]]):
    """The keys of one process' share of each batch, for steps `start_step` to `total_steps` - 1.

    An epoch is a random order of the items. The last items, too few for a batch, are left out. The
    shares of all processes, one after the other, equal the batch of a single process.

    Raises:
        ConfigError: a batch is larger than the set, or has fewer micro-batches than processes.
    """

    def __init__(
        self,
        n_items: int,
        batch_size: int,
        *,
        seed: int,
        start_step: int,
        total_steps: int,
        micro_batch: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if batch_size > n_items:
            raise ConfigError(f"the batch size is {batch_size}, but there are {n_items} items")
        self.n_items = n_items
        self.batch_size = batch_size
        self.seed = seed
        self.steps = range(start_step, total_steps)
        shares = share_sizes(batch_size, micro_batch, world)
        self.start, self.size = sum(shares[:rank]), shares[rank]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[Key]]:
        epoch, order = -1, np.empty(0, np.int64)
        for step in self.steps:
            now, place = divmod(step, self.n_items // self.batch_size)
            if now != epoch:
                epoch = now
                order = np.random.default_rng((self.seed, epoch)).permutation(self.n_items)
            start = place * self.batch_size + self.start
            yield [(epoch, index) for index in order[start : start + self.size].tolist()]


def share_sizes(batch_size: int, micro_batch: int, world: int) -> list[int]:
    """How many consecutive items of a batch each of `world` processes takes.

    A share consists of whole micro-batches, over which batch norms take their statistics. So the
    number of processes does not change the result. Only the last micro-batch may be smaller.

    Raises:
        ConfigError: there are fewer micro-batches than processes.
    """
    starts = range(0, batch_size, micro_batch)
    if world > len(starts):
        raise ConfigError(
            f"{world} processes cannot share a batch of {batch_size} in micro-batches of"
            f" {micro_batch}: it has only {len(starts)}"
        )
    firsts = [int(part[0]) for part in np.array_split(starts, world)]
    return [end - first for first, end in zip(firsts, [*firsts[1:], batch_size], strict=True)]


def collate(pairs: Sequence[Pair]) -> Batch:
    """The batch of `pairs`, in their order."""
    return Batch(
        torch.from_numpy(np.stack([pair.audio for pair in pairs], axis=1)),
        [pair.caption for pair in pairs],
        torch.tensor([pair.index for pair in pairs]),
    )


def train_loader(
    dataset: PairDataset, sampler: TrainSampler, *, workers: int, pin_memory: bool = False
) -> DataLoader[Pair]:
    """Make the batches of `sampler` in `workers` processes, each two ahead; 0 for this process."""
    return DataLoader(
        dataset,
        batch_sampler=sampler,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=end_with_parent,
        pin_memory=pin_memory,
        # Its own, because a loader would draw from the global one, which the model uses.
        generator=torch.Generator(),
    )
