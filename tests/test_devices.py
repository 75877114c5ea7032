"""Every tensor that training, inference or evaluation makes is on the device of the model.

No GPU is here, so `meta` stands for one: its tensors have a shape and a device, and no values. An
operation between tensors of two devices is noticed as it happens, also on the way back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.fx.experimental import _config
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from muscall import MusCALL
from muscall.data.dataset import Batch
from muscall.data.manifest import Row
from muscall.evaluation.labelling import Labelling, evaluate_zeroshot
from muscall.evaluation.probe import evaluate_probe
from muscall.evaluation.retrieval import evaluate_retrieval
from muscall.losses import LossConfig
from muscall.models.config import (
    CRNNConfig,
    ModelConfig,
    MusicnnConfig,
    ResNetConfig,
    SentenceConfig,
)
from muscall.training.distributed import Group
from muscall.training.sentences import equality_vectors
from muscall.training.step import ContrastiveStep

META = torch.device("meta")
CAPTIONS = ["slow jazz", "driving rock with guitars", "calm piano", "calm piano"]


class OneDevice(TorchDispatchMode):
    """Raises where an operation has tensors of two devices; numbers in a tensor are of any."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        devices = {tensor.device.type for tensor in given if tensor.ndim}
        if len(devices) > 1:
            raise AssertionError(f"{func} has tensors on {sorted(devices)}")
        return func(*args, **kwargs or {})


@pytest.fixture(autouse=True)
def _as_a_gpu_does(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """There is no autocast for `meta`, and nobody knows how many values are not zero: all are."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    with _config.patch(meta_nonzero_assume_all_nonzero=True):
        yield


SMALL: dict[str, Any] = {"width": 4, "blocks": (1, 1, 1, 1), "heads": 2, "features": 16}
AUDIO = {
    "attention": {},
    "average": {"audio": ResNetConfig(pooling="average", **SMALL)},
    "average_linear": {"audio": ResNetConfig(pooling="average_linear", **SMALL)},
    "crnn": {"audio": CRNNConfig(width=4, hidden=8, features=16, window_seconds=2)},
    "tagger": {"audio": MusicnnConfig(window_seconds=4)},
    "sentences": {"text": SentenceConfig(frozen=False)},
    "adapter": {"text": SentenceConfig(), "text_adapter": 8},
}
LOSSES = {
    "infonce": LossConfig(),
    "ssl": LossConfig(ssl_weight=0.3),
    "raw": LossConfig(weighting="raw"),
    "content": LossConfig(weighting="content"),
    "relative": LossConfig(weighting="relative", false_negative_threshold=0.9),
    "hard negatives": LossConfig(hard_negative_beta=0.5),
    "distillation": LossConfig(distillation_weight=0.5),
    "triplet": LossConfig(kind="triplet"),
    "sigmoid": LossConfig(kind="sigmoid"),
}


def model_of(config: ModelConfig, **changes: Any) -> MusCALL:
    return MusCALL(config.model_copy(update=changes)).to(META).train()


def test_two_devices_are_noticed() -> None:
    with pytest.raises(AssertionError, match=r"aten\.add.*cpu.*meta"), OneDevice():
        torch.ones(2, device=META) + torch.ones(2)


@pytest.mark.parametrize("changes", AUDIO.values(), ids=AUDIO)
def test_both_encoders_stay_on_their_device(
    tiny_config: ModelConfig, changes: dict[str, Any]
) -> None:
    model = model_of(tiny_config, **changes)
    tokens = model.text.tokenize(CAPTIONS).to(META)
    samples = 5 * model.config.audio.sample_rate
    for training in (True, False):
        model.train(training)
        with OneDevice():
            audio = model.embed_audio(torch.zeros(len(CAPTIONS), samples, device=META))
            text = model.embed_text(tokens)
        assert audio.device.type == text.device.type == "meta"
        assert audio.shape == text.shape == (len(CAPTIONS), model.config.dim)


@pytest.mark.parametrize(
    ("loss", "gradient_caching"),
    [(LossConfig(), False), *((loss, True) for loss in LOSSES.values())],
    ids=["all at once", *LOSSES],
)
def test_a_step_stays_on_the_device_of_the_model(
    tiny_config: ModelConfig, loss: LossConfig, gradient_caching: bool
) -> None:
    model = model_of(
        tiny_config,
        ssl_dim=8 if loss.ssl_weight else 0,
        teacher_dim=6 if loss.distillation_weight else 0,
        logit_bias=-1.0 if loss.kind == "sigmoid" else None,
    )
    step = ContrastiveStep(
        model,
        loss,
        Group(),
        META,
        micro_batch=2,
        gradient_caching=gradient_caching,
        sentences=equality_vectors if loss.compares_sentences else None,
        targets=torch.zeros(len(CAPTIONS), 6) if loss.distillation_weight else None,
    )
    audio = torch.zeros(2 if loss.ssl_weight else 1, len(CAPTIONS), 16000)
    batch = Batch(audio, CAPTIONS, torch.arange(len(CAPTIONS)))
    with OneDevice():
        parts = step.gradients(batch, step=0, shares=[len(CAPTIONS)])
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        model.limit_scale()
    assert {part.device.type for part in parts.values()} == {"meta"}
    grads = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert grads
    assert {grad.device.type for grad in grads} == {"meta"}


@pytest.fixture
def _values_of_meta(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is fetched from `meta` has values, drawn by its shape: they are fetched by `cpu()`."""

    def cpu(self: torch.Tensor) -> torch.Tensor:
        if self.device != META:
            return self
        generator = torch.Generator().manual_seed(self.numel())
        return torch.randn(self.shape, generator=generator).to(self.dtype)

    monkeypatch.setattr(torch.Tensor, "cpu", cpu)


@pytest.mark.usefixtures("_values_of_meta")
@pytest.mark.parametrize("changes", AUDIO.values(), ids=AUDIO)
def test_inference_stays_on_the_device_of_the_model(
    tiny_config: ModelConfig, music: Path, changes: dict[str, Any]
) -> None:
    model = model_of(tiny_config, **changes).eval()
    paths = sorted(music.rglob("*.wav"))
    with OneDevice():
        assert model.audio_embedder().device == META
        assert model.encode_audio(paths).shape == (len(paths), model.config.dim)
        assert model.encode_text(CAPTIONS).shape == (len(CAPTIONS), model.config.dim)


@pytest.mark.usefixtures("_values_of_meta")
def test_evaluation_stays_on_the_device_of_the_model(tiny_config: ModelConfig, music: Path) -> None:
    model = model_of(tiny_config).eval()
    rows = [
        Row(f"{split}{path.stem}", path, (path.stem,), split=split, labels=(f"{number % 2}",))
        for split in ("train", "val", "test")
        for number, path in enumerate(sorted(music.rglob("*.wav")))
    ]
    test = [row for row in rows if row.split == "test"]
    with OneDevice():
        assert evaluate_retrieval(model, test).items == len(test)
        labelling = Labelling.of(rows)
        assert evaluate_zeroshot(model, rows, labelling, {"plain": "{label}"}).items == len(rows)
        for features in (False, True):
            assert evaluate_probe(model, rows, features=features).items == len(test)
