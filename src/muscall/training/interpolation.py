"""Weight interpolation, against forgetting in fine-tuning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from muscall.models.muscall import MusCALL


class WeightInterpolation:
    """Weights between those before and those after fine-tuning (WiSE-FT: Wortsman et al., Robust
    fine-tuning of zero-shot models, CVPR 2022).

    A model that is fine-tuned on a small library forgets what the library does not have. On the
    line between the initial and the tuned weights lie models that know both.

    Args:
        model: it has the initial weights now.
        share: of the initial weights, in [0, 1); 0 for none.
    """

    def __init__(self, model: MusCALL, share: float) -> None:
        self.model, self.share = model, share
        self.initial = {n: v.clone() for n, v in self._values().items()} if share else {}

    def _values(self) -> dict[str, Tensor]:
        return {n: v for n, v in self.model.state_dict().items() if v.is_floating_point()}

    @contextmanager
    def interpolated(self) -> Iterator[None]:
        """Give the model interpolated weights within the block, and its own again afterwards."""
        if not self.share:
            yield
            return
        trained = {name: value.clone() for name, value in self._values().items()}
        self._set({n: v.lerp(self.initial[n], self.share) for n, v in trained.items()})
        try:
            yield
        finally:
            self._set(trained)

    @torch.no_grad()
    def _set(self, weights: dict[str, Tensor]) -> None:
        for name, value in self._values().items():
            value.copy_(weights[name])
