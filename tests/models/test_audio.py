import copy

import pytest
import torch
from torch.nn import functional as F

from muscall.models.audio import MelEncoder
from muscall.models.config import ResNetConfig
from muscall.models.pooling import AttentionPool, AveragePool


def test_the_published_width_has_the_published_size():
    encoder = MelEncoder(ResNetConfig())
    assert sum(p.numel() for p in encoder.parameters()) == pytest.approx(2.4e6, rel=0.03)


def test_the_full_width_is_clips_resnet_50():
    encoder = MelEncoder(ResNetConfig(width=64, heads=32, features=1024))
    assert encoder.backbone.channels == 2048
    convolutions = [m for m in encoder.backbone.modules() if isinstance(m, torch.nn.Conv2d)]
    # 3 in the stem, 3 a block, 1 at the head of each stage.
    assert len(convolutions) == 3 + 16 * 3 + 4


POOLINGS = ["attention", "average", "average_linear"]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("seconds", [0.01, 0.5, 2, 7.3, 20, 45])
def test_any_length_works(pooling, seconds):
    config = ResNetConfig(width=4, blocks=(1, 1, 1, 1), features=16, heads=2, pooling=pooling)
    encoder = MelEncoder(config).eval()
    features = encoder(0.1 * torch.randn(2, round(seconds * 16000)))
    assert features.shape == (2, encoder.features)
    assert features.isfinite().all()


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_the_feature_map_stays_in_the_fast_memory_format(mode):
    encoder = MelEncoder(ResNetConfig(width=4, blocks=(1, 1, 1, 1), features=16, heads=2))
    encoder.train(mode == "train")
    feature_map = encoder.backbone(torch.randn(2, 1, 128, 200))
    assert feature_map.is_contiguous(memory_format=torch.channels_last)


def test_attention_pooling_equals_multi_head_attention_with_the_mean_as_query():
    torch.manual_seed(0)
    pool = AttentionPool(channels=32, mels=4, frames=5, heads=4, features=16)
    for bias in (pool.query.bias, pool.key.bias, pool.value.bias):
        torch.nn.init.normal_(bias)
    x = torch.randn(3, 32, 4, 5)
    places = x.flatten(2).permute(2, 0, 1)
    places = torch.cat([places.mean(dim=0, keepdim=True), places]) + pool.positions[:, None]
    expected, _ = F.multi_head_attention_forward(
        places[:1],
        places,
        places,
        32,
        4,
        None,
        torch.cat([pool.query.bias, pool.key.bias, pool.value.bias]),
        None,
        None,
        False,
        0.0,
        pool.output.weight,
        pool.output.bias,
        use_separate_proj_weight=True,
        q_proj_weight=pool.query.weight,
        k_proj_weight=pool.key.weight,
        v_proj_weight=pool.value.weight,
    )
    torch.testing.assert_close(pool(x), expected.squeeze(0), rtol=1e-4, atol=1e-5)


def test_attention_pooling_interpolates_positions_along_time_only_when_it_must():
    pool = AttentionPool(channels=8, mels=4, frames=6, heads=2, features=8)
    assert pool.positions_for(4, 6) is pool.positions
    longer = pool.positions_for(4, 12)
    assert longer.shape == (1 + 48, 8)
    torch.testing.assert_close(longer[0], pool.positions[0])
    torch.testing.assert_close(
        longer[1:].view(4, 12, 8).mean(dim=1), pool.positions[1:].view(4, 6, 8).mean(dim=1)
    )


def test_average_pooling_is_the_mean():
    x = torch.randn(2, 8, 4, 5)
    torch.testing.assert_close(AveragePool(8)(x), x.mean(dim=(2, 3)))
    assert not AveragePool(8).state_dict()  # checkpoints of it have no weights


def test_a_linear_map_may_follow_the_mean():
    x, pool = torch.randn(2, 8, 4, 5), AveragePool(8, 3)
    torch.testing.assert_close(pool(x), pool.output(x.mean(dim=(2, 3))))
    assert pool.output.weight.shape == (pool.features, 8) == (3, 8)


def test_recomputing_gradients_changes_nothing(tiny_config):
    torch.manual_seed(0)
    config = tiny_config.audio
    plain = MelEncoder(config)
    saving = MelEncoder(config.model_copy(update={"checkpoint_gradients": True}))
    saving.load_state_dict(plain.state_dict())
    waveform = 0.1 * torch.randn(3, 32000)
    for encoder in (plain, saving):
        encoder(waveform).square().sum().backward()
    for (name, ours), theirs in zip(plain.named_parameters(), saving.parameters(), strict=True):
        if ours.grad is not None:
            torch.testing.assert_close(ours.grad, theirs.grad, msg=name)


def test_silence_is_finite_forward_and_backward(tiny_model):
    model = copy.deepcopy(tiny_model).train()
    embeddings = model.embed_audio(torch.zeros(4, 32000))
    assert embeddings.isfinite().all()
    embeddings.sum().backward()
    gradients = {name: p.grad for name, p in model.audio.named_parameters()}
    assert gradients.pop("pool.key.bias") is None  # the softmax cancels it
    assert all(gradient.isfinite().all() for gradient in gradients.values())


@pytest.mark.parametrize("pooling", POOLINGS)
def test_branches_are_networks_of_their_own(pooling):
    config = ResNetConfig(width=4, blocks=(1, 1, 1, 1), features=16, heads=2, pooling=pooling)
    torch.manual_seed(0)
    alone = [MelEncoder(config).eval() for _ in range(3)]
    together = MelEncoder(config.model_copy(update={"branches": 3})).eval()
    for number, encoder in enumerate(alone):
        together.backbone.branches[number].load_state_dict(encoder.backbone.state_dict())
        together.pool.pools[number].load_state_dict(encoder.pool.state_dict())
    waveform = 0.1 * torch.randn(2, 30000)
    features = together(waveform)
    assert features.shape == (2, together.features) == (2, 3 * alone[0].features)
    torch.testing.assert_close(features, torch.cat([encoder(waveform) for encoder in alone], dim=1))
