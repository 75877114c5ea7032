"""ResNet-50 with CLIP's changes, for log-mel spectrograms (paper, section 3.4)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions with a residual path.

    Strides are anti-aliased: an average pool follows the 3x3 convolution and precedes the 1x1
    convolution of the residual path.
    """

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        outputs = width * 4
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                OrderedDict(
                    pool=nn.AvgPool2d(stride) if stride > 1 else nn.Identity(),
                    conv=nn.Conv2d(inputs, outputs, 1, bias=False),
                    bn=nn.BatchNorm2d(outputs),
                )
            )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, mels, frames) -> (batch, 4 * width, mels / stride, frames / stride)."""
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.pool(F.relu(self.bn2(self.conv2(out)), inplace=True))
        out = self.bn3(self.conv3(out)).add_(self.downsample(x))
        return F.relu(out, inplace=True)


def channels_last(x: Tensor) -> Tensor:
    """(batch, 1, mels, frames) -> the same in channels-last memory format, which is twice as fast.

    It is made by strides, because torch takes a tensor of one channel for channels-last already.
    """
    return x.contiguous().squeeze(1).unsqueeze(-1).permute(0, 3, 1, 2)


class ResNet(nn.Module):
    """Three-convolution stem with average pooling, then four stages of bottlenecks.

    Both axes shrink by 32. `width` is the number of stem channels; the last stage has 32 * width.
    """

    reduction = 32

    def __init__(
        self, width: int, blocks: tuple[int, int, int, int], *, checkpoint_gradients: bool = False
    ) -> None:
        super().__init__()
        self.checkpoint_gradients = checkpoint_gradients
        self.conv1 = nn.Conv2d(1, width // 2, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width // 2)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.pool = nn.AvgPool2d(2)
        stages = []
        channels = width
        for index, depth in enumerate(blocks):
            planes = width * 2**index
            stage = [Bottleneck(channels, planes, stride=1 if index == 0 else 2)]
            channels = planes * 4
            stage += [Bottleneck(channels, planes) for _ in range(depth - 1)]
            stages.append(nn.Sequential(*stage))
        self.stages = nn.ModuleList(stages)
        self.channels = channels
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, Bottleneck):
                # Each block starts as the identity, as in CLIP's ResNet.
                nn.init.zeros_(module.bn3.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 1, mels, frames) -> (batch, 32 * width, mels // 32, frames // 32)."""
        x = channels_last(x)
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = F.relu(self.bn2(self.conv2(x)), inplace=True)
        x = self.pool(F.relu(self.bn3(self.conv3(x)), inplace=True))
        for stage in self.stages:
            if self.checkpoint_gradients and torch.is_grad_enabled():
                x = checkpoint(stage, x, use_reentrant=False)
            else:
                x = stage(x)
        return x


class SideBySide(nn.Module):
    """Networks with the same input, whose feature maps are concatenated."""

    reduction = ResNet.reduction

    def __init__(self, branches: Iterable[ResNet]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 1, mels, frames) -> (batch, channels of all, mels // 32, frames // 32)."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)
