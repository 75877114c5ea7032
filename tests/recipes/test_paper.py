"""The paper's tables on a GPU: what is drawn, how spectrograms are changed, and that all trains."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from muscall.audio.mel import LogMel
from muscall.audio.mel_config import MelConfig
from muscall.data.augment import AugmentConfig
from recipes.paper import page, prepare, scores, variants
from recipes.paper.augment import MelAugment
from recipes.paper.train import Pairs, train

QUIET = AugmentConfig(noise=0, gain=0, pitch_shift=0)
CPU = torch.device("cpu")


def clip(number: int, groove: str, *captions: str) -> dict:
    source = {"style_file": "rock", "groove": groove}
    return {"id": str(number), "part": "grooves", "source": source, "caption": captions}


def test_no_track_is_both_held_out_and_trained_on() -> None:
    rows = [clip(n, f"groove {n % 20}", "short", f"a longer caption {n}") for n in range(100)]
    drawn = prepare.draw(rows, {"test": 6, "val": 3})
    tracks = {
        split: [prepare.track(row) for row in drawn if row["split"] == split]
        for split in ("test", "val", "train")
    }
    assert [len(set(tracks[split])) for split in tracks] == [6, 3, 11]
    assert [len(tracks[split]) for split in tracks] == [6, 3, 55]
    assert not set(tracks["test"]) & set(tracks["train"])
    assert drawn == prepare.draw(rows[::-1], {"test": 6, "val": 3})
    assert all(len(row["caption"]) == (2 if row["split"] == "train" else 1) for row in drawn)
    assert drawn[0]["caption"][0].startswith("a longer caption")


def spectrogram(sound: np.ndarray) -> torch.Tensor:
    return LogMel(MelConfig())(torch.from_numpy(sound.astype(np.float32))[None])


def tone(hz: float) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(32000) / 16000)


def changed(mel: torch.Tensor, **changes: object) -> torch.Tensor:
    config = QUIET.model_copy(update=changes)
    return MelAugment(CPU, config)(mel, torch.Generator().manual_seed(0))


def test_without_a_change_a_spectrogram_stays_as_it_is() -> None:
    mel = spectrogram(tone(440))
    torch.testing.assert_close(changed(mel), mel)


@pytest.mark.parametrize("semitones", [-4.0, 4.0])
def test_a_shifted_tone_is_where_the_higher_or_lower_tone_is(semitones: float) -> None:
    bounds = (semitones, semitones)
    shifted = changed(spectrogram(tone(880)), pitch_shift=1, semitones=bounds)[0, :, 20]
    other = spectrogram(tone(880 * 2 ** (semitones / 12)))[0, :, 20]
    assert abs(int(shifted.argmax()) - int(other.argmax())) <= 1


def test_noise_is_as_loud_as_in_the_waveform() -> None:
    noise = np.random.default_rng(0).normal(size=32000) * math.sqrt(0.125 / 10)
    noisy = changed(spectrogram(tone(440)), noise=1, noise_snr_db=(10.0, 10.0))
    expected = spectrogram(tone(440) + noise)
    assert (noisy - expected).mean(dim=(0, 2))[40:].abs().max() < 2


def test_gain_moves_all_alike() -> None:
    mel = spectrogram(tone(440))
    torch.testing.assert_close(changed(mel, gain=1, gain_db=(-6.0, -6.0)), mel - 6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pairs as recipes.paper.prepare leaves them."""
    folder = tmp_path_factory.mktemp("pairs")
    random = np.random.default_rng(0)
    captions = [f"a {word} tune" for word in ("calm", "fast", "dark", "bright") * 3]
    splits = ["test"] * 4 + ["val"] * 2 + ["train"] * 6
    rows = [
        {"id": str(n), "split": split, "caption": [caption]}
        for n, (split, caption) in enumerate(zip(splits, captions, strict=True))
    ]
    vocabulary = ["calm", "fast", "tune"]
    (folder / "rows.json").write_text(json.dumps({"rows": rows, "vocabulary": vocabulary}))
    np.save(folder / "mels.npy", random.integers(0, 255, (12, 128, 160), np.uint8))
    sentences = random.normal(size=(12, 8)).astype(np.float32)
    np.savez(
        folder / "text.npz",
        tokens=prepare.tokens_of(captions),
        words=prepare.word_numbers(captions, vocabulary),
        sentences=sentences / np.linalg.norm(sentences, axis=1, keepdims=True),
        labels=prepare.tokens_of(["calm", "fast"]),
        vectors=random.normal(size=(4, 300)).astype(np.float32),
    )
    return folder


