"""Losses, one a file."""

from muscall.losses.distillation import distillation
from muscall.losses.infonce import infonce
from muscall.losses.ntxent import ntxent
from muscall.losses.objective import LossConfig, objective
from muscall.losses.sigmoid import sigmoid
from muscall.losses.triplet import triplet
from muscall.losses.weighting import (
    content_weights,
    raw_content_weights,
    relative_content_weights,
)

__all__ = [
    "LossConfig",
    "content_weights",
    "distillation",
    "infonce",
    "ntxent",
    "objective",
    "raw_content_weights",
    "relative_content_weights",
    "sigmoid",
    "triplet",
]
