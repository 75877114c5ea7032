"""Triplet ranking loss, the DCASE baseline's (paper, section 5.1)."""

from __future__ import annotations

import torch
from torch import Tensor


def triplet(
    audio: Tensor, text: Tensor, margin: float, false_negative_mask: Tensor | None = None
) -> Tensor:
    """Ask of each pair to be more similar, by a margin, than its audio or text with a negative.

    When to use: to reproduce the DCASE baseline. InfoNCE retrieves better in the paper (Table 1).

    L = 1/N sum_i 1/(N-1) sum_j!=i (max(0, m - s_ii + s_ij) + max(0, m - s_ii + s_ji)), with
    s = audio @ text.T. Costs N^2 similarities.

    The baseline draws one negative text and one negative clip from the batch for each pair. Here
    all of them count, which is the mean of what the baseline would draw. The baseline compares
    features of any norm, with a margin of 1. Embeddings here have unit norm, so similarities are at
    most 1 and the margin is smaller.

    Args:
        audio: (N, dim) float32, unit norm.
        text: (N, dim) float32, unit norm.
        margin: m, by which a pair should be more similar than its negatives; above 0.
        false_negative_mask: (N, N) bool, symmetric; True for pairs that are no negatives of each
            other, because their sentences say the same. The diagonal is ignored.

    Returns:
        0-d; 0 if no pair has a negative.
    """
    similarity = audio @ text.T
    negative = ~torch.eye(len(similarity), dtype=torch.bool, device=similarity.device)
    if false_negative_mask is not None:
        negative = negative & ~false_negative_mask
    short = margin - similarity.diagonal().unsqueeze(1)
    losses = (short + similarity).relu() + (short + similarity.T).relu()
    means = (losses * negative).sum(dim=1) / negative.sum(dim=1).clamp(min=1)
    return means.mean()
