"""InfoNCE between matching pairs, in both directions (paper, Eq. 1 and 2)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def infonce(
    audio: Tensor,
    text: Tensor,
    scale: Tensor | float,
    weights: Tensor | None = None,
    excused: Tensor | None = None,
) -> Tensor:
    """Sum of the audio-to-text and text-to-audio losses, each the mean over the batch.

    L = -1/N sum_i w_i log(exp(s_ii) / sum_j exp(s_ij)) + the same of the transpose, with
    s = scale * audio @ text.T. Row i of `audio` matches row i of `text`; all others are negatives.
    Costs N^2 similarities.

    Args:
        audio: (N, dim) float32, unit norm.
        text: (N, dim) float32, unit norm.
        scale: 1 / temperature, 0-d.
        weights: (N,) weight of each item (Eq. 4); None for 1.
        excused: (N, N) bool, symmetric; pairs that are no negatives of each other, as their
            sentences say the same (no part of the paper). The diagonal does not count.

    Returns:
        0-d.
    """
    logits = scale * audio @ text.T
    if excused is not None:
        own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
        logits = logits.masked_fill(excused & ~own, -torch.inf)
    target = torch.arange(len(logits), device=logits.device)
    losses = F.cross_entropy(logits, target, reduction="none")
    losses = losses + F.cross_entropy(logits.T, target, reduction="none")
    return (losses if weights is None else weights * losses).mean()
