"""What is minimised: the cross-modal loss, mixed with self-supervision and distillation."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from torch import Tensor

from muscall.losses.distillation import distillation
from muscall.losses.infonce import infonce
from muscall.losses.ntxent import ntxent
from muscall.losses.sigmoid import sigmoid
from muscall.losses.triplet import triplet
from muscall.losses.weighting import content_weights, relative_content_weights
from muscall.records import Record

WEIGHTINGS = {"content": content_weights, "relative": relative_content_weights}


class LossConfig(Record):
    """Settings of the objective."""

    kind: Literal["infonce", "triplet", "sigmoid"] = "infonce"
    """The cross-modal loss: the paper's, its DCASE baseline's, or SigLIP's, which also takes
    `model.logit_bias`."""
    hardness: float = Field(default=0.0, ge=0)
    """How much more similar negatives count in InfoNCE; 0 for not at all."""
    margin: float = Field(default=0.2, gt=0, le=2)
    """Of the triplet loss, in cosine similarity."""
    weighting: Literal["none", "content", "relative"] = "none"
    """Content-aware loss weighting: by Eq. 3, or relative as in the published implementation."""
    kappa: float = Field(default=0.005, gt=0)
    alike: float = Field(default=1.0, gt=0, le=1)
    """Similarity from which two sentences say the same, so that their pairs are no negatives of
    each other; 1 for never."""
    sentence_encoder: str = "all-MiniLM-L6-v2"
    """Whose similarities weigh the sentences, and tell which are alike."""
    ssl_weight: float = Field(default=0.0, ge=0, le=1)
    """Lambda of Eq. 5; the paper's is 0.3. 0 for no self-supervision."""
    ssl_temperature: float = Field(default=0.5, gt=0)
    distillation_weight: float = Field(default=0.0, ge=0)
    """Of the error in predicting a teacher's vectors (`data.targets`); 0 for no teacher."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.kind != "infonce" and (self.hardness or self.weighting != "none"):
            raise ValueError(f"weighting and hardness belong to infonce, not to {self.kind}")
        return self

    @property
    def compares_sentences(self) -> bool:
        """Whether the similarity of the sentences is needed."""
        return self.weighting != "none" or self.alike < 1


def objective(
    config: LossConfig,
    audio: Tensor,
    text: Tensor,
    scale: Tensor,
    *,
    bias: Tensor | None = None,
    similarity: Tensor | None = None,
    views: tuple[Tensor, Tensor] | None = None,
    taught: tuple[Tensor, Tensor] | None = None,
) -> dict[str, Tensor]:
    """L = lambda L_SSL + (1 - lambda) L_audio<->text (Eq. 5), plus distillation.

    Args:
        audio, text: (N, dim) unit norm, matching row by row.
        scale: 1 / temperature, 0-d.
        bias: 0-d; needed for the sigmoid loss.
        similarity: (N, N) of the sentences; needed where `config.compares_sentences`.
        views: SimCLR projections (N, ssl_dim) of two views; needed for self-supervision.
        taught: what the audio encoder predicts and what the teacher heard, each (N, dim); needed
            for distillation.

    Returns:
        "loss", and its parts "contrastive" and, if any, "ssl" and "distillation"; each 0-d.
    """
    weights = excused = None
    if config.compares_sentences:
        if similarity is None:
            raise ValueError("comparing sentences needs their similarity")
        if config.weighting != "none":
            weights = WEIGHTINGS[config.weighting](similarity, config.kappa)
        if config.alike < 1:
            excused = similarity >= config.alike
    if config.kind == "triplet":
        contrastive = triplet(audio, text, config.margin, excused)
    elif config.kind == "sigmoid":
        if bias is None:
            raise ValueError("the sigmoid loss needs a bias")
        contrastive = sigmoid(audio, text, scale, bias, excused)
    else:
        contrastive = infonce(audio, text, scale, weights, excused, config.hardness)
    parts = {"loss": contrastive, "contrastive": contrastive}
    if config.ssl_weight:
        if views is None:
            raise ValueError("self-supervision needs two views")
        parts["ssl"] = ntxent(*views, temperature=config.ssl_temperature)
        parts["loss"] = config.ssl_weight * parts["ssl"] + (1 - config.ssl_weight) * contrastive
    if config.distillation_weight:
        if taught is None:
            raise ValueError("distillation needs what the teacher heard")
        parts["distillation"] = distillation(*taught)
        parts["loss"] = parts["loss"] + config.distillation_weight * parts["distillation"]
    return parts
