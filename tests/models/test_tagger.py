"""The audio encoder that is a music tagger."""

import numpy as np
import pytest
import torch

import muscall
from muscall.models.config import MusicnnConfig
from muscall.models.muscall import MusCALL
from muscall.models.tagger import TaggerEncoder

RATE = 16000


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return TaggerEncoder(MusicnnConfig()).eval()


@pytest.fixture(scope="module")
def model(tiny_config):
    torch.manual_seed(0)
    config = tiny_config.model_copy(update={"audio": MusicnnConfig(window_seconds=4)})
    return MusCALL(config).eval()


def noise(seconds, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(1, round(seconds * RATE), generator=generator)


@pytest.mark.parametrize("seconds", [0.01, 1, 3, 12, 30])
def test_any_length_works(encoder, seconds):
    features = encoder(noise(seconds))
    assert features.shape == (1, encoder.features) == (1, 505)
    assert features.isfinite().all()


def test_features_are_standardised_as_they_were_fitted(encoder):
    plain = encoder(noise(12))
    fitted = TaggerEncoder(MusicnnConfig()).eval()
    fitted.load_state_dict(encoder.state_dict())
    fitted.pool.mean.copy_(plain[0])
    fitted.pool.deviation.fill_(2)
    assert fitted(noise(12)).abs().max() == 0
    torch.testing.assert_close(fitted(noise(12, 1)), (encoder(noise(12, 1)) - plain) / 2)


def test_frozen_networks_keep_the_statistics_of_their_norms(encoder):
    encoder.train()
    assert not any(module.training for module in encoder.modules())
    assert not any(p.requires_grad for p in encoder.parameters())
    thawed = TaggerEncoder(MusicnnConfig(frozen=False)).train()
    assert all(module.training for module in thawed.modules())
    thawed(noise(12).repeat(2, 1)).sum().backward()
    assert all(p.grad is not None for p in thawed.parameters())


def test_a_quieter_copy_is_the_same_music(model):
    sound = noise(9).numpy()[0]
    loud, quiet = model.encode_audio([(sound, RATE), (0.5 * sound, RATE)])
    assert loud @ quiet > 0.9999
    assert np.isfinite(model.encode_audio([(np.zeros(RATE, np.float32), RATE)])).all()


def test_what_stands_beside_a_track_does_not_change_it(model):
    sounds = [(noise(seconds, seed).numpy()[0], RATE) for seed, seconds in enumerate((3, 9, 21))]
    together = model.encode_audio(sounds)
    for sound, embedding in zip(sounds, together, strict=True):
        np.testing.assert_allclose(model.encode_audio([sound])[0], embedding, atol=1e-6)


def test_reduced_precision_is_near(model):
    sounds = [(noise(5, seed).numpy()[0], RATE) for seed in range(3)]
    model.precision = torch.float32
    full = model.encode_audio(sounds)
    model.precision = torch.bfloat16
    near = model.encode_audio(sounds)
    model.precision = None
    assert (full * near).sum(axis=1).min() > 0.999


def test_a_checkpoint_gives_it_back(model, tmp_path):
    model.save_pretrained(tmp_path / "saved")
    back = muscall.load(tmp_path / "saved", device="cpu")
    assert isinstance(back.audio, TaggerEncoder)
    sound = [(noise(5).numpy()[0], RATE)]
    np.testing.assert_allclose(back.encode_audio(sound), model.encode_audio(sound), atol=1e-6)
