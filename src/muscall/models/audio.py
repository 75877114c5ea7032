"""The audio encoder: waveform to one feature vector (paper, section 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor, nn

from muscall.audio.mel import LogMel
from muscall.models.config import (
    AudioConfig,
    ClapAudioConfig,
    CRNNConfig,
    MusicnnConfig,
    ResNetConfig,
)
from muscall.models.crnn import Convolutions, RecurrentPool
from muscall.models.pooling import AttentionPool, AveragePool, PoolEach
from muscall.models.resnet import ResNet, SideBySide
from muscall.models.tagger import TaggerEncoder, at_least

if TYPE_CHECKING:
    from muscall.models.clap import ClapAudio


class MelEncoder(nn.Module):
    """Log-mel, convolutions to a feature map, pooling. `features` is the size of its output."""

    def __init__(self, config: ResNetConfig | CRNNConfig) -> None:
        super().__init__()
        self.config = config
        self.log_mel = LogMel(config.mel)
        self.backbone: ResNet | SideBySide | Convolutions
        self.pool: AttentionPool | AveragePool | PoolEach | RecurrentPool
        if isinstance(config, CRNNConfig):
            self.backbone = Convolutions(config.width)
            inputs = self.backbone.channels * (config.mel.n_mels // 64)
            self.pool = RecurrentPool(inputs, config.hidden, config.features, config.dropout)
        elif config.branches == 1:
            self.backbone, self.pool = _resnet(config)
        else:
            backbones, pools = zip(*(_resnet(config) for _ in range(config.branches)), strict=True)
            self.backbone, self.pool = SideBySide(backbones), PoolEach(pools)
        self.features = self.pool.features

    @property
    def minimum_samples(self) -> int:
        """The fewest samples that give one frame of the feature map; about 1 s for a ResNet."""
        return (self.backbone.reduction - 1) * self.config.mel.hop

    def forward(self, waveform: Tensor, precision: torch.dtype | None = None) -> Tensor:
        """(batch, samples) float32 mono in [-1, 1], any length -> (batch, features).

        Args:
            waveform: fewer than `minimum_samples` are repeated until there are enough.
            precision: of the backbone's weights; None under autocast.
        """
        waveform = at_least(self.minimum_samples, waveform)
        log_mel = self.log_mel(waveform).unsqueeze(1)  # (batch, 1, mels, frames)
        if precision is None:
            features: Tensor = self.pool(self.backbone(log_mel))
        else:
            features = self.pool(self.backbone(log_mel.to(precision)).float())
        return features


AudioEncoder: TypeAlias = "MelEncoder | TaggerEncoder | ClapAudio"


def new_audio_encoder(config: AudioConfig) -> AudioEncoder:
    """The encoder with random weights."""
    if isinstance(config, ClapAudioConfig):
        from muscall.models.clap import ClapAudio  # takes transformers, which need not be there

        return ClapAudio(config)
    return TaggerEncoder(config) if isinstance(config, MusicnnConfig) else MelEncoder(config)


def _resnet(config: ResNetConfig) -> tuple[ResNet, AttentionPool | AveragePool]:
    """The network and its pool."""
    backbone = ResNet(config.width, config.blocks, checkpoint_gradients=config.checkpoint_gradients)
    if config.pooling == "average":
        return backbone, AveragePool(backbone.channels)
    if config.pooling == "average_linear":
        return backbone, AveragePool(backbone.channels, config.features)
    mels = config.mel.n_mels // backbone.reduction
    frames = max(1, (1 + config.window_samples // config.mel.hop) // backbone.reduction)
    pool = AttentionPool(backbone.channels, mels, frames, config.heads, config.features)
    return backbone, pool
