"""The embedding version of a model: vectors of one version can be compared, no others."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from muscall.models.config import ModelConfig
from muscall.models.reader import Reader, SentenceReader
from muscall.records import former_name

if TYPE_CHECKING:
    from muscall.models.muscall import MusCALL

# To be counted up with every change of code that changes the vectors of a track: in decoding, in
# the log-mel, in how a track is cut into windows and its windows are pooled. (The precision is no
# part of it any more, as vectors of one are as good beside those of another, but of its name.)
_FRONT_END = "1 torch.bfloat16"
_PARTS = ("audio", "audio_projection", "text", "text_projection", "text_adapter")


def settings(config: ModelConfig) -> str:
    """The settings of both encoders as JSON, written as when the first libraries were made."""
    written = config.model_dump_json(
        include={"dim", "audio", "text"},
        # There are libraries that are older than these settings; the weights' names tell them too.
        exclude={"audio": {"kind", "branches"}},
    )
    return written.replace("level_normalised", former_name("level_normalised"))


def embedding_version_of(model: Reader) -> str:
    """Twelve hex digits that two models share only if they give the same vectors.

    They stand for the weights of both encoders and projections, and for their settings, the length
    of a window among them. Not for the precision of inference, which is the device's: vectors of
    float32 and of bfloat16 have a cosine of at least 0.999, and a library may move to another one.
    """
    digest = blake2b(f"{_FRONT_END} {settings(model.config)}".encode(), digest_size=6)
    weights = model.weights() if isinstance(model, SentenceReader) else _weights(model)
    named = sorted(weights, key=lambda one: one[0])
    for part in _PARTS:
        for name, kind, weight in named:
            if name.startswith(f"{part}."):
                inside = name.removeprefix(f"{part}.")
                digest.update(f"{inside} torch.{kind} {weight.shape}".encode())
                digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()


def _weights(model: MusCALL) -> Iterator[tuple[str, str, np.ndarray]]:
    """As `SentenceReader.weights`."""
    import torch

    for name, weight in model.state_dict().items():
        held = weight.detach().cpu()
        kind = str(weight.dtype).removeprefix("torch.")
        if held.dtype == torch.bfloat16:  # which numpy does not have
            held = held.view(torch.int16)
        yield name, kind, held.numpy()
