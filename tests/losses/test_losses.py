import math

import pytest
import torch
from torch.nn import functional as F

from muscall.errors import ConfigError
from muscall.losses import (
    LossConfig,
    content_weights,
    distillation,
    infonce,
    ntxent,
    objective,
    raw_content_weights,
    relative_content_weights,
    sigmoid,
    triplet,
)


def pairs_for(logits):
    """Embeddings and scale whose similarities are `logits` (rows: text)."""
    return torch.eye(len(logits)), logits, 1.0


@pytest.mark.parametrize("name", ["b8", "b32"])
def test_infonce_is_twice_the_published_mean_of_both_directions(reference, name):
    arrays = reference("losses_metrics")
    loss = infonce(*pairs_for(arrays[f"losses_{name}.logits_per_text"]))
    torch.testing.assert_close(loss / 2, arrays[f"losses_{name}.clip_loss"])


@pytest.mark.parametrize("name", ["b8", "b32"])
def test_relative_weighting_equals_the_published_one(reference, name):
    arrays = reference("losses_metrics")
    weights = relative_content_weights(arrays[f"losses_{name}.sentence_sim"])
    published = arrays[f"losses_{name}.weights"]
    torch.testing.assert_close(weights, published / published.mean(), rtol=1e-4, atol=1e-6)
    loss = infonce(*pairs_for(arrays[f"losses_{name}.logits_per_text"]), weights)
    torch.testing.assert_close(loss / 2, arrays[f"losses_{name}.weighted_clip_loss"])


@pytest.mark.parametrize("name", ["b4", "b6"])
def test_ntxent_equals_the_reference(reference, name):
    arrays = {key.split(".")[1]: v for key, v in reference("losses_metrics").items() if name in key}
    loss = ntxent(arrays["z_i"], arrays["z_j"], float(arrays["temperature"]))
    torch.testing.assert_close(loss, arrays["loss"])


def test_distillation_is_the_error_over_what_the_teacher_heard():
    predicted = torch.tensor([[1.0, 2.0], [0.0, 0.0], [5.0, 5.0]])
    targets = torch.tensor([[1.0, 0.0], [3.0, 0.0], [math.nan, math.nan]])
    assert distillation(predicted, targets).item() == pytest.approx((4 + 9) / 4)
    nothing = torch.full((3, 2), math.nan)
    assert distillation(predicted, nothing).item() == 0.0


def test_objective_needs_what_its_parts_are_made_of():
    some = F.normalize(torch.randn(4, 8), dim=-1)
    for config, needs in (
        (LossConfig(weighting="content"), "similarity"),
        (LossConfig(ssl_weight=0.3), "views"),
        (LossConfig(distillation_weight=1.0), "teacher"),
    ):
        with pytest.raises(ValueError, match=needs):
            objective(config, some, some, torch.tensor(1.0))


def test_infonce_of_a_model_that_knows_nothing_is_twice_the_logarithm_of_the_batch():
    same = F.normalize(torch.ones(7, 3), dim=-1)
    assert infonce(same, same, 10.0).item() == pytest.approx(2 * math.log(7), rel=1e-6)


def test_infonce_falls_when_pairs_match_better():
    torch.manual_seed(0)
    audio = F.normalize(torch.randn(16, 8), dim=-1)
    noise = F.normalize(torch.randn(16, 8), dim=-1)
    better = F.normalize(audio + 0.1 * noise, dim=-1)
    assert infonce(audio, better, 10.0) < infonce(audio, noise, 10.0)


def test_masked_pairs_are_no_negatives():
    torch.manual_seed(0)
    audio, text = (F.normalize(torch.randn(4, 8), dim=-1) for _ in range(2))
    mask = torch.eye(4, dtype=torch.bool)
    torch.testing.assert_close(
        infonce(audio, text, 5.0, false_negative_mask=mask), infonce(audio, text, 5.0)
    )
    mask[0, 1:] = mask[1:, 0] = True
    rest = infonce(audio[1:], text[1:], 5.0)
    # The first pair has no negatives left, and costs nothing; nor is it one of the others'.
    torch.testing.assert_close(infonce(audio, text, 5.0, false_negative_mask=mask), 3 / 4 * rest)


def test_sentences_that_say_the_same_excuse_their_pairs():
    torch.manual_seed(0)
    audio, text = (F.normalize(torch.randn(3, 8), dim=-1) for _ in range(2))
    similarity = torch.tensor([[1.0, 0.9, 0.2], [0.9, 1.0, 0.3], [0.2, 0.3, 1.0]])
    parts = objective(
        LossConfig(false_negative_threshold=0.85),
        audio,
        text,
        torch.tensor(5.0),
        similarity=similarity,
    )
    expected = infonce(audio, text, 5.0, false_negative_mask=similarity > 0.85)
    assert parts["loss"] == expected != infonce(audio, text, 5.0)


