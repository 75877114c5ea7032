"""Triplet ranking loss, the DCASE baseline's (paper, section 5.1)."""

from __future__ import annotations

import torch
from torch import Tensor


def triplet(audio: Tensor, text: Tensor, margin: float, excused: Tensor | None = None) -> Tensor:
    """Each pair shall be more similar, by a margin, than either half of it with an impostor.

    L = 1/N sum_i 1/(N-1) sum_j!=i (max(0, m - s_ii + s_ij) + max(0, m - s_ii + s_ji)), with
    s = audio @ text.T. Costs N^2 similarities.

    The baseline draws one impostor text and one impostor clip from the batch for each pair; all of
    them, as here, give the mean of what it draws. The baseline compares features of any norm, with
    a margin of 1; embeddings here are always of unit norm, and so is the similarity at most 1.

    Args:
        audio: (N, dim) float32, unit norm.
        text: (N, dim) float32, unit norm.
        margin: m, by which a pair shall be the more similar; above 0.
        excused: (N, N) bool, symmetric; pairs that are no impostors of each other, as their
            sentences say the same. The diagonal does not count.

    Returns:
        0-d; 0 where nobody has an impostor.
    """
    similarity = audio @ text.T
    impostor = ~torch.eye(len(similarity), dtype=torch.bool, device=similarity.device)
    if excused is not None:
        impostor = impostor & ~excused
    short = margin - similarity.diagonal().unsqueeze(1)
    losses = (short + similarity).relu() + (short + similarity.T).relu()
    means = (losses * impostor).sum(dim=1) / impostor.sum(dim=1).clamp(min=1)
    return means.mean()
