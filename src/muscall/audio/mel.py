"""Log-mel spectrogram, the input of the audio encoder (paper, section 3.4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from muscall.audio.mel_config import MelConfig


def mel_filters(config: MelConfig) -> Tensor:
    """Triangular filters on the HTK mel scale, without area normalisation.

    Returns:
        (n_fft // 2 + 1, n_mels) float32. Filters above the Nyquist frequency are all zero.
    """
    frequencies = torch.linspace(0, config.sample_rate // 2, config.n_fft // 2 + 1)
    low, high = (2595 * torch.log10(1 + torch.tensor([config.f_min, config.f_max]) / 700)).tolist()
    corners = 700 * (10 ** (torch.linspace(low, high, config.n_mels + 2) / 2595) - 1)
    widths = corners.diff()
    offsets = corners[None, :] - frequencies[:, None]
    rising = -offsets[:, :-2] / widths[:-1]
    falling = offsets[:, 2:] / widths[1:]
    return torch.minimum(rising, falling).clamp(min=0)


BANDS = 4


class LogMel(nn.Module):
    """Waveform to decibels: power spectrogram, mel filters, logarithm.

    The power is divided by the energy of the Hann window, so a level does not depend on `n_fft`.
    The floor lies `top_db` under each clip's own maximum; silence is -100 dB throughout, or 0 dB
    if they are level-normalised.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, config: MelConfig) -> None:
        super().__init__()
        self.config = config
        window = torch.hann_window(config.n_fft)
        self.register_buffer("window", window, persistent=False)
        filters = mel_filters(config) / window.square().sum()
        self.register_buffer("filters", filters, persistent=False)
        # A filter is zero but for a few bins: products with bands of filters skip most zeros.
        self.bands: list[tuple[int, int]] = []
        for band in filters.tensor_split(BANDS, dim=1):
            bins = band.any(dim=1).nonzero().flatten().tolist() or [0]
            self.bands.append((bins[0], bins[-1] + 1))

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, samples) float32 in [-1, 1] -> (batch, n_mels, 1 + samples // hop) float32 dB."""
        with torch.autocast(waveform.device.type, enabled=False):
            # One by one, the frames of a clip stay in a processor's cache.
            size = 1 if waveform.device.type == "cpu" else len(waveform)
            pieces = torch.split(waveform.float(), size)
            return torch.cat([self.decibels(self.power(piece)) for piece in pieces])

    def power(self, waveform: Tensor) -> Tensor:
        """(batch, samples) -> mel power (batch, n_mels, frames)."""
        n_fft, hop = self.config.n_fft, self.config.hop
        half = n_fft // 2
        if waveform.shape[-1] <= half:
            waveform = nn.functional.pad(waveform, (0, half + 1 - waveform.shape[-1]))
        # Reflected at both ends; torch's own reflection copies the middle ten times as slowly.
        start, end = waveform[..., 1 : half + 1].flip(-1), waveform[..., -half - 1 : -1].flip(-1)
        padded = torch.cat([start, waveform, end], dim=-1)
        frames = padded.unfold(-1, n_fft, hop)  # (batch, frames, n_fft)
        # Two real squares are cheaper than a complex magnitude, which takes a root to square it.
        squares = torch.view_as_real(torch.fft.rfft(frames * self.window)).square()
        power = squares[..., 0] + squares[..., 1]
        filters = self.filters.tensor_split(BANDS, dim=1)
        bands = [
            power[..., low:high] @ band[low:high]
            for (low, high), band in zip(self.bands, filters, strict=True)
        ]
        return torch.cat(bands, dim=-1).transpose(1, 2)

    def decibels(self, power: Tensor) -> Tensor:
        """(batch, n_mels, frames) power -> dB, floored `top_db` under each clip's maximum."""
        power = power.clamp(min=1e-10)
        decibels = 10 * torch.log10(power)
        floor = decibels.amax(dim=(-2, -1), keepdim=True) - self.config.top_db
        decibels = torch.maximum(decibels, floor)
        if self.config.level_normalised:
            decibels = decibels - 10 * torch.log10(power.mean(dim=(-2, -1), keepdim=True))
        return decibels
