"""Distillation: the audio encoder also predicts a teacher's vectors (not in the paper)."""

from __future__ import annotations

from torch import Tensor


def distillation(predicted: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error to a teacher's vectors (Hinton et al. 2015, on features as in FitNets).

    When to use: beside the cross-modal loss, if a model that knows more recordings than yours can
    embed your tracks: what it knows of them is in no caption. The model needs `teacher_dim`.

    Args:
        predicted: (N, dim).
        targets: (N, dim), each column of about zero mean and unit variance; NaN for items
            without a teacher's vector, which are left out.

    Returns:
        0-d; 0 if no item has a teacher's vector.
    """
    known = ~targets.isnan()
    squares = (predicted - targets.nan_to_num()).square() * known
    return squares.sum() / known.sum().clamp(min=1)
