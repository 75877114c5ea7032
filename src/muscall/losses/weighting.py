"""Content-aware loss weighting (paper, section 3.2.1)."""

from __future__ import annotations

import torch
from torch import Tensor


def content_weights(similarity: Tensor, kappa: float = 0.005) -> Tensor:
    """Weight of each item by how similar its sentence is to the batch's others (Eq. 3).

    The paper's w_i = exp(m_i / kappa), with m_i = 1/N sum_j sim(t_i, t_j), overflows: with
    kappa 0.005 the exponent reaches hundreds. Only the ratios between the weights of a batch
    matter to the direction of Eq. 4, so they are normalised in log space to a mean of one:
    w = N softmax(m / kappa). The size of the loss then stays comparable to the unweighted one.

    A kappa this small lets few sentences carry nearly all weight: where the means of a batch
    spread by 0.05, the largest weight is e^10 times the smallest.

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

    Args:
        similarity: (N, N) cosine similarities of the sentences.
        kappa: temperature of the weighting.

    Returns:
        (N,) with mean 1.
    """
    others = (similarity.sum(dim=1) - similarity.diagonal()) / len(similarity)
    return len(similarity) * torch.softmax(others / others.sum() / kappa, dim=0)
