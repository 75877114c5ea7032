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
    false_negative_mask: Tensor | None = None,
    hard_negative_beta: float = 0.0,
) -> Tensor:
    """Sum of the audio-to-text and text-to-audio losses, each the mean over the batch.

    L = -1/N sum_i w_i log(exp(s_ii) / sum_j exp(s_ij)) + the same of the transpose, with
    s = scale * audio @ text.T. Row i of `audio` matches row i of `text`; all others are negatives.
    Costs N^2 similarities.

    When to use: by default, it is the loss of the paper and of CLIP. It needs large batches, of a
    hundred pairs or more, as all its negatives come from the batch.

    With beta above 0, a negative weighs more the more similar it is, as if negatives were drawn
    with a probability in proportion to exp(beta s_ij) (Robinson et al., Contrastive learning with
    hard negative samples, ICLR 2021, without their debiasing; not in the paper):
    L = -1/N sum_i w_i log(exp(s_ii) / (exp(s_ii) + sum_j!=i v_ij exp(s_ij))) + the transpose's,
    with v_ij = M exp(beta s_ij) / sum_k!=i exp(beta s_ik), whose mean over the M negatives is 1.

    Args:
        audio: (N, dim) float32, unit norm.
        text: (N, dim) float32, unit norm.
        scale: 1 / temperature, 0-d.
        weights: (N,) weight of each item (Eq. 4); None for 1.
        false_negative_mask: (N, N) bool, symmetric; True for pairs that are no negatives of each
            other, because their sentences say the same (not in the paper). The diagonal is ignored.
        hard_negative_beta: beta, at least 0; with 0 all negatives weigh the same.

    Returns:
        0-d.
    """
    logits = scale * audio @ text.T
    negative = ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    if false_negative_mask is not None:
        logits = logits.masked_fill(false_negative_mask & negative, -torch.inf)
        negative = negative & ~false_negative_mask
    target = torch.arange(len(logits), device=logits.device)
    losses = F.cross_entropy(
        _weighted(logits, negative, hard_negative_beta), target, reduction="none"
    )
    losses = losses + F.cross_entropy(
        _weighted(logits.T, negative, hard_negative_beta), target, reduction="none"
    )
    return (losses if weights is None else weights * losses).mean()


def _weighted(logits: Tensor, negative: Tensor, beta: float) -> Tensor:
    """The logits, those of negatives raised by the logarithm of its weight v_ij."""
    if not beta:
        return logits
    # Not -inf: a row whose pairs are all masked has no negatives, and must not become NaN.
    drawn = (beta * logits).masked_fill(~negative, -1e9).log_softmax(dim=1)
    count = negative.sum(dim=1, keepdim=True).clamp(min=1)
    return logits + (drawn + count.log()).where(negative, 0)
