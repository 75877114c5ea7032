"""Which precision a device is given."""

import copy

import torch

from muscall.models.precision import native_precision

CPU = torch.device("cpu")


def test_bfloat16_is_for_those_with_instructions_for_it(has_bf16):
    assert native_precision(CPU) == (torch.bfloat16 if has_bf16 else torch.float32)


def test_what_is_not_known_is_given_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert native_precision(CPU) == torch.float32
    assert native_precision(torch.device("meta")) == torch.float32


def test_a_model_takes_what_its_device_is_fastest_with_unless_told(has_bf16, tiny_model):
    model = copy.deepcopy(tiny_model)
    own = torch.bfloat16 if has_bf16 else torch.float32
    assert model.audio_embedder().precision == own
    kept = model.encode_text(["slow jazz"])
    for precision in (torch.float32, torch.bfloat16):
        model.precision = precision
        assert model.audio_embedder().precision == precision
        assert (model.encode_text(["slow jazz"]) == kept).all() == (precision == own)