@pytest.mark.parametrize("hard_negative_beta", [0.0, 0.5, 2.0])
def test_hard_negatives_are_weighted_by_their_importance(hard_negative_beta):
    torch.manual_seed(0)
    audio, text = (F.normalize(torch.randn(6, 8), dim=-1) for _ in range(2))
    expected = 0.0
    for logits in (5.0 * audio @ text.T, 5.0 * text @ audio.T):
        for i, row in enumerate(logits.tolist()):
            others = [s for j, s in enumerate(row) if j != i]
            drawn = [math.exp(hard_negative_beta * s) for s in others]
            weights = [len(others) * w / sum(drawn) for w in drawn]
            negatives = sum(w * math.exp(s) for w, s in zip(weights, others, strict=True))
            expected -= math.log(math.exp(row[i]) / (math.exp(row[i]) + negatives)) / 6
    loss = infonce(audio, text, 5.0, hard_negative_beta=hard_negative_beta)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_an_item_without_negatives_has_no_loss():
    torch.manual_seed(0)
    audio, text = (F.normalize(torch.randn(4, 8), dim=-1).requires_grad_() for _ in range(2))
    mask = torch.eye(4, dtype=torch.bool)
    mask[0] = mask[:, 0] = True
    loss = infonce(audio, text, 5.0, false_negative_mask=mask, hard_negative_beta=1.0)
    torch.testing.assert_close(
        loss, 3 / 4 * infonce(audio[1:], text[1:], 5.0, hard_negative_beta=1.0)
    )
    loss.backward()
    assert audio.grad.isfinite().all()
    assert torch.equal(text.grad[0], torch.zeros(8))


def test_each_kind_of_loss_is_what_is_minimised():
    torch.manual_seed(0)
    audio, text = (F.normalize(torch.randn(6, 8), dim=-1) for _ in range(2))
    scale, bias = torch.tensor(5.0), torch.tensor(-2.0)

    def loss(**settings):
        return objective(LossConfig(**settings), audio, text, scale, bias=bias)["loss"]

    assert loss() == infonce(audio, text, 5.0)
    assert (
        loss(hard_negative_beta=0.5) == infonce(audio, text, 5.0, hard_negative_beta=0.5) != loss()
    )
    assert loss(kind="triplet", margin=0.3) == triplet(audio, text, 0.3)
    assert loss(kind="sigmoid") == sigmoid(audio, text, 5.0, -2.0)


@pytest.mark.parametrize("kind", ["triplet", "sigmoid"])
@pytest.mark.parametrize("setting", [{"hard_negative_beta": 0.5}, {"weighting": "content"}])
def test_what_belongs_to_infonce_is_refused_elsewhere(kind, setting):
    with pytest.raises(ConfigError, match=f"belong to infonce, not to {kind}") as caught:
        LossConfig.parse({"kind": kind, **setting}, "train.yaml")
    assert "\n" not in str(caught.value)


def test_content_weights_follow_equation_3_where_it_does_not_overflow():
    similarity = torch.tensor([[1.0, 0.8, 0.1], [0.8, 1.0, 0.2], [0.1, 0.2, 1.0]])
    expected = torch.exp(similarity.mean(dim=1) / 0.5)
    weights = content_weights(similarity, kappa=0.5)
    torch.testing.assert_close(weights / weights[0], expected / expected[0])


def test_raw_weights_are_equation_3_and_content_weights_their_ratios():
    similarity = torch.tensor([[1.0, 0.8, 0.1], [0.8, 1.0, 0.2], [0.1, 0.2, 1.0]])
    raw = raw_content_weights(similarity, kappa=0.5)
    torch.testing.assert_close(raw, torch.exp(similarity.mean(dim=1) / 0.5))
    torch.testing.assert_close(content_weights(similarity, kappa=0.5), raw / raw.mean())


def test_the_loss_is_finite_with_raw_weights_at_the_papers_kappa_but_its_squares_are_not():
    weights = raw_content_weights(torch.full((8, 8), 0.6), kappa=0.005)
    audio = F.normalize(torch.randn(8, 4, generator=torch.Generator().manual_seed(0)), dim=-1)
    text = audio.roll(1, dims=0).requires_grad_()
    loss = infonce(audio, text, 14.0, weights)
    loss.backward()
    assert loss.isfinite()
    assert text.grad.isfinite().all()
    assert text.grad.square().isinf().any()


def test_content_weights_stay_finite_with_the_papers_kappa():
    similarity = torch.full((64, 64), 0.999)
    similarity[0] = -0.5
    weights = content_weights(similarity)
    assert weights.isfinite().all()
    assert weights.mean().item() == pytest.approx(1, rel=1e-5)


def test_equal_sentences_get_equal_weights():
    torch.testing.assert_close(content_weights(torch.ones(5, 5)), torch.ones(5))


def test_objective_mixes_by_equation_5():
    torch.manual_seed(0)
    audio, text, first, second = (F.normalize(torch.randn(6, 8), dim=-1) for _ in range(4))
    config = LossConfig(ssl_weight=0.3)
    parts = objective(config, audio, text, torch.tensor(5.0), views=(first, second))
    expected = 0.3 * ntxent(first, second) + 0.7 * infonce(audio, text, 5.0)
    torch.testing.assert_close(parts["loss"], expected)


@pytest.mark.parametrize(
    "config",
    [
        LossConfig(ssl_weight=0.3),
        LossConfig(weighting="content"),
        LossConfig(false_negative_threshold=0.9),
        LossConfig(kind="sigmoid"),
    ],
)
def test_objective_refuses_to_run_without_what_it_needs(config):
    with pytest.raises(ValueError, match="needs"):
        objective(config, torch.eye(3), torch.eye(3), torch.tensor(1.0))
