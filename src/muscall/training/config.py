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
    """Model to go on from, as `muscall.load` takes it; it
    brings its own `model` settings. Empty for a new model."""
    blend: float = Field(default=0.0, ge=0, lt=1)
    """Share of the initial weights in what is validated and kept (WiSE-FT, Wortsman et al. 2022):
    a guard against forgetting what `init` knew."""
    seed: int = Field(default=0, ge=0)
    epochs: int = Field(default=150, ge=1)
    steps: int | None = Field(default=None, ge=1)
    """Number of updates; None for as many as `epochs` take."""
    batch_size: int = Field(default=256, ge=2)
    """Pairs that are contrasted with each other, whatever the memory and number of processes."""
    micro_batch: int = Field(default=32, ge=1)
    """Pairs that go through the encoders together. Batch norms take their statistics over a
    micro-batch, so it belongs to the result; it bounds the memory where `recompute` is on."""
    recompute: bool = True
    """Encode each micro-batch twice instead of keeping all activations: exact, and any batch
    fits any memory. Off is faster where the whole batch fits."""
    lr: float = Field(default=5e-5, gt=0)
    min_lr: float = Field(default=0.0, ge=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps over which the learning rate rises."""
    weight_decay: float = Field(default=0.2, ge=0)
    betas: tuple[float, float] = (0.9, 0.98)
    eps: float = Field(default=1e-6, gt=0)
    clip_norm: float = Field(default=1.0, gt=0)
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Of the encoders; "auto" for bf16 where the device has instructions for it, else fp32."""
    device: str = "auto"
    threads: int = Field(default=0, ge=0)
    """Of the processor, for the model; 0 for all."""
    validate_every: int | None = Field(default=None, ge=1)
    """Steps between validations; None for once an epoch."""
    validation_items: int = Field(default=1000, ge=2)
    save_every: int = Field(default=100, ge=1)
    """Steps between saved states, from which a killed run goes on."""


class Config(Record):
    """Everything that a run depends on."""

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    train: TrainConfig = TrainConfig()
