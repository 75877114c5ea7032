from __future__ import annotations

import logging
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from muscall.data.augment import AugmentConfig
from muscall.data.dataset import (
    Batch,
    DataConfig,
    Pair,
    PairDataset,
    TrainSampler,
    collate,
    share_sizes,
    train_loader,
)
from muscall.data.manifest import Row
from muscall.errors import ConfigError, MuscallError

RATE = 8000
SECONDS = 0.5
LENGTH = 4000
PLAIN = DataConfig(augment=AugmentConfig(enabled=False))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Seven files of noise, so that each clip tells where it is from."""
    folder = tmp_path_factory.mktemp("noise")
    generator = np.random.default_rng(0)
    found = []
    for index in range(7):
        path = folder / f"{index}.{'flac' if index % 2 else 'wav'}"
        samples = np.round(generator.uniform(-0.5, 0.5, 2 * RATE + index) * 2**15) / 2**15
        soundfile.write(path, samples, RATE, subtype="PCM_16")
        found.append(Row(str(index), path, (f"first {index}", f"second {index}")))
    return found


def dataset(rows: list[Row], config: DataConfig = PLAIN, **options: Any) -> PairDataset:
    given = {"seconds": SECONDS, "sample_rate": RATE, "seed": 3} | options
    return PairDataset(rows, config, **given)


def whole(row: Row) -> np.ndarray:
    return soundfile.read(row.audio, dtype="float32")[0]


def place(clip: np.ndarray, row: Row) -> int:
    """The sample at which `clip` stands in the file."""
    track = whole(row)
    first = int(np.correlate(track, clip).argmax())
    np.testing.assert_allclose(clip, track[first : first + len(clip)], atol=1e-6)
    return first


def same(left: Pair, right: Pair) -> bool:
    return np.array_equal(left.audio, right.audio) and (left.caption, left.index) == (
        right.caption,
        right.index,
    )


KEYS = [(epoch, index) for epoch in range(3) for index in range(7)]


def test_an_item_depends_on_its_key_alone(rows: list[Row]) -> None:
    config = DataConfig()
    first = dataset(rows, config, views=2)
    expected = {key: first[key] for key in KEYS}
    other = pickle.loads(pickle.dumps(dataset(rows, config, views=2)))
    for key in reversed(KEYS):
        assert same(other[key], expected[key])
        assert same(first[key], expected[key])
    assert {pair.audio.shape for pair in expected.values()} == {(2, LENGTH)}
    assert {pair.audio.dtype for pair in expected.values()} == {np.dtype(np.float32)}


def test_seeds_epochs_and_views_differ(rows: list[Row]) -> None:
    data = dataset(rows, views=3)
    clips = [data[0, 0].audio, data[1, 0].audio, dataset(rows, views=3, seed=4)[0, 0].audio]
    starts = {place(clip, rows[0]) for views in clips for clip in views}
    assert len(starts) == 9


def test_a_further_view_does_not_change_the_others(rows: list[Row]) -> None:
    one, two = dataset(rows, DataConfig())[2, 5], dataset(rows, DataConfig(), views=2)[2, 5]
    np.testing.assert_array_equal(one.audio[0], two.audio[0])
    assert one.caption == two.caption


def test_captions_are_drawn(rows: list[Row]) -> None:
    data = dataset(rows)
    drawn = [data[epoch, 1].caption for epoch in range(40)]
    assert set(drawn) == {"first 1", "second 1"}
    assert 8 < drawn.count("first 1") < 32


def test_views_are_augmented_by_themselves(rows: list[Row]) -> None:
    augment = AugmentConfig(polarity=0.5, noise=0, gain=0, pitch_shift=0)
    data = dataset(rows, DataConfig(random_crop=False, augment=augment), views=2)
    track = whole(rows[0])
    centre = track[6000 : 6000 + LENGTH]
    signs = {
        tuple(int(np.sign((view * centre).sum())) for view in data[epoch, 0].audio)
        for epoch in range(30)
    }
    assert signs == {(1, 1), (1, -1), (-1, 1), (-1, -1)}


def test_crops_reach_all_of_the_usable_part_and_nothing_else(rows: list[Row]) -> None:
    part = replace(rows[0], start=0.25, duration=1.0)
    data = dataset([part])
    starts = [place(data[epoch, 0].audio[0], part) for epoch in range(60)]
    assert 2000 <= min(starts) < 2400
    assert 5600 < max(starts) <= 6000
    to_the_end = dataset([replace(rows[0], start=1.25)])
    starts = [place(to_the_end[epoch, 0].audio[0], rows[0]) for epoch in range(30)]
    assert 10000 <= min(starts) < 10400
    assert 11600 < max(starts) <= 12000


def test_without_random_crop_the_centre_is_taken(rows: list[Row]) -> None:
    config = PLAIN.model_copy(update={"random_crop": False})
    assert place(dataset(rows, config)[5, 0].audio[0], rows[0]) == 6000


def test_short_parts_are_repeated(rows: list[Row]) -> None:
    part = replace(rows[0], start=0.5, duration=0.2)
    clip = dataset([part])[0, 0].audio[0]
    np.testing.assert_allclose(clip, np.resize(whole(rows[0])[4000:5600], LENGTH), atol=1e-6)
    rest = replace(rows[0], start=1.9)
    clip = dataset([rest])[0, 0].audio[0]
    np.testing.assert_allclose(clip, np.resize(whole(rows[0])[15200:], LENGTH), atol=1e-6)


@pytest.fixture
def damaged(rows: list[Row], tmp_path: Path) -> list[Row]:
    """Rows 2 (not audio), 3 (starts after its end) and 6 (not there) cannot be decoded."""
    text = tmp_path / "text.wav"
    text.write_text("this is no audio file")
    return [
        *rows[:2],
        replace(rows[2], audio=text),
        replace(rows[3], start=100.0),
        *rows[4:6],
        replace(rows[6], audio=tmp_path / "gone.wav"),
    ]


def test_the_next_row_takes_the_place_of_a_bad_one(
    rows: list[Row], damaged: list[Row], caplog: pytest.LogCaptureFixture
) -> None:
    intact, data = dataset(rows, DataConfig()), dataset(damaged, DataConfig())
    with caplog.at_level(logging.WARNING, "muscall"):
        for epoch in range(3):
            for index, instead in enumerate([0, 1, 4, 4, 4, 5, 0]):
                assert same(data[epoch, index], intact[epoch, instead])
    warnings = [record.getMessage() for record in caplog.records if record.name == "muscall"]
    assert len(warnings) == 3
    for row, warning in zip((damaged[2], damaged[3], damaged[6]), warnings, strict=True):
        assert warning.startswith(str(row.audio))
        assert "\n" not in warning


def test_without_any_good_row_training_ends(damaged: list[Row]) -> None:
    with pytest.raises(MuscallError, match="none of the 2 audio files"):
        dataset(damaged[2:4])[0, 0]


def sampler(n_items: int, batch_size: int, **options: int) -> TrainSampler:
    given = {"seed": 1, "start_step": 0, "total_steps": 12, "micro_batch": 2}
    return TrainSampler(n_items, batch_size, **(given | options))


@settings(deadline=None)
@given(n_items=st.integers(1, 60), batch_size=st.integers(1, 60), seed=st.integers(0, 2**40))
def test_an_epoch_holds_every_item_at_most_once(n_items: int, batch_size: int, seed: int) -> None:
    if batch_size > n_items:
        with pytest.raises(ConfigError, match=f"{batch_size}.*{n_items}"):
            sampler(n_items, batch_size)
        return
    steps = n_items // batch_size
    batches = list(sampler(n_items, batch_size, seed=seed, total_steps=3 * steps))
    assert len(batches) == 3 * steps
    assert {len(batch) for batch in batches} == {batch_size}
    for epoch in range(3):
        keys = [key for batch in batches[epoch * steps : (epoch + 1) * steps] for key in batch]
        assert {key[0] for key in keys} == {epoch}
        assert len({key[1] for key in keys}) == steps * batch_size
        assert {key[1] for key in keys} <= set(range(n_items))


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    first, second = sampler(100, 100, total_steps=2)
    (other,) = sampler(100, 100, total_steps=1, seed=2)
    orders = [[index for _, index in batch] for batch in (first, second, other)]
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert orders[0] != sorted(orders[0])


@settings(deadline=None)
@given(
    batch_size=st.integers(1, 50),
    micro_batch=st.integers(1, 20),
    world=st.integers(1, 8),
    start=st.integers(0, 12),
)
def test_processes_share_the_batch_of_one(
    batch_size: int, micro_batch: int, world: int, start: int
) -> None:
    micro_batches = -(-batch_size // micro_batch)
    if world > micro_batches:
        with pytest.raises(ConfigError, match=f"{world} processes.*only {micro_batches}"):
            share_sizes(batch_size, micro_batch, world)
        return
    single = list(sampler(130, batch_size, micro_batch=micro_batch))
    options = {"micro_batch": micro_batch, "start_step": start, "world": world}
    parts = [list(sampler(130, batch_size, rank=rank, **options)) for rank in range(world)]
    joined = [[key for part in step for key in part] for step in zip(*parts, strict=True)]
    assert joined == single[start:]
    sizes = share_sizes(batch_size, micro_batch, world)
    assert all(
        [len(batch) for batch in part] == [size] * (12 - start)
        for part, size in zip(parts, sizes, strict=True)
    )
    assert all(size % micro_batch == 0 for size in sizes[:-1])
    assert max(sizes) - min(sizes) < 2 * micro_batch


def batches(rows: list[Row], workers: int, **options: int) -> list[Batch]:
    data = dataset(rows, DataConfig(), views=2)
    loader = train_loader(data, sampler(len(rows), 3, **options), workers=workers)
    return list(loader)


def test_workers_and_interruptions_change_nothing(rows: list[Row], damaged: list[Row]) -> None:
    for these in (rows, damaged):
        expected = batches(these, 0, total_steps=6)
        for start, workers in ((0, 1), (0, 2), (4, 2), (4, 0)):
            got = batches(these, workers, start_step=start, total_steps=6)
            assert len(got) == 6 - start
            for left, right in zip(got, expected[start:], strict=True):
                assert torch.equal(left.audio, right.audio)
                assert left.captions == right.captions
                assert torch.equal(left.index, right.index)


def test_a_loader_leaves_the_generator_of_the_model_alone(rows: list[Row]) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    batches(rows, 0, total_steps=2)
    assert torch.equal(torch.rand(3), expected)


def test_a_batch_keeps_the_order_of_its_items(rows: list[Row]) -> None:
    data = dataset(rows, views=2)
    pairs = [data[0, index] for index in (4, 0, 2)]
    batch = collate(pairs)
    assert batch.audio.shape == (2, 3, LENGTH)
    assert batch.audio.dtype == torch.float32
    for place, pair in enumerate(pairs):
        np.testing.assert_array_equal(batch.audio[:, place].numpy(), pair.audio)
    assert batch.captions == [pair.caption for pair in pairs]
    assert batch.index.tolist() == [4, 0, 2]
    assert batch.index.dtype == torch.int64
