"""Gradients do not depend on memory, micro-batch order, or the number of processes."""

import copy

import pytest
import torch
from torch.nn import functional as F

from muscall.data.dataset import Batch
from muscall.losses import LossConfig, infonce
from muscall.models.config import CRNNConfig, MusicnnConfig, WordVectorsConfig
from muscall.models.muscall import MusCALL
from muscall.training.distributed import Group
from muscall.training.sentences import SentenceVectors
from muscall.training.step import ContrastiveStep, RunningStatistics

CAPTIONS = [
    "slow jazz",
    "driving rock with guitars",
    "calm piano",
    "techno",
    "a waltz in three",
    "bossa nova with soft drums",
    "string quartet",
    "reggae",
]


KINDS = ("triplet", "sigmoid")


def batch_of(count, views=1):
    generator = torch.Generator().manual_seed(1)
    audio = 0.1 * torch.randn(views, count, 16000, generator=generator)
    return Batch(audio, CAPTIONS[:count], torch.arange(count))


def gradients(model, batch, **settings):
    model = copy.deepcopy(model).train()
    loss = settings.pop("loss", LossConfig())
    contrastive = ContrastiveStep(model, loss, Group(), torch.device("cpu"), **settings)
    parts = contrastive.gradients(batch, step=3, shares=[len(batch.captions)])
    found = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    return parts, found, model.state_dict()


def assert_equal_runs(one, other, *, rtol=1e-4, atol=1e-6):
    for name, value in one[0].items():
        torch.testing.assert_close(value, other[0][name], rtol=1e-5, atol=1e-6, msg=name)
    assert one[1].keys() == other[1].keys()
    for name, gradient in one[1].items():
        # Relative to the largest entry: those near zero are rounding.
        size = gradient.abs().max().item() + 1e-12
        torch.testing.assert_close(
            gradient / size, other[1][name] / size, rtol=rtol, atol=1e-4, msg=name
        )
    for name, value in one[2].items():
        torch.testing.assert_close(value, other[2][name], rtol=1e-5, atol=atol, msg=name)


def test_a_frozen_tagger_is_left_as_it_is(tiny_config):
    torch.manual_seed(0)
    model = MusCALL(tiny_config.model_copy(update={"audio": MusicnnConfig()}))
    _, found, state = gradients(model, batch_of(4), micro_batch=2)
    assert "audio_projection.weight" in found
    assert not any(name.startswith("audio.") for name in found)
    for name, value in model.audio.state_dict().items():
        assert torch.equal(state[f"audio.{name}"], value), name


def test_one_micro_batch_is_a_plain_training_step(tiny_model):
    batch = batch_of(8)
    plain = copy.deepcopy(tiny_model).train()
    for module in plain.text.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for block in plain.text.blocks:
        block.attention_dropout = 0.0
    start = copy.deepcopy(plain)
    text = plain.embed_text(plain.text.tokenize(batch.captions))
    loss = infonce(plain.embed_audio(batch.audio[0]), text, plain.scale())
    loss.backward()
    expected = (
        {"loss": loss.detach()},
        {n: p.grad for n, p in plain.named_parameters() if p.grad is not None},
        plain.state_dict(),
    )
    assert_equal_runs(expected, gradients(start, batch, micro_batch=8, gradient_caching=True))


LOSSES = [
    LossConfig(),
    LossConfig(ssl_weight=0.3),
    LossConfig(weighting="content", kappa=0.05),
    LossConfig(hard_negative_beta=0.5),
    LossConfig(kind="triplet"),
    LossConfig(kind="sigmoid"),
]


def model_for(loss, config, **changes):
    """A new model with the heads that a loss asks for."""
    torch.manual_seed(0)
    heads = {
        "ssl_dim": 8 if loss.ssl_weight else 0,
        "logit_bias": -1.0 if loss.kind == "sigmoid" else None,
    }
    return MusCALL(config.model_copy(update=heads | changes))


@pytest.mark.parametrize("loss", LOSSES)
def test_accumulation_equals_the_full_batch(tiny_config, loss):
    ssl = bool(loss.ssl_weight)
    model = model_for(loss, tiny_config)
    batch = batch_of(8, views=2 if ssl else 1)
    vectors = F.normalize(torch.randn(8, 5), dim=-1)
    sentences = SentenceVectors(CAPTIONS, vectors) if loss.weighting != "none" else None
    settings = {"loss": loss, "sentences": sentences, "micro_batch": 3}
    kept = gradients(model, batch, gradient_caching=False, **settings)
    again = gradients(model, batch, gradient_caching=True, **settings)
    assert_equal_runs(kept, again)


