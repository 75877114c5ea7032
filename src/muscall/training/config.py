"""Settings of a training run, read from YAML with dotted overrides."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from muscall.data.dataset import DataConfig
from muscall.losses import LossConfig
from muscall.models.config import ModelConfig
from muscall.records import Record


class TrainConfig(Record):
    """Optimisation (paper, section 4.2) and what a run writes."""

    out: str = "runs/muscall"
    init: str = ""
    """Model to continue from, as `muscall.load` takes it. It brings its own `model` settings.
    Empty for a new model."""
    weight_interpolation: float = Field(default=0.0, ge=0, lt=1)
    """Share of the initial weights in the model that is validated and saved (WiSE-FT, Wortsman et
    al. 2022). It guards against forgetting what `init` knew."""
    seed: int = Field(default=0, ge=0)
    epochs: int = Field(default=150, ge=1)
    steps: int | None = Field(default=None, ge=1)
    """Number of updates; None for as many as `epochs` take."""
    batch_size: int = Field(default=256, ge=2)
    """Pairs that are contrasted with each other, whatever the memory and number of processes."""
    micro_batch: int = Field(default=32, ge=1)
    """Pairs that go through the encoders together. Batch norms take their statistics over a
    micro-batch, so its size changes the result. It bounds the memory with `gradient_caching`."""
    gradient_caching: bool = True
    """Encode each micro-batch twice instead of keeping all activations (GradCache, Gao et al.
    2021). The gradients are exact and any batch fits any memory. Without it a step is faster, if
    the whole batch fits."""
    lr: float = Field(default=5e-5, gt=0)
    min_lr: float = Field(default=0.0, ge=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps over which the learning rate rises."""
    weight_decay: float = Field(default=0.2, ge=0)
    betas: tuple[float, float] = (0.9, 0.98)
    eps: float = Field(default=1e-6, gt=0)
    clip_norm: float | None = Field(default=1.0, gt=0)
    """Largest norm of all gradients together; larger ones are scaled down to it. None to leave
    them as they are; their norm is logged in any case."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Of the encoders. "auto" is bf16 if the device has instructions for it, else fp32."""
    compile: bool = False
    """Compile the audio encoder's network with torch.compile: the first step waits for the
    compiler. Where that is not possible, a line says so and the run goes on."""
    device: str = "auto"
    threads: int = Field(default=0, ge=0)
    """Threads of the processor for the model; 0 for all."""
    validate_every: int | None = Field(default=None, ge=1)
    """Steps between validations; None for once an epoch."""
    validation_items: int = Field(default=1000, ge=2)
    save_every: int = Field(default=100, ge=1)
    """Steps between saved states, from which a killed run resumes."""


class Config(Record):
    """Everything that a run depends on."""

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    train: TrainConfig = TrainConfig()
