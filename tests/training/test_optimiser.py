import itertools

import pytest

from muscall.training.config import TrainConfig
from muscall.training.optimiser import build_optimiser, learning_rate


def test_norms_biases_and_temperature_do_not_decay(tiny_model):
    optimiser = build_optimiser(tiny_model, TrainConfig(weight_decay=0.2))
    decay = {id(p): g["weight_decay"] for g in optimiser.param_groups for p in g["params"]}
    for name, parameter in tiny_model.named_parameters():
        exempt = name.endswith("bias") or ".bn" in name or "norm" in name or name == "logit_scale"
        assert decay[id(parameter)] == (0.0 if exempt else 0.2), name


def test_learning_rate_rises_then_falls_along_half_a_cosine():
    config = TrainConfig(lr=1.0, warmup=0.1, min_lr=0.01)
    rates = [learning_rate(step, 1000, config) for step in range(1000)]
    assert all(a < b for a, b in itertools.pairwise(rates[:101]))
    assert rates[100] == 1.0
    assert all(a > b for a, b in itertools.pairwise(rates[100:]))
    assert rates[550] == pytest.approx(0.505, abs=1e-3)
    assert rates[-1] == pytest.approx(0.01, abs=1e-4)
    assert 0 < rates[0] < 0.02
