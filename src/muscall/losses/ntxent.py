"""NT-Xent, the loss of SimCLR, for the self-supervised branch (paper, section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def ntxent(first: Tensor, second: Tensor, temperature: float = 0.5) -> Tensor:
    """Normalised temperature-scaled cross entropy of two views of the same tracks.

    Each of the 2N views has the other view of its track as positive and the 2N - 2 remaining ones
    as negatives. The loss is the mean over all 2N. Costs 4 N^2 similarities.

    When to use: beside the cross-modal loss, for better zero-shot tagging (paper, Table 3). It
    doubles the audio of a step, and the model needs `ssl_dim`.

    Args:
        first: (N, dim) projections of one view; any norm, they are normalised here.
        second: (N, dim) projections of the other view.
        temperature: the paper's is 0.5.

    Returns:
        0-d.
    """
    count = len(first)
    views = F.normalize(torch.cat([first, second]), dim=-1)
    logits = views @ views.T / temperature
    logits = logits.masked_fill(torch.eye(2 * count, dtype=torch.bool, device=views.device), -1e9)
    target = torch.arange(2 * count, device=views.device).roll(count)
    return F.cross_entropy(logits, target)
