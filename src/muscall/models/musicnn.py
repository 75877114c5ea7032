"""The music tagger musicnn: its log-mel, and the network from there to 50 tags and 200 features.

"musicnn: Pre-trained convolutional neural networks for music audio tagging" (Pons and Serra,
arXiv:1909.06654). Its package on PyPI (ISC licence) has two networks with their weights. One
learned from MagnaTagATune and hears instruments and voices, the other from the Million Song
Dataset and hears genres, decades and moods.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from muscall.models.config import MUSICNN_RATE

FRAME, HOP, MELS = 512, 256, 96  # samples, samples, bands
PATCH = 187  # frames that the networks learned from: 3 s
SAMPLES = PATCH * HOP
LEVEL, QUIETEST = 0.1, 1e-4  # RMS; clips below the second are raised as much as one at it
TAGS, FEATURES = 50, 200


def mel_filters() -> Tensor:
    """Triangular filters of unit area on Slaney's mel scale, (FRAME // 2 + 1, MELS) float32."""
    # Linear up to 1 kHz, at mel 15; from there 27 mels to a factor of 6.4.
    step = math.log(6.4) / 27
    top = 15 + math.log(MUSICNN_RATE / 2 / 1000) / step
    mels = torch.linspace(0, top, MELS + 2, dtype=torch.float64)
    corners = torch.where(mels < 15, mels * 200 / 3, 1000 * torch.exp((mels - 15) * step))
    frequencies = torch.linspace(0, MUSICNN_RATE / 2, FRAME // 2 + 1, dtype=torch.float64)
    offsets = corners[None, :] - frequencies[:, None]
    rising = -offsets[:, :-2] / corners.diff()[:-1]
    falling = offsets[:, 2:] / corners.diff()[1:]
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return (triangles * 2 / (corners[2:] - corners[:-2])).float()


class MusicnnMel(nn.Module):
    """The central 3 s of each window to log10(1 + 10,000 * mel power).

    The samples are brought to LEVEL first, so that a quieter copy is the same music.
    """

    window: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(FRAME), persistent=False)
        self.register_buffer("filters", mel_filters(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n) float32 at MUSICNN_RATE, n >= SAMPLES -> (batch, PATCH, MELS) float32."""
        with torch.autocast(waveform.device.type, enabled=False):
            start = (waveform.shape[-1] - SAMPLES) // 2
            patch = waveform[:, start : start + SAMPLES].float()
            level = patch.square().mean(dim=-1, keepdim=True).sqrt()
            return self.log_mel(patch * (LEVEL / level.clamp(min=QUIETEST)))[:, :PATCH]

    def log_mel(self, samples: Tensor) -> Tensor:
        """(batch, n) float32, n > FRAME // 2 -> (batch, 1 + n // HOP, MELS) float32."""
        padded = F.pad(samples[:, None], (FRAME // 2, FRAME // 2), mode="reflect")[:, 0]
        spectrum = torch.fft.rfft(padded.unfold(-1, FRAME, HOP) * self.window)
        power = torch.view_as_real(spectrum).square().sum(-1) @ self.filters
        return torch.log10(1 + 10_000 * power)


class Normed(nn.Module):
    """A layer, a ReLU and a batch norm, in the order in which musicnn has them."""

    def __init__(self, layer: nn.Conv1d | nn.Conv2d | nn.Linear, width: int) -> None:
        super().__init__()
        self.layer = layer
        self.norm = nn.BatchNorm1d(width, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Whatever `layer` takes -> the layer's output."""
        normed: Tensor = self.norm(F.relu(self.layer(x)))
        return normed


class FilterBank(Normed):
    """`width` filters of `frames` x `bands`, each with its maximum over all places along the bands.

    Filters of several bands are applied as products of spectra along the bands, which take about a
    quarter of the arithmetic of a convolution.
    """

    def __init__(self, width: int, frames: int, bands: int) -> None:
        super().__init__(nn.Conv2d(1, width, (frames, bands)), width)
        self.frames, self.bands = frames, bands
        self.padding = ((frames - 1) // 2, frames // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, frames, MELS) -> (batch, width, frames)."""
        # ReLU and norm are monotonic, so the maximum can be taken before them. If the norm's weight
        # is negative, it is the minimum.
        sign = torch.where(self.norm.weight < 0, -1.0, 1.0)
        filters = self.layer.weight[:, 0].float() * sign[:, None, None]
        padded = F.pad(x, (0, 0, *self.padding))
        with torch.autocast(x.device.type, enabled=False):  # spectra need more than eight bits
            highest = (_along_time if self.bands == 1 else _by_spectra)(padded.float(), filters)
        extreme = (highest * sign[:, None] + self.layer.get_parameter("bias")[:, None]).to(x.dtype)
        normed: Tensor = self.norm(F.relu(extreme))
        return normed


def _highest(x: Tensor) -> Tensor:
    """The maximum over the first dimension; on processors faster than `amax` over it."""
    while (count := len(x)) > 1:
        x = torch.maximum(x[: (count + 1) // 2], x[count // 2 :])
    return x[0]


def _along_time(x: Tensor, filters: Tensor) -> Tensor:
    """(batch, frames, bands) and filters (width, taps, 1) -> maxima (batch, width, frames left)."""
    batch, _, bands = x.shape
    heard = F.conv1d(x.transpose(1, 2).flatten(0, 1)[:, None], filters.transpose(1, 2))
    return _highest(heard.view(batch, bands, *heard.shape[1:]).transpose(0, 1))


def _by_spectra(x: Tensor, filters: Tensor) -> Tensor:
    """(batch, frames, bands), filters (width, taps, height) -> maxima (batch, width, frames left).

    A correlation along the bands is a product of spectra, and its value at a place is a sum of
    cosines and sines. Counted from the central place, cosines are even and sines odd: the values at
    q and -q are even + odd and even - odd, and the higher of both is even + |odd|.
    """
    batch, _, bands = x.shape
    width, taps, height = filters.shape
    farthest = bands - height - (centre := (bands - height) // 2)  # centre, or one more
    frequencies = 2 * math.pi / bands * torch.arange(bands // 2 + 1, device=x.device)
    weights = torch.full_like(frequencies, 2 / bands)
    weights[0] = 1 / bands
    weights[bands // 2 :] /= 1 + (bands % 2 == 0)  # an even number of bands has a last one alone
    angles = frequencies * torch.arange(farthest + 1, device=x.device)[:, None]
    even, odd = angles.cos() * weights, -angles.sin() * weights  # (places, frequencies)

    angles = frequencies[:, None] * torch.arange(bands, device=x.device)
    real, imaginary = x @ angles.cos().T, -x @ angles.sin().T  # (batch, frames, frequencies)
    angles = frequencies[:, None] * torch.arange(centre, centre + height, device=x.device)
    cosine = torch.einsum("wth,fh->ftw", filters, angles.cos())
    sine = torch.einsum("wth,fh->ftw", filters, angles.sin())
    spectra = torch.cat([real.unfold(1, taps, 1), imaginary.unfold(1, taps, 1)], dim=-1)
    spectra = spectra.permute(2, 0, 1, 3).flatten(1, 2)  # (frequencies, batch * frames, 2 * taps)
    to_real = torch.cat([cosine, -sine], dim=1)
    to_imaginary = torch.cat([sine, cosine], dim=1)

    def loudest(piece: Tensor) -> Tensor:
        above = even @ (piece @ to_real).flatten(1)  # (places, frames of the piece * width)
        beside = odd @ (piece @ to_imaginary).flatten(1)
        both = _highest((above + beside.abs())[: centre + 1])
        return both if farthest == centre else torch.maximum(both, above[-1] + beside[-1])

    # A few frames at a time stay in a processor's caches.
    size = 12 if x.device.type == "cpu" else spectra.shape[1]
    highest = torch.cat([loudest(piece) for piece in torch.split(spectra, size, dim=1)])
    return highest.view(batch, -1, width).transpose(1, 2)


class Musicnn(nn.Module):
    """Filters as wide as timbres and as long as rhythms, three convolutions, pooling over time."""

    def __init__(self) -> None:
        super().__init__()
        self.input_norm = nn.BatchNorm2d(1, eps=1e-3)
        # Of 0.4 and 0.7 of the bands, for harmonics at any pitch.
        self.timbres = nn.ModuleList(FilterBank(204, 7, bands) for bands in (38, 67))
        self.rhythms = nn.ModuleList(FilterBank(51, frames, 1) for frames in (128, 64, 32))
        front = 2 * 204 + 3 * 51
        self.middle = nn.ModuleList(
            Normed(nn.Conv1d(width, 64, 7, padding=3), 64) for width in (front, 64, 64)
        )
        pooled = 2 * (front + 3 * 64)
        self.pool_norm = nn.BatchNorm1d(pooled, eps=1e-3)
        self.penultimate = Normed(nn.Linear(pooled, FEATURES), FEATURES)
        self.output = nn.Linear(FEATURES, TAGS)

    def forward(self, log_mels: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, frames, MELS) -> logits of the tags (batch, TAGS), features (batch, FEATURES)."""
        x = self.input_norm(log_mels[:, None])[:, 0]
        front = torch.cat([bank(x) for bank in (*self.timbres, *self.rhythms)], dim=1)
        first = self.middle[0](front)  # (batch, 64, frames)
        second = self.middle[1](first) + first
        third = self.middle[2](second) + second
        maps = torch.cat([front, first, second, third], dim=1)  # (batch, 753, frames)
        pooled = torch.stack([maps.amax(dim=-1), maps.mean(dim=-1)], dim=-1).flatten(1)
        features = self.penultimate(self.pool_norm(pooled))
        return self.output(features), features