@pytest.mark.parametrize("name", [variants.BASE, "DCASE", variants.SSL, variants.PUBLISHED])
def test_every_kind_of_training_is_scored(folder: Path, name: str) -> None:
    job = next(job for job in variants.jobs([name]))
    found = train(Pairs(folder, CPU), job, folder, batch=4, steps=2)
    assert np.isfinite(found["loss"]).all()
    assert 0 <= found["T2A"]["R@10"] <= 100
    assert len(found["ranks"]["A2T"]) == 4
    assert [step for step, _ in found["validation_R@10"]] == [1, 2]
    kept = folder / f"kept-{name}-0.npz"
    assert kept.exists() == (name in (variants.BASE, variants.SSL))


def test_tables_come_in_order_and_seed_by_seed() -> None:
    told = variants.jobs()
    assert [(job.name, job.seed) for job in told[:4]] == [
        ("MusCALL", 0), ("DCASE", 0), ("DCASE + CL", 0), ("MusCALL", 1),
    ]  # fmt: skip
    assert len({(job.name, job.seed) for job in told}) == len(told) == 60


def trained(name: str, seed: int, ranks: list[int]) -> dict:
    values = {"R@1": 1.0, "R@5": 5.0, "R@10": 10.0, "mAP10": 3.0, "MedR": 40.0}
    both = {"T2A": ranks, "A2T": ranks}
    return {
        "name": name,
        "seed": seed,
        "loss": [5.0, 4.0],
        "T2A": values,
        "A2T": values,
        "ranks": both,
    }


def test_a_difference_that_all_seeds_and_queries_share_holds() -> None:
    runs = {
        "MusCALL": [trained("MusCALL", seed, [1] * 150 + [50] * 50) for seed in range(3)],
        "DCASE": [
            trained("DCASE", seed, [1] * (50 + seed) + [50] * (150 - seed)) for seed in (2, 0, 1)
        ],
    }  # fmt: skip
    apart = scores.summary(scores.paired(runs, "MusCALL", "DCASE"))
    assert apart["mean"] == pytest.approx(100 * (100 + 99 + 98) / 3 / 200)
    assert apart["low"] < apart["mean"] < apart["high"]
    assert page.verdict(apart) == "holds"
    assert page.verdict(scores.summary(scores.paired(runs, "DCASE", "MusCALL"))) == "does not hold"
    assert page.same(apart) == "does not hold"
    equal = scores.summary(scores.paired(runs, "MusCALL", "MusCALL"))
    assert page.verdict(equal) == "not decided"
    assert page.same(equal) == "holds"


def test_claims_are_judged_of_what_is_there() -> None:
    runs = {name: [trained(name, seed, [1, 20] * 40) for seed in range(3)]
            for name in (variants.BASE, "DCASE")}  # fmt: skip
    ((words, _, says),) = page.claims(runs)
    assert words == "MusCALL is above the DCASE baseline"
    assert says == "not decided"
    runs["MusCALL"][1]["loss"] = [1e34, float("nan")]
    ((_, _, says),) = page.claims(runs)
    assert says == "does not hold: it diverges"
    assert "| MusCALL | diverged |" in page.table(runs, ["MusCALL", "DCASE"], {})
