"""The sigmoid loss of SigLIP (no part of the paper)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def sigmoid(
    audio: Tensor,
    text: Tensor,
    scale: Tensor | float,
    bias: Tensor | float,
    excused: Tensor | None = None,
) -> Tensor:
    """Each of the N^2 pairs by itself is a match or none (Zhai et al., Sigmoid loss for language
    image pre-training, ICCV 2023).

    L = -1/N sum_i sum_j log sigmoid(z_ij (scale * audio_i . text_j + bias)), with z_ij = 1 where
    i = j and -1 elsewhere.

    Args:
        audio: (N, dim) float32, unit norm.
        text: (N, dim) float32, unit norm.
        scale: 1 / temperature, 0-d; SigLIP begins with 10.
        bias: 0-d; SigLIP begins with -10, as nearly all pairs are no match.
        excused: (N, N) bool, symmetric; pairs that do not count, as their sentences say the same.
            The diagonal always counts.

    Returns:
        0-d.
    """
    own = torch.eye(len(audio), dtype=torch.bool, device=audio.device)
    logits = scale * audio @ text.T + bias
    losses = -F.logsigmoid(logits.where(own, -logits))
    if excused is not None:
        losses = losses * (own | ~excused)
    return losses.sum() / len(losses)
