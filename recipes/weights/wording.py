"""Teach the sentence encoder what musical words imply.

The upper layers of MiniLM and a linear map learn the profile of every phrase of the dictionary, of
phrases joined, and of phrases less something (`sentences.py`).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from muscall.models.config import SentenceConfig
from muscall.models.precision import native_precision
from muscall.models.sentence import SentenceEncoder
from muscall.writing import written_aside
from recipes.dictionary.sentences import Composer

BATCH, STEPS = 64, 1600
LAYERS = 4  # of six, from the top, that learn
ENCODER_LR, MAP_LR, WARMUP = 1e-4, 1e-3, 50
_EVERY = 100  # steps, after which the state is kept
_SORTED = 4  # batches that are drawn together and sorted by length, so that little is padded
_SQUARES = 0.15  # weight of the squared error beside the cosine


@dataclass
class TunedEncoder:
    """The encoder, and the linear map from its features to the attributes."""

    encoder: SentenceEncoder
    to_profile: nn.Linear


@torch.no_grad()
def features(encoder: SentenceEncoder, texts: Sequence[str]) -> np.ndarray:
    """Texts -> (n, 384) float32 of the encoder, unit norm."""
    found = np.empty((len(texts), encoder.features), np.float32)
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    for start in range(0, len(order), 128):
        some = order[start : start + 128]
        found[some] = encoder(encoder.tokenize([texts[place] for place in some])).numpy()
    return found


def fine_tune(composer: Composer, out: Path, *, steps: int = STEPS, seed: int = 0) -> TunedEncoder:
    """The tuned encoder; goes on from `out` where it was stopped, and leaves the result there."""
    torch.manual_seed(seed)
    encoder = SentenceEncoder.pretrained(SentenceConfig(frozen=False)).eval()
    encoder.requires_grad_(False)
    upper = encoder.layers[-LAYERS:].requires_grad_(True)
    tuned = TunedEncoder(encoder, nn.Linear(encoder.features, len(composer.attributes)))
    optimiser = torch.optim.AdamW(
        [
            {"params": list(upper.parameters()), "lr": ENCODER_LR},
            {"params": list(tuned.to_profile.parameters()), "lr": MAP_LR},
        ],
        weight_decay=0.01,
    )
    parts = {"upper": upper, "map": tuned.to_profile, "optimiser": optimiser}
    begun = 0
    if out.exists():
        state = torch.load(out, weights_only=True)
        begun = int(state["step"])
        for name, part in parts.items():
            part.load_state_dict(state[name])
    peaks = [group["lr"] for group in optimiser.param_groups] if not begun else [ENCODER_LR, MAP_LR]
    precision = native_precision(torch.device("cpu"))
    for step, (texts, wanted) in enumerate(_batches(composer, begun, steps, seed), begun):
        rate = min(1, (step + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group, peak in zip(optimiser.param_groups, peaks, strict=True):
            group["lr"] = peak * rate
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            found = tuned.to_profile(encoder(encoder.tokenize(texts)))
        loss = difference(found.float(), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if (step + 1) % _EVERY == 0 or step + 1 == steps:
            state = {name: part.state_dict() for name, part in parts.items()}
            with written_aside(out) as file:
                torch.save({**state, "step": step + 1}, file)
            print(f"words: {step + 1} of {steps}, loss {loss.item():.3f}", file=sys.stderr)
    return tuned


def difference(found: Tensor, wanted: Tensor) -> Tensor:
    """Of profiles (n, attributes): mostly of their directions; 0-d."""
    return (1 - F.cosine_similarity(found, wanted)).mean() + _SQUARES * F.mse_loss(found, wanted)


def _batches(
    composer: Composer, begun: int, steps: int, seed: int
) -> Iterator[tuple[list[str], Tensor]]:
    """Texts and profiles from step `begun` on; what a step learns from depends on its number."""
    for first in range(begun - begun % _SORTED, steps, _SORTED):
        drawn = list(composer.draw(np.random.default_rng([seed, first]), _SORTED * BATCH))
        drawn.sort(key=lambda sentence: len(sentence[0]))
        for number in range(_SORTED):
            if begun <= first + number < steps:
                some = drawn[number * BATCH : (number + 1) * BATCH]
                texts, profiles = zip(*some, strict=True)
                yield list(texts), torch.from_numpy(np.stack(profiles))
