"""The joint space: attributes that both sides know, then contrastive training from there.

A profile of the dictionary and the attributes that a tagger and measurements hear are vectors of
the same kind, so their cosine finds music before anything is trained: the *direct score*. The
projections start from it exactly, and learn on from captions that are drawn by how well they fit
(InfoNCE, Eq. 1 and 2).
"""

from __future__ import annotations

import math
import sys

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

import muscall
from muscall.losses import infonce
from muscall.models.measures import Measures
from muscall.models.musicnn import TAGS
from recipes.corpus.teacher.tagging import NAMES
from recipes.dictionary.dictionary import MEASURED, TAGGED
from recipes.weights.hearing import WindowFeatures

# Attributes that the audio encoder's features give.
HEARD = (*TAGGED, *MEASURED[: Measures.count])
STEPS, BATCH = 300, 256
AUDIO_LR, TEXT_LR, WARMUP = 3e-4, 1e-3, 50
DRAWN = 0.04  # temperature at which captions are drawn by how well they fit
ALIKE = 0.8  # cosine of two profiles from which on they are no negatives of each other
_SMALL, _SCALE = 0.02, 20.0  # deviation of what is no attribute; 1 / temperature at the start


def attributes(features: np.ndarray) -> np.ndarray:
    """(n, features) of a `TaggerEncoder`, not standardised -> (n, HEARD), raw."""
    wanted = np.zeros((2 * TAGS, len(TAGGED)), np.float32)
    for column, tags in enumerate(TAGGED.values()):
        wanted[[NAMES.index(tag) for tag in tags], column] = 1 / len(tags)
    return np.concatenate([features[:, : 2 * TAGS] @ wanted, features[:, -Measures.count :]], 1)


def start(model: muscall.MusCALL, heard: WindowFeatures, weight: Tensor, bias: Tensor) -> None:
    """Make the first dimensions of the joint space the attributes: the direct score.

    The features are standardised over the recordings, the attributes over their tracks. Further
    dimensions begin small.

    Args:
        weight: (HEARD, features of the text encoder), the linear map from there to a profile.
        bias: (HEARD,) of the same map.
    """
    weights = heard.weights()
    mean = weights @ heard.features
    deviation = np.sqrt(weights @ np.square(heard.features - mean)) + 1e-3
    means, shares = heard.of_tracks(attributes(heard.features))
    spread = np.sqrt(shares @ np.square(means - shares @ means))
    unit = attributes(np.diag(deviation).astype(np.float32)) / spread
    first = len(HEARD)
    with torch.no_grad():
        model.audio.pool.mean.copy_(torch.from_numpy(mean))
        model.audio.pool.deviation.copy_(torch.from_numpy(deviation))
        for projection, rows in (
            (model.audio_projection, torch.from_numpy(unit.T)),
            (model.text_projection, weight),
        ):
            projection.weight.normal_(std=_SMALL)
            projection.weight[:first] = rows
        # A projection has no bias: the adapter shifts the features to where it gives the map's.
        shift = torch.linalg.lstsq(weight, bias[:, None]).solution[:, 0]
        model.text_adapter[-1].bias.copy_(shift)
        model.logit_scale.fill_(math.log(_SCALE))


def contrast(
    model: muscall.MusCALL,
    heard: WindowFeatures,
    sentences: np.ndarray,
    profiles: np.ndarray,
    *,
    steps: int = STEPS,
    seed: int = 0,
) -> None:
    """Train both projections and the text adapter on features; the encoders stay as they are.

    Args:
        sentences: (n, features of the text encoder) of captions.
        profiles: (n, HEARD) that they ask for; captions are drawn by their cosine with a window.
    """
    rng = np.random.default_rng(seed)
    weights = heard.weights()
    standard = model.audio.pool(torch.from_numpy(heard.features))
    captions, wanted = torch.from_numpy(sentences), F.normalize(torch.from_numpy(profiles), dim=1)
    with torch.no_grad():
        direct = F.normalize(standard @ model.audio_projection.weight[: len(HEARD)].T, dim=1)
    text = [*model.text_adapter.parameters(), *model.text_projection.parameters()]
    optimiser = torch.optim.AdamW(
        [
            {"params": [*model.audio_projection.parameters()], "lr": AUDIO_LR},
            {"params": [*text, model.logit_scale], "lr": TEXT_LR},
        ],
        weight_decay=0.0,
    )
    for step in range(steps):
        rate = min(1, (step + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group, peak in zip(optimiser.param_groups, (AUDIO_LR, TEXT_LR), strict=True):
            group["lr"] = peak * rate
        windows = torch.from_numpy(rng.choice(len(weights), BATCH, p=weights))
        fit = F.softmax(direct[windows] @ wanted.T / DRAWN, dim=1).cumsum(dim=1)
        chance = torch.from_numpy(rng.random((BATCH, 1), np.float32)) * fit[:, -1:]
        drawn = torch.searchsorted(fit, chance)[:, 0].clamp(max=len(wanted) - 1)
        loss = infonce(
            model.project_audio(standard[windows]),
            model.project_text(captions[drawn]),
            model.scale(),
            false_negative_mask=wanted[drawn] @ wanted[drawn].T >= ALIKE,
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        model.limit_scale()
        if (step + 1) % 100 == 0 or step + 1 == steps:
            print(f"heads: {step + 1} of {steps}, loss {loss.item():.3f}", file=sys.stderr)
