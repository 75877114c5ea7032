"""From a feature map of any length to one vector (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class AveragePool(nn.Module):
    """Mean over mels and time, then a linear map to `features` if that is given."""

    def __init__(self, channels: int, features: int | None = None) -> None:
        super().__init__()
        self.features = features or channels
        self.output = nn.Linear(channels, features) if features else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, mels, frames) -> (batch, features)."""
        features: Tensor = self.output(x.mean(dim=(2, 3)))
        return features


class AttentionPool(nn.Module):
    """Multi-head attention over the map with its mean as the only query.

    Positional embeddings are learned for a grid of `mels` x `frames` and interpolated along time
    for inputs of another length.

    With one query, we can fold the key and value projections into it. With q the projected mean,
    softmax(q . (W_k x)) = softmax((W_k^T q) . x), so the map itself is never projected.
    """

    def __init__(self, channels: int, mels: int, frames: int, heads: int, features: int) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"{channels} channels cannot be split into {heads} heads")
        self.heads = heads
        self.grid = (mels, frames)
        self.features = features
        self.positions = nn.Parameter(torch.randn(mels * frames + 1, channels) / channels**0.5)
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.output = nn.Linear(channels, features)
        for layer in (self.query, self.key, self.value, self.output):
            nn.init.normal_(layer.weight, std=channels**-0.5)
            nn.init.zeros_(layer.bias)

    def positions_for(self, mels: int, frames: int) -> Tensor:
        """Embeddings (1 + mels * frames, channels); the first belongs to the mean."""
        if (mels, frames) == self.grid:
            return self.positions
        grid = self.positions[1:].reshape(1, *self.grid, -1).permute(0, 3, 1, 2).float()
        grid = F.interpolate(grid, (mels, frames), mode="bilinear", align_corners=False)
        rest = grid.flatten(2).squeeze(0).T.to(self.positions.dtype)
        return torch.cat([self.positions[:1], rest])

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, mels, frames) -> (batch, features)."""
        batch, channels, mels, frames = x.shape
        width = channels // self.heads
        x = x.flatten(2).transpose(1, 2)  # (batch, places, channels)
        x = torch.cat([x.mean(dim=1, keepdim=True), x], dim=1)
        x = x + self.positions_for(mels, frames).to(x.dtype)
        query = self.query(x[:, 0]).view(batch, self.heads, width)
        # The key's bias adds the same to every place's score, which the softmax cancels.
        key = self.key.weight.view(self.heads, width, channels).to(query.dtype)
        folded = torch.einsum("bhw,hwc->bhc", query, key) * width**-0.5
        scores = folded @ x.to(folded.dtype).transpose(1, 2)  # (batch, heads, places)
        weights = scores.float().softmax(dim=-1).to(x.dtype)
        pooled = weights @ x  # (batch, heads, channels)
        value = self.value.weight.view(self.heads, width, channels).to(pooled.dtype)
        mixed = torch.einsum("bhc,hwc->bhw", pooled, value).flatten(1) + self.value.bias
        features: Tensor = self.output(mixed)
        return features


class PoolEach(nn.Module):
    """A pool for each branch of `resnet.SideBySide`; their features are concatenated."""

    def __init__(self, pools: Sequence[AttentionPool | AveragePool]) -> None:
        super().__init__()
        self.pools = nn.ModuleList(pools)
        self.features = sum(pool.features for pool in pools)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels of all, mels, frames) -> (batch, features)."""
        parts = x.chunk(len(self.pools), dim=1)
        return torch.cat([pool(part) for pool, part in zip(self.pools, parts, strict=True)], dim=1)
