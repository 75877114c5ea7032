"""The recipe of the default weights: the direct score, and the training from there."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from muscall.models.config import MusicnnConfig
from recipes.dictionary import dictionary, sentences
from recipes.weights import default, heads, hearing, wording

WORDS = {
    "slow": {"slow": 2.0, "fast": -1.5}, "fast": {"fast": 2.0, "slow": -1.5},
    "piano": {"piano": 2.5, "guitar": -1.0}, "guitar": {"guitar": 2.0, "piano": -1.0},
    "techno": {"techno": 2.5, "beat": 1.5}, "choir": {"choir": 2.5, "beat": -1.5},
}  # fmt: skip


@pytest.fixture(scope="module")
def concepts() -> list[object]:
    concept = dictionary.Concept
    return [concept(name, (name, f"{name} music"), profile) for name, profile in WORDS.items()]


@pytest.fixture(scope="module")
def heard() -> object:
    """Features of 6 tracks of two groups, 30 windows in all."""
    rng = np.random.default_rng(0)
    track = np.repeat(np.arange(6), 5)
    features = rng.normal(size=(6, 505))[track] + 0.5 * rng.normal(size=(30, 505))
    return hearing.WindowFeatures(features.astype(np.float32), track, ["a"] * 4 + ["b"] * 2)


@pytest.fixture(scope="module")
def tuned(concepts: list[object], tmp_path_factory: pytest.TempPathFactory) -> object:
    composer = sentences.Composer(concepts)
    return wording.fine_tune(composer, tmp_path_factory.mktemp("words") / "words.pt", steps=30)


def test_groups_of_many_count_less_than_by_their_number(heard: object) -> None:
    weights = heard.weights()
    assert weights.sum() == pytest.approx(1)
    large, small = weights[:20].sum(), weights[20:].sum()
    assert large / small == pytest.approx(2**0.5)
    means, shares = heard.of_tracks(heard.features)
    np.testing.assert_allclose(means[0], heard.features[:5].mean(axis=0), rtol=1e-5)
    assert shares.sum() == pytest.approx(1)


def test_words_are_learned_and_a_stopped_training_goes_on(
    concepts: list[object], tmp_path: Path, tuned: object
) -> None:
    composer = sentences.Composer(concepts)
    profiles = dictionary.profiles(concepts)
    with torch.no_grad():
        texts = [concept.name for concept in concepts]
        found = tuned.to_profile(torch.from_numpy(wording.features(tuned.encoder, texts))).numpy()
    cosines = found @ profiles.T / np.outer(*(np.linalg.norm(t, axis=1) for t in (found, profiles)))
    assert (cosines.argmax(axis=1) == np.arange(len(WORDS))).all()
    # What was trained already is read, and not trained again.
    store = tmp_path / "words.pt"
    once = wording.fine_tune(composer, store, steps=2)
    written = store.stat().st_mtime_ns
    again = wording.fine_tune(composer, store, steps=2)
    assert store.stat().st_mtime_ns == written
    torch.testing.assert_close(again.to_profile.weight, once.to_profile.weight)


def test_without_steps_the_model_is_the_direct_score(
    concepts: list[object], heard: object, tuned: object
) -> None:
    model = default.build(heard, copy.deepcopy(tuned), concepts, steps=0)
    texts = [concept.name for concept in concepts]
    first = len(heads.HEARD)
    with torch.no_grad():
        features = torch.from_numpy(wording.features(tuned.encoder, texts))
        places = [dictionary.ATTRIBUTES.index(name) for name in heads.HEARD]
        wanted = tuned.to_profile(features)[:, places]
        text = model.project_text(features)[:, :first]
        audio = model.project_audio(model.audio.pool(torch.from_numpy(heard.features)))[:, :first]
    means, shares = heard.of_tracks(heads.attributes(heard.features))
    raw = heads.attributes(heard.features)
    spread = np.sqrt(shares @ np.square(means - shares @ means))
    direct = (raw - heard.weights() @ raw) / spread
    assert (
        np.corrcoef(text.flatten(), (wanted / wanted.norm(dim=1, keepdim=True)).flatten())[0, 1]
        > 0.99
    )
    unit = direct / np.linalg.norm(direct, axis=1, keepdims=True)
    assert np.corrcoef(audio.flatten(), unit.flatten())[0, 1] > 0.99


def test_training_from_there_lowers_the_loss_and_leaves_the_encoders(
    concepts: list[object], heard: object, tuned: object,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(default, "COMPOSED", 400)
    before = default.build(heard, copy.deepcopy(tuned), concepts, steps=0)
    after = default.build(heard, copy.deepcopy(tuned), concepts, steps=101)
    assert capsys.readouterr().err.count("heads:") == 2
    assert not torch.equal(before.audio_projection.weight, after.audio_projection.weight)
    for old, new in ((before.text, after.text), (before.audio, after.audio)):
        for name, value in old.state_dict().items():
            assert torch.equal(value, new.state_dict()[name])
    assert not any(p.requires_grad for p in (*after.text.parameters(), *after.audio.parameters()))


def test_the_recordings_features_in_git_are_the_encoders() -> None:
    heard = hearing.recordings(Path("nowhere"))
    assert heard.features.shape[1] == hearing.tagger(MusicnnConfig()).features
    assert len(heard.track) == len(heard.features)
    assert heard.track.max() + 1 == len(heard.groups)
    assert np.isfinite(heard.features).all()
