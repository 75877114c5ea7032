"""The baseline's audio encoder: a convolutional recurrent network (paper, section 5.1).

The baseline of DCASE 2022's task 6b simplifies Xie et al., Unsupervised audio-caption aligning
learns correspondences between individual sound events and textual phrases (ICASSP 2022), whose
network is CDur: Dinkel et al., Towards duration robust weakly supervised sound event detection
(2021). Ours normalises after each convolution, where CDur does before, so that inference can fold
the norm into the convolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from muscall.models.resnet import channels_last


class ConvBlock(nn.Module):
    """3x3 convolution, batch norm, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, mels, frames) -> (batch, outputs, mels, frames)."""
        return F.leaky_relu(self.bn(self.conv(x)), 0.1)


class L4Pool(nn.Module):
    """(mean of x^4)^(1/4) over places of `mels` x `frames`: between a mean and a maximum."""

    def __init__(self, mels: int, frames: int) -> None:
        super().__init__()
        self.size = (mels, frames)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, mels, frames) -> the same, shrunk by the size."""
        mean = F.avg_pool2d(x.float().square().square(), self.size)
        # The slope of the fourth root is infinite at zero, which silence reaches.
        return mean.clamp(min=1e-12).sqrt().sqrt().to(x.dtype)


class Convolutions(nn.Module):
    """Five convolutions of CDur. Mels shrink by 64, frames by `reduction`."""

    reduction = 4

    def __init__(self, width: int) -> None:
        super().__init__()
        self.channels = 4 * width
        self.layers = nn.Sequential(
            ConvBlock(1, width),
            L4Pool(4, 2),
            ConvBlock(width, self.channels),
            ConvBlock(self.channels, self.channels),
            L4Pool(4, 2),
            ConvBlock(self.channels, self.channels),
            ConvBlock(self.channels, self.channels),
            L4Pool(4, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 1, mels, frames) -> (batch, 4 * width, mels // 64, frames // 4)."""
        out: Tensor = self.layers(channels_last(x))
        return out


class RecurrentPool(nn.Module):
    """Bidirectional GRU along time, a linear layer, and the mean over time."""

    def __init__(self, inputs: int, hidden: int, features: int, dropout: float) -> None:
        super().__init__()
        self.features = features
        self.dropout = nn.Dropout(dropout)
        self.gru = nn.GRU(inputs, hidden, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * hidden, features)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, mels, frames) -> (batch, features) float32."""
        # Errors of half precision would add up along time.
        with torch.autocast(x.device.type, enabled=False):
            frames = x.float().flatten(1, 2).transpose(1, 2)
            states, _ = self.gru(self.dropout(frames))
            # The linear layer and the mean commute, and one vector is cheaper than all frames.
            features: Tensor = self.output(states.mean(dim=1))
            return features
