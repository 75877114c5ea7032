"""Whether torch can compile where it runs."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

logger = logging.getLogger("muscall")


def compiles(device: torch.device) -> bool:
    """Whether torch.compile works for `device`; a warning says why it does not.

    It takes a C++ compiler for a processor, and triton for a GPU. Torch looks for them when
    something compiled runs for the first time, so something small does.
    """

    def double(x: Tensor) -> Tensor:
        return x + x

    try:
        torch.compile(double)(torch.zeros(8, device=device))
    except Exception as error:  # of torch's own kinds, which differ by version and device
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = lines[0] if lines else type(error).__name__
        logger.warning("train.compile: left out, as torch cannot compile here: %s", reason)
        return False
    return True
