"""Distillation: the audio encoder also learns what a teacher hears (no part of the paper)."""

from __future__ import annotations

from torch import Tensor


def distillation(predicted: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error to a teacher's vectors (Hinton et al. 2015, on features as in FitNets).

    It carries what the teacher knows of real recordings over to items that nobody has described.

    Args:
        predicted: (N, dim).
        targets: (N, dim), each column of about zero mean and unit variance; NaN where the teacher
            did not hear an item, which then does not count.

    Returns:
        0-d; 0 if the teacher heard none of them.
    """
    heard = ~targets.isnan()
    squares = (predicted - targets.nan_to_num()).square() * heard
    return squares.sum() / heard.sum().clamp(min=1)
