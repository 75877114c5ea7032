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
    hardness: float = 0.0,
) -> Tensor:
    """Sum of the audio-to-text and text-to-audio losses, each the mean over the batch.

    L = -1/N sum_i w_i log(exp(s_ii) / sum_j exp(s_ij)) + the same of the transpose, with
    s = scale * audio @ text.T. Row i of `audio` matches row i of `text`; all others are negatives.
    Costs N^2 similarities.

    With hardness beta, negatives count the more the more similar they are, as if they were drawn
    with a probability in proportion to exp(beta s_ij) (Robinson et al., Contrastive learning with
    hard negative samples, ICLR 2021, without their debiasing; no part of the paper):
    L = -1/N sum_i w_i log(exp(s_ii) / (exp(s_ii) + sum_j!=i v_ij exp(s_ij))) + the transpose's,
    with v_ij = M exp(beta s_ij) / sum_k!=i exp(beta s_ik), whose mean over the M negatives is 1.

    Args:
        audio: (N, dim) float32, unit norm.
        text: (N, dim) float32, unit norm.
        scale: 1 / temperature, 0-d.
        weights: (N,) weight of each item (Eq. 4); None for 1.
        excused: (N, N) bool, symmetric; pairs that are no negatives of each other, as their
            sentences say the same (no part of the paper). The diagonal does not count.
        hardness: beta, at least 0; 0 for negatives that count alike.

    Returns:
        0-d.
    """
    logits = scale * audio @ text.T
    negative = ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    if excused is not None:
        logits = logits.masked_fill(excused & negative, -torch.inf)
        negative = negative & ~excused
    target = torch.arange(len(logits), device=logits.device)
    losses = F.cross_entropy(_hardened(logits, negative, hardness), target, reduction="none")
    losses = losses + F.cross_entropy(
        _hardened(logits.T, negative, hardness), target, reduction="none"
    )
    return (losses if weights is None else weights * losses).mean()


def _hardened(logits: Tensor, negative: Tensor, hardness: float) -> Tensor:
    """Logits of the negatives, each raised by the logarithm of its weight v_ij."""
    if not hardness:
        return logits
    # Not -inf: a row whose pairs are all excused has no negatives, and must not become NaN.
    drawn = (hardness * logits).masked_fill(~negative, -1e9).log_softmax(dim=1)
    count = negative.sum(dim=1, keepdim=True).clamp(min=1)
    return logits + (drawn + count.log()).where(negative, 0)
