"""An audio encoder of a pretrained music tagger and measurements of the sound."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from muscall.models.config import MusicnnConfig
from muscall.models.measures import Measures
from muscall.models.musicnn import FEATURES, SAMPLES, TAGS, Musicnn, MusicnnMel


def at_least(samples: int, waveform: Tensor) -> Tensor:
    """(batch, n), repeated until there are at least `samples` of them."""
    return waveform.repeat(1, max(1, -(-samples // waveform.shape[-1])))


class Taggers(nn.Module):
    """Both networks of musicnn side by side."""

    features = 2 * (TAGS + FEATURES)

    def __init__(self) -> None:
        super().__init__()
        self.networks = nn.ModuleList([Musicnn(), Musicnn()])

    def forward(self, log_mel: Tensor) -> Tensor:
        """(batch, frames, MELS) -> (batch, features): the logits of all 100 tags come first."""
        tags, features = zip(*(network(log_mel) for network in self.networks), strict=True)
        return torch.cat([*tags, *features], dim=1)


class Standardise(nn.Module):
    """(features - mean) / deviation, with statistics of the music that they were fitted to."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features) -> the same shape."""
        return (x - self.mean) / self.deviation


class TaggerEncoder(nn.Module):
    """musicnn on the central 3 s of a window, measurements of all of it, both standardised.

    The networks take ten times as long for a second as a ResNet of the published width. So they get
    a part of each window; a track has many windows.
    """

    minimum_samples = SAMPLES

    def __init__(self, config: MusicnnConfig) -> None:
        super().__init__()
        self.config = config
        self.log_mel = MusicnnMel()
        self.backbone = Taggers()
        self.measures = Measures()
        self.features = Taggers.features + Measures.count
        self.pool = Standardise(self.features)
        if config.frozen:
            self.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """As torch's, except that frozen networks keep the statistics of their norms."""
        return super().train(mode and not self.config.frozen)

    def forward(self, waveform: Tensor, precision: torch.dtype | None = None) -> Tensor:
        """(batch, samples) float32 mono in [-1, 1], any length -> (batch, features).

        Args:
            waveform: fewer than `minimum_samples` are repeated until there are enough.
            precision: of the backbone's weights; None under autocast.
        """
        waveform = at_least(self.minimum_samples, waveform)
        tags = self.backbone(self.log_mel(waveform).to(precision or waveform.dtype)).float()
        features: Tensor = self.pool(torch.cat([tags, self.measures(waveform)], dim=1))
        return features
