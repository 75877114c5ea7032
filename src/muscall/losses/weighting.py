"""Content-aware loss weighting (paper, section 3.2.1)."""

from __future__ import annotations

import torch
from torch import Tensor


def raw_content_weights(similarity: Tensor, kappa: float = 0.005) -> Tensor:
    """Weight of each item by how similar its sentence is to the batch's others (Eq. 3, as printed).

    w_i = exp(m_i / kappa), with m_i = 1/N sum_j sim(t_i, t_j). At the paper's kappa of 0.005 the
    weights are around e^70. float32 ends at e^88, and the squares of gradients, which Adam and
    clipping take, end at e^44: a training diverges in its first steps (docs/results/paper.md).

    When to use: to show what Eq. 3 does as it is printed. Train with `content_weights`, which keep
    the ratios between the weights of a batch.

    Args:
        similarity: (N, N) cosine similarities of the sentences.
        kappa: temperature of the weighting.

    Returns:
        (N,), at most e^80, so that the loss itself stays finite.
    """
    return torch.exp((similarity.mean(dim=1) / kappa).clamp(max=80))


def content_weights(similarity: Tensor, kappa: float = 0.005) -> Tensor:
    """The weights of Eq. 3, normalised to a mean of one in each batch.

    The paper's weights as printed (`raw_content_weights`) are too large for float32. Only their
    ratios within a batch change the direction of Eq. 4's gradient, so they are normalised in log
    space: w = N softmax(m / kappa). The loss then stays as large as the unweighted one.

    When to use: to reproduce the paper's loss weighting with weights that can be trained with. A
    kappa this small gives few sentences nearly all weight: if the means of a batch spread by 0.05,
    the largest weight is e^10 times the smallest.

    Args:
        similarity: (N, N) cosine similarities of the sentences.
        kappa: temperature of the weighting.

    Returns:
        (N,) with mean 1.
    """
    return len(similarity) * torch.softmax(similarity.mean(dim=1) / kappa, dim=0)


def relative_content_weights(similarity: Tensor, kappa: float = 0.01) -> Tensor:
    """The weighting that the authors' published implementation uses instead of Eq. 3.

    m_i is the sum of the similarities to the *other* sentences over N, relative to the sum of all
    m in the batch: w = N softmax((m / sum m) / kappa). The relative means lie around 1/N, so
    weights stay close to one: within a percent or so at batch 256.

    When to use: to reproduce the published models. It changes the loss little.

    Args:
        similarity: (N, N) cosine similarities of the sentences.
        kappa: temperature of the weighting.

    Returns:
        (N,) with mean 1.
    """
    others = (similarity.sum(dim=1) - similarity.diagonal()) / len(similarity)
    return len(similarity) * torch.softmax(others / others.sum() / kappa, dim=0)
