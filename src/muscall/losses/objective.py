"""What is minimised: the cross-modal loss, weighted or not, mixed with self-supervision."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from torch import Tensor

from muscall.losses.infonce import infonce
from muscall.losses.ntxent import ntxent
from muscall.losses.weighting import content_weights, relative_content_weights
from muscall.records import Record

WEIGHTINGS = {"content": content_weights, "relative": relative_content_weights}


class LossConfig(Record):
    """Settings of the objective."""

    weighting: Literal["none", "content", "relative"] = "none"
    """Content-aware loss weighting: by Eq. 3, or relative as in the published implementation."""
    kappa: float = Field(default=0.005, gt=0)
    sentence_encoder: str = "all-MiniLM-L6-v2"
    """Whose similarities weigh the sentences."""
    ssl_weight: float = Field(default=0.0, ge=0, le=1)
    """Lambda of Eq. 5; the paper's is 0.3. 0 for no self-supervision."""
    ssl_temperature: float = Field(default=0.5, gt=0)


def objective(
    config: LossConfig,
    audio: Tensor,
    text: Tensor,
    scale: Tensor,
    *,
    similarity: Tensor | None = None,
    views: tuple[Tensor, Tensor] | None = None,
) -> dict[str, Tensor]:
    """L = lambda L_SSL + (1 - lambda) L_audio<->text (Eq. 5).

    Args:
        audio, text: (N, dim) unit norm, matching row by row.
        scale: 1 / temperature, 0-d.
        similarity: (N, N) of the sentences; needed for a weighting.
        views: SimCLR projections (N, ssl_dim) of two views; needed for self-supervision.

    Returns:
        "loss", and its parts "contrastive" and, if any, "ssl"; each 0-d.
    """
    weights = None
    if config.weighting != "none":
        if similarity is None:
            raise ValueError("loss weighting needs the similarity of the sentences")
        weights = WEIGHTINGS[config.weighting](similarity, config.kappa)
    contrastive = infonce(audio, text, scale, weights)
    if not config.ssl_weight:
        return {"loss": contrastive, "contrastive": contrastive}
    if views is None:
        raise ValueError("self-supervision needs two views")
    ssl = ntxent(*views, temperature=config.ssl_temperature)
    mixed = config.ssl_weight * ssl + (1 - config.ssl_weight) * contrastive
    return {"loss": mixed, "contrastive": contrastive, "ssl": ssl}
