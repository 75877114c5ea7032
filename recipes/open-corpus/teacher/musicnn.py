"""The music tagger musicnn in PyTorch: from 16 kHz samples to 50 tags and 200 features.

"musicnn: Pre-trained convolutional neural networks for music audio tagging" (Pons and Serra,
arXiv:1909.06654), with the weights of its package on PyPI (ISC licence). Two of its networks are
here: `MTT`, learned from MagnaTagATune, hears instruments and voices; `MSD`, learned from the
Million Song Dataset, hears genres, decades and moods.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

RATE = 16000  # Hz
FRAME, HOP, MELS = 512, 256, 96  # samples, samples, bands
PATCH = 187  # frames that the networks learned from, and so look at: 3 s
FEATURES = 200

Network = Literal["mtt", "msd"]

# In the order of the networks' outputs, spelled as in the data that they learned from.
TAGS: dict[Network, tuple[str, ...]] = {
    "mtt": (
        "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast",
        "piano", "ambient", "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male",
        "singing", "vocals", "no vocals", "harpsichord", "loud", "quiet", "flute", "woman",
        "male vocal", "no vocal", "pop", "soft", "sitar", "solo", "man", "classic", "choir",
        "voice", "new age", "dance", "male voice", "female vocal", "beats", "harp", "cello",
        "no voice", "weird", "country", "metal", "female voice", "choral",
    ),
    "msd": (
        "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s",
        "alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists",
        "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s",
        "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
        "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country",
        "easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock",
        "60s", "rnb", "indie pop", "sad", "House", "happy",
    ),
}  # fmt: skip


@cache
def mel_filters() -> Tensor:
    """Triangular filters of unit area on Slaney's mel scale, (FRAME // 2 + 1, MELS) float32."""
    # Linear up to 1 kHz, at mel 15; from there 27 mels to a factor of 6.4.
    step = math.log(6.4) / 27
    top = 15 + math.log(RATE / 2 / 1000) / step
    mels = torch.linspace(0, top, MELS + 2, dtype=torch.float64)
    corners = torch.where(mels < 15, mels * 200 / 3, 1000 * torch.exp((mels - 15) * step))
    frequencies = torch.linspace(0, RATE / 2, FRAME // 2 + 1, dtype=torch.float64)
    offsets = corners[None, :] - frequencies[:, None]
    rising = -offsets[:, :-2] / corners.diff()[:-1]
    falling = offsets[:, 2:] / corners.diff()[1:]
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return (triangles * 2 / (corners[2:] - corners[:-2])).float()


def log_mel(samples: Tensor) -> Tensor:
    """Samples (n,) float32 at RATE, n > FRAME // 2 -> (1 + n // HOP, MELS) float32.

    As the package, but that it rounds mel power to float16 on the way.
    """
    reflected = F.pad(samples[None, None], (FRAME // 2, FRAME // 2), mode="reflect")[0, 0]
    window = torch.hann_window(FRAME)
    pieces = []
    # A few seconds at a time: whole tracks would take a gigabyte.
    for frames in reflected.unfold(0, FRAME, HOP).split(512):
        squares = torch.view_as_real(torch.fft.rfft(frames * window)).square()
        pieces.append(squares.sum(-1) @ mel_filters())
    return torch.log10(1 + 10_000 * torch.cat(pieces))


class Normed(nn.Module):
    """A layer, a ReLU and a batch norm, in the order in which musicnn has them."""

    def __init__(self, layer: nn.Conv1d | nn.Conv2d | nn.Linear, width: int) -> None:
        super().__init__()
        self.layer = layer
        self.norm = nn.BatchNorm1d(width, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Whatever `layer` takes, except a Conv2d's -> the layer's output."""
        normed: Tensor = self.norm(F.relu(self.layer(x)))
        return normed

    def highest(self, x: Tensor) -> Tensor:
        """(batch, 1, frames, bands) -> (batch, width, frames): the maximum over the bands.

        A maximum of ReLU and norm is had from the extremes before them: both are monotonic, and
        the norm falls where its weight is negative.
        """
        low, high = self.layer(x).aminmax(dim=-1)
        extreme = torch.where(self.norm.weight[:, None] < 0, low, high)
        normed: Tensor = self.norm(F.relu(extreme))
        return normed


class Musicnn(nn.Module):
    """Filters as wide as timbres and as long as rhythms, three convolutions, pooling over time."""

    def __init__(self) -> None:
        super().__init__()
        self.input_norm = nn.BatchNorm2d(1, eps=1e-3)
        # 0.4 and 0.7 of the bands high: harmonics wherever they lie.
        self.timbres = nn.ModuleList(
            Normed(nn.Conv2d(1, 204, (7, bands), padding=(3, 0)), 204) for bands in (38, 67)
        )
        self.rhythms = nn.ModuleList(
            Normed(nn.Conv2d(1, 51, (frames, 1)), 51) for frames in (128, 64, 32)
        )
        front = 2 * 204 + 3 * 51
        self.middle = nn.ModuleList(
            Normed(nn.Conv1d(width, 64, 7, padding=3), 64) for width in (front, 64, 64)
        )
        pooled = 2 * (front + 3 * 64)
        self.pool_norm = nn.BatchNorm1d(pooled, eps=1e-3)
        self.penultimate = Normed(nn.Linear(pooled, FEATURES), FEATURES)
        self.output = nn.Linear(FEATURES, 50)

    def forward(self, log_mels: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, frames, MELS) -> logits of the tags (batch, 50), features (batch, FEATURES)."""
        x = self.input_norm(log_mels[:, None])
        timbres = [block.highest(x) for block in self.timbres]
        rhythms = []
        for block in self.rhythms:
            frames = block.layer.kernel_size[0]
            before = (frames - 1) // 2
            rhythms.append(block.highest(F.pad(x, (0, 0, before, frames - 1 - before))))
        front = torch.cat(timbres + rhythms, dim=1)  # (batch, 561, frames)
        first = self.middle[0](front)  # (batch, 64, frames)
        second = self.middle[1](first) + first
        third = self.middle[2](second) + second
        maps = torch.cat([front, first, second, third], dim=1)  # (batch, 753, frames)
        pooled = torch.stack([maps.amax(dim=-1), maps.mean(dim=-1)], dim=-1).flatten(1)
        features = self.penultimate(self.pool_norm(pooled))
        return self.output(features), features


@cache
def pretrained(network: Network) -> Musicnn:
    """The network with its weights, for inference."""
    model = Musicnn()
    path = Path(__file__).parent / "weights" / f"{network}.safetensors"
    model.load_state_dict(load_file(path))
    return model.eval().requires_grad_(False)
