import copy

import numpy as np
import pytest
import torch

from muscall.models.audio import MelEncoder
from muscall.models.config import CRNNConfig
from muscall.models.crnn import Convolutions, L4Pool, RecurrentPool
from muscall.models.muscall import MusCALL

RATE = 16000


@pytest.fixture(scope="module")
def model(tiny_config):
    """A tiny model with the baseline's audio encoder; the batch norms have seen something."""
    torch.manual_seed(0)
    audio = CRNNConfig(width=4, hidden=8, features=24, window_seconds=2)
    model = MusCALL(tiny_config.model_copy(update={"audio": audio})).train()
    with torch.no_grad():
        for _ in range(30):
            model.embed_audio(0.1 * torch.randn(8, 2 * RATE))
    return model.eval()


def noise(seconds, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(2, round(seconds * RATE), generator=generator)


def test_it_is_the_network_it_follows():
    encoder = MelEncoder(CRNNConfig())
    convolutions = [m for m in encoder.backbone.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [m.out_channels for m in convolutions] == [32, 128, 128, 128, 128]
    assert encoder.pool.gru.bidirectional
    assert encoder.pool.gru.hidden_size == 128
    assert encoder.features == 300  # as many as the values of a word vector


@pytest.mark.parametrize("seconds", [0.001, 0.1, 0.5, 2, 7.3, 20, 45])
def test_any_length_works(model, seconds):
    features = model.audio(noise(seconds))
    assert features.shape == (2, 24)
    assert features.isfinite().all()


@pytest.mark.parametrize(("mels", "bands"), [(64, 1), (128, 2), (100, 1)])
def test_time_shrinks_by_four_and_mels_to_few(mels, bands):
    convolutions = Convolutions(width=2)
    assert convolutions(torch.randn(3, 1, mels, 42)).shape == (3, 8, bands, 10)


def test_the_pool_is_the_fourth_root_of_the_mean_of_fourth_powers():
    x = torch.randn(2, 3, 8, 4)
    patches = x.view(2, 3, 2, 4, 2, 2).abs().pow(4).mean(dim=(3, 5))
    torch.testing.assert_close(L4Pool(4, 2)(x), patches.pow(0.25))


def test_the_mean_over_time_follows_the_recurrent_layer():
    torch.manual_seed(0)
    pool = RecurrentPool(inputs=6, hidden=4, features=5, dropout=0.3).eval()
    x = torch.randn(2, 3, 2, 7)
    states, _ = pool.gru(x.reshape(2, 6, 7).permute(0, 2, 1))
    torch.testing.assert_close(pool(x), pool.output(states).mean(dim=1))
    # The order of frames matters to it, unlike to a mean alone.
    assert (pool(x) - pool(x.flip(-1))).abs().max() > 1e-3


def test_neighbours_change_nothing(model):
    waveforms = torch.cat([noise(3, seed) for seed in range(3)])
    together = model.embed_audio(waveforms)
    alone = torch.cat([model.embed_audio(row[None]) for row in waveforms])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_the_fast_path_equals_the_plain_one(model):
    exact = copy.deepcopy(model)
    exact.precision = torch.float32
    track = noise(2)[0]
    expected = model.embed_audio(track[None])[0].detach()
    ours = exact.encode_audio([(track.numpy(), RATE)])[0]
    np.testing.assert_allclose(ours, expected, atol=2e-5)
    assert ours @ model.encode_audio([(track.numpy(), RATE)])[0] > 0.999


def test_the_same_track_has_the_same_embedding_whatever_stands_beside_it(model):
    tracks = [(noise(seconds, number)[0].numpy(), RATE) for number, seconds in enumerate((5, 1, 9))]
    together = model.encode_audio(tracks)
    alone = np.concatenate([model.encode_audio([track]) for track in tracks])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, model.encode_audio(tracks[::-1])[::-1])


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_silence_is_finite_forward_and_backward(model, precision):
    trained = copy.deepcopy(model).train()
    with torch.autocast("cpu", precision, enabled=precision != torch.float32):
        embeddings = trained.embed_audio(torch.zeros(4, 2 * RATE))
    assert embeddings.isfinite().all()
    embeddings.sum().backward()
    gradients = [p.grad for p in trained.audio.parameters()]
    assert all(gradient.isfinite().all() for gradient in gradients)