def test_distillation_teaches_what_the_teacher_heard_and_nothing_else(tiny_config):
    torch.manual_seed(0)
    model = MusCALL(tiny_config.model_copy(update={"teacher_dim": 5}))
    targets = torch.randn(8, 5)
    targets[3] = float("nan")
    loss = LossConfig(distillation_weight=2.0)
    settings = {"loss": loss, "targets": targets}
    kept = gradients(model, batch_of(8), gradient_caching=False, micro_batch=3, **settings)
    assert_equal_runs(kept, gradients(model, batch_of(8), micro_batch=3, **settings))
    parts, found, _ = kept
    whole = parts["contrastive"] + 2 * parts["distillation"]
    torch.testing.assert_close(parts["loss"], whole)
    # What it did not hear may be anything.
    assert all(gradient.isfinite().all() for gradient in found.values())
    without = gradients(model, batch_of(8), micro_batch=3)[1]
    assert found.keys() - without.keys() == {"teacher_head.weight", "teacher_head.bias"}
    assert found["teacher_head.weight"].any()
    assert (
        found["audio.pool.output.weight"] - without["audio.pool.output.weight"]
    ).abs().max() > 1e-3
    for name in without:
        if not name.startswith("audio."):
            torch.testing.assert_close(found[name], without[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "loss", [LossConfig(), LossConfig(hard_negative_beta=0.5), *(LossConfig(kind=k) for k in KINDS)]
)
def test_accumulation_equals_the_full_batch_where_batch_norm_does_not_couple_items(
    tiny_config, tiny_model, loss
):
    model = model_for(loss, tiny_config)
    model.load_state_dict(tiny_model.state_dict(), strict=loss.kind != "sigmoid")
    model.eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train = lambda _=True, module=module: module
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for block in model.text.blocks:
        block.attention_dropout = 0.0
    full = gradients(model, batch_of(8), micro_batch=8, loss=loss)
    for micro_batch in (1, 3, 4):
        again = gradients(model, batch_of(8), micro_batch=micro_batch, loss=loss)
        assert_equal_runs(full, again)


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_learns_what_it_has_and_all_of_it_is_finite(tiny_config, loss):
    vectors = F.normalize(torch.randn(8, 5), dim=-1)
    views = 2 if loss.ssl_weight else 1
    parts, found, _ = gradients(
        model_for(loss, tiny_config),
        batch_of(8, views),
        loss=loss,
        sentences=SentenceVectors(CAPTIONS, vectors),
    )
    assert parts["loss"].isfinite()
    assert all(gradient.isfinite().all() for gradient in found.values())
    assert ("logit_scale" in found) == (loss.kind != "triplet")
    assert ("logit_bias" in found) == (loss.kind == "sigmoid")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_baselines_encoders_learn_alike_kept_or_again(tiny_config, vectors, precision):
    loss = LossConfig(kind="triplet")
    model = model_for(
        loss,
        tiny_config,
        audio=CRNNConfig(width=4, hidden=8, features=16, window_seconds=1),
        text=WordVectorsConfig(vectors=str(vectors)),
        projection=False,
    )
    settings = {"loss": loss, "micro_batch": 3, "precision": precision}
    kept = gradients(model, batch_of(8), gradient_caching=False, **settings)
    assert_equal_runs(kept, gradients(model, batch_of(8), gradient_caching=True, **settings))
    # The words' vectors are frozen and nothing stands behind them.
    assert all(name.startswith("audio.") for name in kept[1])
    assert all(gradient.isfinite().all() for gradient in kept[1].values())


def test_the_micro_batch_matters_to_batch_norm_and_is_therefore_a_setting(tiny_model):
    four = gradients(tiny_model, batch_of(8), micro_batch=4)[1]["audio_projection.weight"]
    eight = gradients(tiny_model, batch_of(8), micro_batch=8)[1]["audio_projection.weight"]
    assert (four - eight).abs().max() > 1e-4


def test_the_step_seeds_the_dropout(tiny_model):
    first = gradients(tiny_model, batch_of(4))
    torch.rand(100)
    second = gradients(tiny_model, batch_of(4))
    for name, gradient in first[1].items():
        assert torch.equal(gradient, second[1][name]), name


def test_loss_scale_multiplies_gradients_and_not_the_loss(tiny_model):
    model = copy.deepcopy(tiny_model).train()
    contrastive = ContrastiveStep(model, LossConfig(), Group(), torch.device("cpu"))
    plain = contrastive.gradients(batch_of(4), 0, [4])
    before = model.audio_projection.weight.grad.clone()
    scaled = contrastive.gradients(batch_of(4), 0, [4], loss_scale=1024.0)
    torch.testing.assert_close(plain["loss"], scaled["loss"], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(
        model.audio_projection.weight.grad / 1024, before, rtol=1e-2, atol=1e-4
    )


def test_running_statistics_are_the_mean_of_the_micro_batches():
    norm = torch.nn.BatchNorm1d(3)
    inputs = torch.randn(4, 8, 3) + torch.arange(4.0)[:, None, None]
    statistics = RunningStatistics(norm)
    statistics.begin()
    for micro in inputs:
        norm(micro)
        statistics.collect(1 / 4)
    norm(inputs[0])
    statistics.finish(Group())
    torch.testing.assert_close(norm.running_mean, 0.1 * inputs.mean(dim=(0, 1)))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * inputs.var(dim=1).mean(dim=0))
    assert norm.num_batches_tracked == 1


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_reduced_precision_is_near_full(tiny_model, precision):
    full = gradients(tiny_model, batch_of(8))
    reduced = gradients(tiny_model, batch_of(8), precision=precision)
    # How much bf16 rounds away depends on the instructions of the processor.
    assert reduced[0]["loss"].item() == pytest.approx(full[0]["loss"].item(), rel=0.03)
    name = "text_projection.weight"
    similarity = F.cosine_similarity(full[1][name].flatten(), reduced[1][name].flatten(), dim=0)
    assert similarity > 0.98


def test_silence_gives_finite_gradients(tiny_model):
    batch = Batch(torch.zeros(1, 4, 16000), CAPTIONS[:4], torch.arange(4))
    parts, found, _ = gradients(tiny_model, batch)
    assert parts["loss"].isfinite()
    assert all(gradient.isfinite().all() for gradient in found.values())
