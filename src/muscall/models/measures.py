"""Rhythm and timbre measured from a log-mel, without a network: five numbers a window."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from muscall.audio.mel import LogMel
from muscall.audio.mel_config import MelConfig

_MEL = MelConfig(level_normalised=True)
_FRAMES = _MEL.sample_rate / _MEL.hop  # a second
_QUIET = -60.0  # dB below the mean; quieter rises are not notes
_NEAR, _FAR = (
    2,
    7,
)  # frames within which a peak is the highest, and rises from the lowest
_BEAT = round(60 / 180 * _FRAMES), round(60 / 50 * _FRAMES)  # frames, at 180 and 50 a minute
_MEDIAN = 17  # frames of a sustained note, or bands of a drum stroke


class Measures(nn.Module):
    """Onsets, percussion, pulse, dynamics and brightness. None of them depends on the level.

    - onsets a second: peaks of the mean rise over the mels that stand out by a standard deviation.
    - percussion: the share of the power that is more alike over mels than over time, in 0..1 (as
      Fitzgerald, DAFx 2010, with means for medians, which are ten times as fast).
    - pulse: how well the rises repeat at the best beat of 50 to 180 a minute, in 0..1.
    - dynamics: the logarithm of the standard deviation of the level over seconds, in dB.
    - brightness: the logarithm of the spectral centroid, in Hz.
    """

    count = 5
    centres: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.log_mel = LogMel(_MEL)
        top = 2595 * torch.log10(1 + torch.tensor(_MEL.f_max) / 700)
        centres = 700 * (10 ** (torch.linspace(0, top, _MEL.n_mels + 2)[1:-1] / 2595) - 1)
        self.register_buffer("centres", centres, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, samples) float32 at 16 kHz, two seconds at least -> (batch, count) float32."""
        with torch.autocast(waveform.device.type, enabled=False):
            decibels = self.log_mel(waveform)
            power = 10 ** (decibels / 10)
            total = power.sum(dim=(1, 2)).clamp(min=1e-12)
            rises = decibels.clamp(min=_QUIET).diff(dim=2).clamp(min=0).mean(dim=1)
            rises = rises / (rises.std(dim=1, keepdim=True) + 1e-6)
            centroid = (power.sum(dim=2) @ self.centres / total).clamp(min=50)
            measured = [
                _onsets(rises),
                _percussion(power) / total,
                _pulse(rises),
                (_seconds(power).std(dim=1) + 0.3).log(),
                centroid.log(),
            ]
            return torch.stack(measured, dim=1)


def _onsets(rises: Tensor) -> Tensor:
    """(batch, frames) -> onsets a second (batch,)."""
    highest = F.max_pool1d(rises[:, None], 2 * _NEAR + 1, 1, _NEAR)[:, 0]
    padded = F.pad(-rises[:, None], (_FAR, _FAR), mode="replicate")
    lowest = -F.max_pool1d(padded, _FAR + 1, 1)[:, 0]  # from each frame on, from _FAR before it
    before, after = lowest[:, :-_FAR], lowest[:, _FAR:]
    peaks = (rises == highest) & (rises - torch.maximum(before, after) >= 1)
    return peaks.float().mean(dim=1) * _FRAMES


def _percussion(power: Tensor) -> Tensor:
    """(batch, mels, frames) -> the power that is percussive (batch,)."""
    root, half = power.sqrt()[:, None], _MEDIAN // 2
    lasting = F.avg_pool2d(root, (1, _MEDIAN), 1, (0, half), count_include_pad=False)[:, 0] ** 4
    struck = F.avg_pool2d(root, (_MEDIAN, 1), 1, (half, 0), count_include_pad=False)[:, 0] ** 4
    return (power * struck / (lasting + struck + 1e-12)).sum(dim=(1, 2))


def _pulse(rises: Tensor) -> Tensor:
    """(batch, frames) -> the highest autocorrelation at a beat (batch,), relative to lag 0."""
    flat = rises - rises.mean(dim=1, keepdim=True)
    frames = flat.shape[1]
    spectrum = torch.fft.rfft(flat, n=2 * frames).abs().square()
    likeness = torch.fft.irfft(spectrum)[:, :frames]
    beats = likeness[:, _BEAT[0] : _BEAT[1] + 1].amax(dim=1).clamp(min=0)
    pulse: Tensor = beats / likeness[:, 0].clamp(min=1e-9)
    return pulse


def _seconds(power: Tensor) -> Tensor:
    """(batch, mels, frames) -> the level of each second (batch, seconds), dB."""
    second = round(_FRAMES)
    return 10 * torch.log10(F.avg_pool1d(power.sum(dim=1)[:, None], second)[:, 0] + 1e-6)
