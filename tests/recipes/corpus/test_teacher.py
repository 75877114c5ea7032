"""The teacher of the open corpus: the tagger musicnn, and captions from what it hears."""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from torch import Tensor

from muscall.errors import AudioError
from muscall.models.inference import Segment
from recipes.corpus import acoustics
from recipes.corpus.captions import tags
from recipes.corpus.teacher import calibration, concepts, tagging

RATE = 16000
QUANTITIES = ("onsets", "drums", "pulse", "level", "swing", "brightness")


@pytest.fixture
def calibrated(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`teacher.calibration`, for recordings in which every score from 0 to 0.5 is as frequent."""
    module = calibration
    rising, falling = list(np.linspace(0, 0.5, 21)), list(np.linspace(-0.5, 0, 21))
    quantiles = {
        name: rising if getattr(concept, "much", True) else falling
        for name, concept in module.CONCEPTS.items()
    }
    monkeypatch.setattr(module, "calibration", lambda: quantiles)
    return module


def tune(seconds: float, seed: int = 0) -> np.ndarray:
    """Noisy tones, a new one every half second; (n,) float32."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = generator.uniform(100, 2000, int(seconds * 2) + 1)[(2 * time).astype(int)]
    samples = 0.3 * np.sin(2 * np.pi * pitch * time) + 0.01 * generator.normal(size=time.size)
    return np.asarray(samples, np.float32)


def probabilities(**high: float) -> dict[str, float]:
    """What is named by `high`; of all other tags 0.01, of all other quantities the middle."""
    usual = dict.fromkeys(tagging.NAMES, 0.01) | dict.fromkeys(QUANTITIES, 0.25)
    return {
        name: high.get(name.replace("/", "_").replace(" ", "_"), value)
        for name, value in usual.items()
    }


def test_equals_the_original(reference: Callable[[str], dict[str, Tensor]]) -> None:
    recorded = reference("musicnn")
    samples = recorded["samples"].numpy().astype(np.float32) / 32768
    found, features = tagging.taggram((samples, RATE))
    assert found.shape == (1, 100)
    # The original rounds its mel power to float16.
    np.testing.assert_allclose(found, recorded["probabilities"].numpy(), atol=2e-4)
    np.testing.assert_allclose(features, recorded["features"].numpy(), atol=1e-3)


def test_a_segment_is_that_part_of_its_file(tmp_path: Path) -> None:
    samples = tune(9)
    path = tmp_path / "tune.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    segment = Segment(path, start=2.0, duration=3.5)
    found, features = tagging.tags([path, segment, (samples[2 * RATE : 11 * RATE // 2], RATE)])
    assert found.shape == (3, 100)
    assert features.shape == (3, 400)
    np.testing.assert_allclose(found[1], found[2], atol=1e-6)
    assert np.abs(found[0] - found[1]).max() > 0.01
    alone, _ = tagging.tags([path])
    np.testing.assert_allclose(alone[0], found[0], atol=1e-6)
    assert ((found >= 0) & (found <= 1)).all()


def test_a_short_sound_is_repeated() -> None:
    second = tune(1)
    once, _ = tagging.taggram((second, RATE))
    thrice, _ = tagging.taggram((np.tile(second, 3), RATE))
    np.testing.assert_allclose(once, thrice, atol=1e-6)


@pytest.mark.parametrize("samples", [np.zeros(0), np.full(RATE, np.nan)])
def test_samples_that_are_none_are_refused(samples: np.ndarray) -> None:
    with pytest.raises(AudioError, match="samples"):
        tagging.tags([(samples, RATE)])


def test_many_files_stop_and_resume(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / f"{number}.wav" for number in range(3)]
    for seed, path in enumerate(paths):
        soundfile.write(path, tune(3, seed), RATE)
    broken = tmp_path / "broken.wav"
    broken.write_text("no sound")
    store = tmp_path / "tags.npz"

    stopped = tagging.listen(paths, store, every=2)
    assert [next(stopped)[1], next(stopped)[1]] == paths[:2]
    stopped.close()
    assert [path for _, path in tagging.listen([*paths, broken], store)] == paths[2:]
    assert "broken.wav" in capsys.readouterr().err
    with np.load(store) as table:
        assert table["paths"].tolist() == [str(path) for path in paths]
        expected, _ = tagging.tags(paths)
        np.testing.assert_allclose(table["probabilities"], expected, atol=1e-6)
        assert table["features"].shape == (3, 400)


def test_every_concept_is_made_of_known_tags_or_quantities() -> None:
    fields = {field.name for field in dataclasses.fields(acoustics.Measured)}
    assert fields == set(QUANTITIES)
    for concept in concepts.CONCEPTS.values():
        assert set(concept.tags) <= fields | set(tagging.NAMES)
        assert set(concept.within) <= concepts.CONCEPTS.keys()
    named = {name for pair in concepts.CONTRADICTIONS for side in pair for name in side}
    assert named <= concepts.CONCEPTS.keys()


@pytest.mark.usefixtures("calibrated")
def test_nothing_is_said_where_nothing_is_sure() -> None:
    assert tags.captions(probabilities(), random.Random(0)) == []


def test_what_stands_out_or_is_beyond_doubt_is_stated(calibrated: Any) -> None:
    heard = probabilities(mtt_piano=0.45, mtt_slow=0.9, mtt_flute=0.3)
    assert set(calibrated.stated(heard)) == {"piano", "slow"}


def test_a_quantity_is_stated_where_it_is_rare(calibrated: Any) -> None:
    heard = probabilities(onsets=0.45, brightness=0.02, mtt_piano=0.9)
    assert set(calibrated.stated(heard)) == {"busy", "dark", "piano"}
    # However large it is, it is nothing special where it is usual.
    assert calibrated.stated(probabilities(pulse=0.3)) == []


def test_contradictions_are_not_stated(calibrated: Any) -> None:
    heard = probabilities(mtt_slow=0.9, mtt_fast=0.7, mtt_piano=0.9)
    assert calibrated.stated(heard) == ["piano"]
    both = probabilities(mtt_vocals=0.7, mtt_no_vocals=0.7, mtt_guitar=0.9)
    assert calibrated.stated(both) == ["guitar"]


def test_the_narrower_word_makes_the_wider_needless(calibrated: Any) -> None:
    heard = probabilities(mtt_strings=0.9, mtt_cello=0.9, msd_rock=0.9, msd_punk=0.9)
    assert set(calibrated.stated(heard)) == {"cello", "punk"}


def test_captions_vary_and_say_only_what_is_stated(calibrated: Any) -> None:
    words = {
        word.split()[-1].lower(): name
        for name, concept in calibrated.CONCEPTS.items()
        for word in concept.words
    }
    ambiguous = {"rock", "vocals", "singing", "singer", "strings", "electronic", "section"}
    seen = set()
    for seed in range(60):
        rng = random.Random(seed)
        heard = {name: rng.random() ** 10 for name in tagging.NAMES}
        heard |= {name: rng.random() / 2 for name in QUANTITIES}
        stated = set(calibrated.stated(heard))
        captions = tags.captions(heard, random.Random(seed))
        assert captions == tags.captions(heard, random.Random(seed))
        assert bool(captions) == bool(stated)
        assert len({caption.lower() for caption in captions}) == len(captions) <= 5
        for caption in captions:
            assert caption
            assert not re.search(r"  | ,|^ |,$|\ba [aeiou]|\b(\w+) \1\b", caption), caption
            said = {
                words[word] for word in re.findall(r"[\w&-]+", caption.lower()) if word in words
            }
            unfounded = said - stated - {words[word] for word in ambiguous if word in words}
            assert not unfounded, (caption, stated)
        seen |= set(captions)
    assert len(seen) > 150


def test_calibration_comes_from_the_recordings(calibrated: Any) -> None:
    rows = [probabilities(mtt_piano=p) for p in np.linspace(0, 1, 101)]
    quantiles = calibrated.calibrate(rows)
    assert quantiles["piano"] == pytest.approx(np.linspace(0, 1, 21), abs=1e-4)
    assert quantiles["harp"] == pytest.approx([0.01] * 21, abs=1e-4)


def test_the_calibration_in_git_is_of_all_concepts() -> None:
    assert calibration.calibration().keys() == calibration.CONCEPTS.keys()
    for quantiles in calibration.calibration().values():
        assert len(quantiles) == 21
        assert quantiles == sorted(quantiles)
