"""AdamW, warm-up and cosine (paper, section 4.2)."""

from __future__ import annotations

import math

import torch
from torch import nn

from muscall.training.config import TrainConfig


def build_optimiser(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW over the trainable parameters. Norms, biases and the temperature do not decay."""
    trainable = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, eps=config.eps, fused=True)


def learning_rate(step: int, total: int, config: TrainConfig) -> float:
    """Learning rate of step 0 <= `step` < `total`: linear warm-up, then half a cosine."""
    rise = round(config.warmup * total)
    if step < rise:
        return config.lr * (step + 1) / (rise + 1)
    progress = (step - rise) / max(1, total - rise)
    return config.min_lr + (config.lr - config.min_lr) * (1 + math.cos(math.pi * progress)) / 2
