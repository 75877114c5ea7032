"""The layers behind the encoders, and what a model gives for a batch of pairs."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from muscall.errors import ConfigError
from muscall.models.config import ModelConfig


class Outputs(NamedTuple):
    """What `MusCALL.forward` gives for n pairs, row by row; None for heads that did not run."""

    audio: Tensor
    """(n, dim) float32, unit norm."""
    text: Tensor
    """(n, dim) float32, unit norm."""
    first_view: Tensor | None = None
    """(n, ssl_dim) float32, the SimCLR projections of the first view."""
    second_view: Tensor | None = None
    """(n, ssl_dim) float32, those of the second view."""
    teacher: Tensor | None = None
    """(n, teacher_dim) float32, the prediction of the teacher's vectors."""

    def present(self) -> dict[str, Tensor]:
        """The outputs that there are, by name."""
        return {name: rows for name, rows in self._asdict().items() if rows is not None}


def projections(config: ModelConfig, audio: int, text: int) -> tuple[nn.Module, nn.Module]:
    """Maps from `audio` and `text` features to the joint space."""
    if config.projection == "mlp":
        dim = config.dim
        first = nn.Linear(audio, dim), nn.Linear(text, dim)
        return (
            nn.Sequential(first[0], nn.ReLU(), nn.Linear(dim, dim)),
            nn.Sequential(first[1], nn.ReLU(), nn.Linear(dim, dim)),
        )
    if config.projection:
        linear = nn.Linear(audio, config.dim, bias=False), nn.Linear(text, config.dim, bias=False)
        for projection in linear:
            nn.init.normal_(projection.weight, std=projection.in_features**-0.5)
        return linear
    if audio != config.dim or text != config.dim:
        raise ConfigError(
            f"model.projection: false asks both encoders for model.dim={config.dim} features, "
            f"but audio has {audio}, text {text}"
        )
    return nn.Identity(), nn.Identity()


def adapter(features: int, width: int) -> nn.Module:
    """A residual branch of `width` hidden units, which is zero until it is trained."""
    last = nn.Linear(width, features)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(features, width), nn.GELU(), last)


def simclr_head(features: int, dim: int) -> nn.Module:
    """The projection of self-supervision (paper, section 3.3)."""
    return nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Linear(features, dim))
