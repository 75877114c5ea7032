"""The sigmoid loss of SigLIP (not in the paper)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def sigmoid(
    audio: Tensor,
    text: Tensor,
    scale: Tensor | float,
    bias: Tensor | float,
    false_negative_mask: Tensor | None = None,
) -> Tensor:
    """Classify each of the N^2 pairs by itself as a match or not (Zhai et al., Sigmoid loss for
    language image pre-training, ICCV 2023).

    When to use: instead of InfoNCE for batches below about a hundred pairs, where SigLIP's authors
    find it better, or where captions fit several tracks. The model needs `logit_bias`.

    L = -1/N sum_i sum_j log sigmoid(z_ij (scale * audio_i . text_j + bias)), with z_ij = 1 where
    i = j and -1 elsewhere.

    Args:
        audio: (N, dim) float32, unit norm.
        text: (N, dim) float32, unit norm.
        scale: 1 / temperature, 0-d; SigLIP begins with 10.
        bias: 0-d; SigLIP begins with -10, as nearly all pairs are no match.
        false_negative_mask: (N, N) bool, symmetric; True for pairs that are left out, because
            their sentences say the same. The diagonal is never left out.

    Returns:
        0-d.
    """
    own = torch.eye(len(audio), dtype=torch.bool, device=audio.device)
    logits = scale * audio @ text.T + bias
    losses = -F.logsigmoid(logits.where(own, -logits))
    if false_negative_mask is not None:
        losses = losses * (own | ~false_negative_mask)
    return losses.sum() / len(losses)
