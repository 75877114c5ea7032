"""A guard against forgetting: weights between those before and those after fine-tuning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from muscall.models.muscall import MusCALL


class Blend:
    """The initial weights' share in the weights that are validated and kept.

    A model that was tuned to a small library forgets what the library does not have. The line from
    the initial to the tuned weights leads through models that know both (WiSE-FT: Wortsman et al.,
    Robust fine-tuning of zero-shot models, CVPR 2022).

    Args:
        share: of the initial weights, which are those of `model` now; in 0..1, 0 for no blending.
    """

    def __init__(self, model: MusCALL, share: float) -> None:
        self.model, self.share = model, share
        self.initial = {n: v.clone() for n, v in self._values().items()} if share else {}

    def _values(self) -> dict[str, Tensor]:
        return {n: v for n, v in self.model.state_dict().items() if v.is_floating_point()}

    @contextmanager
    def blended(self) -> Iterator[None]:
        """The model holds the blend within the block, and afterwards what it held before."""
        if not self.share:
            yield
            return
        trained = {name: value.clone() for name, value in self._values().items()}
        self._hold({n: v.lerp(self.initial[n], self.share) for n, v in trained.items()})
        try:
            yield
        finally:
            self._hold(trained)

    @torch.no_grad()
    def _hold(self, weights: dict[str, Tensor]) -> None:
        for name, value in self._values().items():
            value.copy_(weights[name])
