"""The training objective: the cross-modal loss, with self-supervision and distillation."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from torch import Tensor

from muscall.losses.distillation import distillation
from muscall.losses.infonce import infonce
from muscall.losses.ntxent import ntxent
from muscall.losses.sigmoid import sigmoid
from muscall.losses.triplet import triplet
from muscall.losses.weighting import (
    content_weights,
    raw_content_weights,
    relative_content_weights,
)
from muscall.records import Record

WEIGHTINGS = {
    "raw": raw_content_weights,
    "content": content_weights,
    "relative": relative_content_weights,
}


class LossConfig(Record):
    """Settings of the objective."""

    kind: Literal["infonce", "triplet", "sigmoid"] = "infonce"
    """The cross-modal loss: the paper's, its DCASE baseline's, or SigLIP's, which also needs
    `model.logit_bias`."""
    hard_negative_beta: float = Field(default=0.0, ge=0)
    """How much more a negative weighs in InfoNCE if it is similar; with 0 all weigh the same."""
    margin: float = Field(default=0.2, gt=0, le=2)
    """Of the triplet loss, in cosine similarity."""
    weighting: Literal["none", "raw", "content", "relative"] = "none"
    """Content-aware loss weighting: "raw" as Eq. 3 is printed, "content" the same with a mean of
    one in each batch, "relative" as in the published implementation."""
    kappa: float = Field(default=0.005, gt=0)
    false_negative_threshold: float = Field(default=1.0, gt=0, le=1)
    """Cosine similarity from which two sentences say the same, so that their pairs are no negatives
    of each other. 1 switches this off."""
    sentence_encoder: str = "all-MiniLM-L6-v2"
    """The encoder by which sentences are compared, for weighting and for false negatives; "equal"
    for none: only the same sentence says the same."""
    ssl_weight: float = Field(default=0.0, ge=0, le=1)
    """Lambda of Eq. 5; the paper's is 0.3. 0 for no self-supervision."""
    ssl_temperature: float = Field(default=0.5, gt=0)
    distillation_weight: float = Field(default=0.0, ge=0)
    """Weight of the error in predicting a teacher's vectors (`data.targets`); 0 for no teacher."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.kind != "infonce" and (self.hard_negative_beta or self.weighting != "none"):
            raise ValueError(
                f"weighting and hard_negative_beta belong to infonce, not to {self.kind}"
            )
        return self

    @property
    def compares_sentences(self) -> bool:
        """Whether the similarity of the sentences is needed."""
        return self.weighting != "none" or self.false_negative_threshold < 1


def objective(
    config: LossConfig,
    audio: Tensor,
    text: Tensor,
    scale: Tensor,
    *,
    bias: Tensor | None = None,
    similarity: Tensor | None = None,
    views: tuple[Tensor, Tensor] | None = None,
    teacher: tuple[Tensor, Tensor] | None = None,
) -> dict[str, Tensor]:
    """L = lambda L_SSL + (1 - lambda) L_audio<->text (Eq. 5), plus distillation.

    Args:
        audio, text: (N, dim) unit norm, matching row by row.
        scale: 1 / temperature, 0-d.
        bias: 0-d; needed for the sigmoid loss.
        similarity: (N, N) of the sentences; needed if `config.compares_sentences`.
        views: SimCLR projections (N, ssl_dim) of two views; needed for self-supervision.
        teacher: predicted and true vectors of the teacher, each (N, teacher_dim); needed for
            distillation.

    Returns:
        "loss", and its parts "contrastive" and, if any, "ssl" and "distillation"; each 0-d.
    """
    weights = mask = None
    if config.compares_sentences:
        if similarity is None:
            raise ValueError("comparing sentences needs their similarity")
        if config.weighting != "none":
            weights = WEIGHTINGS[config.weighting](similarity, config.kappa)
        if config.false_negative_threshold < 1:
            mask = similarity >= config.false_negative_threshold
    if config.kind == "triplet":
        contrastive = triplet(audio, text, config.margin, mask)
    elif config.kind == "sigmoid":
        if bias is None:
            raise ValueError("the sigmoid loss needs a bias")
        contrastive = sigmoid(audio, text, scale, bias, mask)
    else:
        contrastive = infonce(audio, text, scale, weights, mask, config.hard_negative_beta)
    parts = {"loss": contrastive, "contrastive": contrastive}
    if config.ssl_weight:
        if views is None:
            raise ValueError("self-supervision needs two views")
        parts["ssl"] = ntxent(*views, temperature=config.ssl_temperature)
        parts["loss"] = config.ssl_weight * parts["ssl"] + (1 - config.ssl_weight) * contrastive
    if config.distillation_weight:
        if teacher is None:
            raise ValueError("distillation needs the teacher's vectors")
        parts["distillation"] = distillation(*teacher)
        parts["loss"] = parts["loss"] + config.distillation_weight * parts["distillation"]
    return parts
