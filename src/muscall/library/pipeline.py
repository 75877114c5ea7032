"""What makes two vectors comparable: that the same pipeline made them."""

from __future__ import annotations

from hashlib import blake2b

import torch

from muscall.models.config import ModelConfig
from muscall.models.muscall import MusCALL
from muscall.records import former_name

# To be counted up with every change of code that changes the vectors of a track: in decoding, in
# the log-mel, in how a track is cut into windows and its windows are pooled. (The precision is no
# part of it any more, as vectors of one are as good beside those of another, but of its name.)
_FRONT_END = "1 torch.bfloat16"


def settings(config: ModelConfig) -> str:
    """The settings of both encoders as JSON, written as when the first libraries were made."""
    written = config.model_dump_json(
        include={"dim", "audio", "text"},
        # There are libraries that are older than these settings; the weights' names tell them too.
        exclude={"audio": {"kind", "branches"}},
    )
    return written.replace("level_normalised", former_name("level_normalised"))


def pipeline_id(model: MusCALL) -> str:
    """Twelve hex digits that two models share only if they give the same vectors.

    They stand for the weights of both encoders and projections, and for their settings, the length
    of a window among them. Not for the precision of inference, which is the device's: vectors of
    float32 and of bfloat16 have a cosine of at least 0.999, and a library may move to another one.
    """
    digest = blake2b(f"{_FRONT_END} {settings(model.config)}".encode(), digest_size=6)
    parts = [model.audio, model.audio_projection, model.text, model.text_projection]
    if model.text_adapter is not None:
        parts.append(model.text_adapter)
    for part in parts:
        for name, weight in sorted(part.state_dict().items()):
            digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
            digest.update(weight.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
