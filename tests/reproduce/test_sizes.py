"""What a size makes of a configuration."""

import math
from pathlib import Path

import pytest

from muscall.reproduce.sizes import PAPER, SIZES, TINY, Size
from muscall.reproduce.studies import STUDIES
from muscall.training import Config
from muscall.training.optimiser import learning_rate

CONFIGS = Path(__file__).parents[2] / "configs"


def test_the_papers_size_is_section_4_2() -> None:
    config = Config.read(CONFIGS / "base.yaml", PAPER.overrides(PAPER.rows["train"]))
    train = config.train
    assert sum(PAPER.rows[split] for split in ("train", "val")) == 0.9 * 250_000
    assert train.steps == 150 * (200_000 // 256)
    assert train.validate_every == 200_000 // 256
    assert (train.batch_size, train.micro_batch) == (256, 256)
    assert config.model.audio.window_seconds == 20
    assert (train.weight_decay, train.betas, train.eps) == (0.2, (0.9, 0.999), 1e-8)
    assert learning_rate(0, train.steps, train) == 5e-5
    assert train.clip_norm in (None, math.inf)


def test_epochs_of_all_250000_pairs_are_as_many_steps() -> None:
    assert "train.steps=146400" in PAPER.overrides(250_000)
    assert "train.steps=585900" in PAPER.overrides(250_000, batch=64)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_every_variant_of_every_study_is_a_configuration(size: Size) -> None:
    for study in STUDIES.values():
        for variant in study.variants(size):
            rows = round(variant.share * size.rows["train"])
            changes = [*size.overrides(rows, variant.batch), *variant.settings]
            config = Config.read(CONFIGS / f"{variant.config}.yaml", changes)
            assert config.train.batch_size == (variant.batch or size.batch) <= rows
            assert config.train.steps * config.train.batch_size <= max(
                150 * rows, size.steps * size.batch
            )


def test_larger_batches_take_fewer_steps() -> None:
    steps = [
        next(change for change in TINY.overrides(64, batch) if change.startswith("train.steps"))
        for batch in (4, 8, 16)
    ]
    assert steps == ["train.steps=4", "train.steps=2", "train.steps=1"]
