"""The changes of `muscall.data.augment`, done to a batch of log-mels on the GPU."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from muscall.audio.mel import mel_filters
from muscall.audio.mel_config import MelConfig
from muscall.data.augment import AugmentConfig

_STEPS = 33  # pitch shifts between the lowest and the highest


def _mel(hz: np.ndarray | float) -> np.ndarray:
    return 2595 * np.log10(1 + np.asarray(hz) / 700)


class MelAugment:
    """Pitch shift, noise and gain with the probabilities and bounds of `data.augment`. An inverted
    polarity changes nothing in a spectrogram.
    """

    def __init__(self, device: torch.device, config: AugmentConfig | None = None) -> None:
        mel = MelConfig()
        self.config, self.mels = config or AugmentConfig(), mel.n_mels
        self.fft_bins = mel.n_fft // 2 + 1
        # How many bins of the spectrum a band sums up.
        self.bins = mel_filters(mel).sum(dim=0).clamp(min=0.3).to(device)
        self.shifts = torch.from_numpy(self._shifts(float(_mel(mel.f_max)))).to(device)

    def _shifts(self, top: float) -> np.ndarray:
        """(_STEPS, mels, mels): what each pitch shift makes of the bands."""
        width = top / (self.mels + 1)
        centres = 700 * (10 ** (np.arange(1, self.mels + 1) * width / 2595) - 1)
        found = np.zeros((_STEPS, self.mels, self.mels), np.float32)
        for number, semitones in enumerate(np.linspace(*self.config.semitones, _STEPS)):
            source = _mel(centres / 2 ** (semitones / 12)) / width - 1
            low = np.floor(source).astype(int)
            for band, (place, share) in enumerate(zip(low, source - low, strict=True)):
                for neighbour, weight in ((place, 1 - share), (place + 1, share)):
                    if neighbour < self.mels:
                        found[number, band, max(neighbour, 0)] += weight
        return found

    def __call__(self, mel: Tensor, generator: torch.Generator) -> Tensor:
        """(n, mels, frames) float32 dB -> the same, each clip changed by itself."""
        count, config = len(mel), self.config

        def uniform(low: float = 0.0, high: float = 1.0) -> Tensor:
            drawn = torch.rand(count, device=mel.device, generator=generator)
            return low + (high - low) * drawn

        def column(values: Tensor) -> Tensor:
            return values[:, None, None]

        shifted = uniform() < config.pitch_shift
        which = torch.where(shifted, (uniform() * _STEPS).long().clamp(max=_STEPS - 1), _STEPS // 2)
        matrices = self.shifts[which]
        floor = mel.amin(dim=(1, 2), keepdim=True)
        missing = 1 - matrices.sum(dim=2, keepdim=True)  # above what there was to shift
        mel = torch.bmm(matrices, mel) + missing * floor

        power = 10 ** (mel / 10)
        signal = power.sum(dim=1).mean(dim=1) / self.fft_bins
        noise = column(signal * 10 ** (-uniform(*config.noise_snr_db) / 10)) * self.bins[:, None]
        rough = torch.randn(mel.shape, device=mel.device, generator=generator)
        rough = (1 + rough / self.bins.sqrt()[:, None]).clamp(min=0.05)
        noisy = 10 * torch.log10((power + noise * rough).clamp(min=1e-10))
        mel = torch.where(column(uniform() < config.noise), noisy, mel)
        gain = torch.where(uniform() < config.gain, uniform(*config.gain_db), 0.0)
        return mel + column(gain)
