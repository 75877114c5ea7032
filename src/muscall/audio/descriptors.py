"""What is measured of a track's sound: tempo, key and loudness.

Nothing here imports torch or scipy.signal, which takes a second: the processes that decode a
library measure too, and one is started for each upload. Of what imports fast, scipy.fft is the
fastest at many short spectra: numpy's takes more than twice the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from scipy import fft

from muscall.audio.loudness import Loudness
from muscall.audio.windows import Samples

PIECE = 20.0  # seconds that are measured together
_ALL, _EVERY = 4, 3  # the first pieces are all measured, later ones every third

_LOWEST, _HIGHEST, _OCTAVES = 40.0, 320.0, 24  # BPM, and candidates per octave
_USUAL, _SPREAD = 120.0, 0.5  # BPM, octaves: the prior of what listeners tap
_WEAK = 0.05  # strength of a pulse below which a track has no tempo

KEYS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MODES = ("major", "minor")


@dataclass(frozen=True)
class Descriptors:
    """Measurements of one track; None where the sound does not tell."""

    tempo: float | None = None
    """Beats per minute in 40..320; it may be half or twice of what a listener taps."""
    key: str | None = None
    """Tonic and mode, as "Eb minor"."""
    loudness: float | None = None
    """Integrated loudness in LUFS (EBU R 128), of the mono mix played by two loudspeakers."""


class Meter:
    """Measures one track, block by block.

    Example:
        >>> meter = Meter(16000)
        >>> meter.add(np.zeros(16000, np.float32))
        >>> meter.descriptors().tempo is None
        True

    Args:
        sample_rate: of the samples, in Hz; 16 kHz or more.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._length = round(PIECE * sample_rate)
        self._held: list[Samples] = []
        self._samples = 0
        self._pieces = 0
        self._pulses: list[np.ndarray] = []
        self._chroma: list[np.ndarray] = []
        self._loudness = Loudness(sample_rate)

    def add(self, samples: Samples) -> None:
        """Take the next samples (n,) float32 in [-1, 1], mono."""
        self._loudness.add(samples)
        while len(samples):
            taken = samples[: self._length - self._samples]
            self._held.append(taken)
            self._samples += len(taken)
            samples = samples[len(taken) :]
            if self._samples == self._length:
                self._measure()

    def descriptors(self) -> Descriptors:
        """What the samples so far say. Silence, or less than five seconds, says nothing."""
        if self._samples > self._length // 4:
            self._measure()
        loudness = self._loudness.integrated()
        if not self._pulses or loudness is None:
            return Descriptors(loudness=loudness)
        return Descriptors(
            tempo=_tempo(np.mean(self._pulses, axis=0)),
            key=_key(np.concatenate(self._chroma, axis=1)),
            loudness=round(loudness, 1),
        )

    def chroma_statistics(self) -> np.ndarray:
        """(4, 12) that give the key: for those who fit its profiles."""
        return _chroma_statistics(np.concatenate(self._chroma, axis=1))

    def _measure(self) -> None:
        piece = np.concatenate(self._held)
        self._held, self._samples = [], 0
        self._pieces += 1
        if (self._pieces > _ALL and self._pieces % _EVERY) or not piece.any():
            return
        self._pulses.append(_pulse(_onsets(piece, self._rate), self._rate))
        self._chroma.append(_chroma(piece, self._rate))


@cache
def candidates() -> np.ndarray:
    """The tempi (n,) that are distinguished, in BPM."""
    count = round(_OCTAVES * math.log2(_HIGHEST / _LOWEST)) + 1
    return np.geomspace(_LOWEST, _HIGHEST, count)


@cache
def _hann(length: int) -> np.ndarray:
    """(length,) float32, periodic."""
    return np.hanning(length + 1)[:-1].astype(np.float32)


def _hop(rate: int) -> int:
    return round(0.032 * rate)


def _onsets(piece: Samples, rate: int) -> np.ndarray:
    """-> how much the level rises from frame to frame, in three bands and all (4, frames), dB."""
    hop = _hop(rate)
    frames = np.lib.stride_tricks.sliding_window_view(piece, 2 * hop)[::hop]
    power = np.abs(fft.rfft(frames * _hann(2 * hop), axis=1)) ** 2 @ _mel_filters(rate)
    power = np.maximum(power, 1e-10)
    level = 10 * np.log10(power / power.mean())
    rises = np.diff(np.maximum(level, -60.0), axis=0).clip(min=0)
    bands = [rises[:, :20], rises[:, 20:64], rises[:, 64:], rises]
    return np.stack([band.mean(axis=1) for band in bands])


@cache
def _mel_filters(rate: int) -> np.ndarray:
    """(bins, 128) float32 triangles up to 8 kHz."""
    mels = np.linspace(0, 2595 * math.log10(1 + 8000 / 700), 130)
    points = 700 * (10 ** (mels / 2595) - 1)
    bins = fft.rfftfreq(2 * _hop(rate), 1 / rate)[:, None]
    rising = (bins - points[:-2]) / np.diff(points)[:-1]
    falling = (points[2:] - bins) / np.diff(points)[1:]
    filters: np.ndarray = np.minimum(rising, falling).clip(min=0).astype(np.float32)
    return filters


def _pulse(rises: np.ndarray, rate: int) -> np.ndarray:
    """Rises (4, frames) -> (2, candidates): autocorrelation at the beat, spectrum at its frequency.

    The first is high at divisions of the tempo too, the second at multiples: their product is high
    at the tempo alone.
    """
    frames = rises.shape[1]
    per_second = rate / _hop(rate)
    half = round(3.2 * per_second)
    total = np.cumsum(np.pad(rises, ((0, 0), (half + 1, half))), axis=1, dtype=np.float64)
    rises = rises - (total[:, 2 * half + 1 :] - total[:, :frames]) / (2 * half + 1)
    spectrum = fft.rfft(rises, 2 * frames, axis=1)
    repeats = fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :frames]
    repeats = repeats / repeats[:, :1].clip(min=1e-9)
    magnitude = np.abs(spectrum) / np.abs(spectrum).mean(axis=1, keepdims=True).clip(min=1e-6)
    lags = 60 * per_second / candidates()
    bins = candidates() / 60 * 2 * frames / per_second
    beats = np.stack([np.interp(lags, np.arange(frames), row) for row in repeats])
    below = bins.astype(int)
    peaks = np.maximum(magnitude[:, below], magnitude[:, below + 1])
    return np.stack([beats.clip(min=0).sum(axis=0) / 4, np.log1p(peaks).sum(axis=0) / 4])


def _tempo(pulse: np.ndarray) -> float | None:
    """(2, candidates) of `_pulse`, the mean over pieces -> BPM; None for too weak a pulse."""
    tempi = candidates()
    strength = pulse[0] * pulse[1]
    usual = np.exp(-0.5 * (np.log2(tempi / _USUAL) / _SPREAD) ** 2)
    best = int((strength * usual).argmax())
    if strength[best] < _WEAK:
        return None
    around = slice(max(0, best - 1), best + 2)
    return round(float(np.average(tempi[around], weights=strength[around])), 1)


_FFT = 8192 / 16000  # seconds: three hertz separate neighbouring tones of the bass
_BASS, _MIDDLE = (55.0, 260.0), (200.0, 2000.0)  # Hz


@cache
def _tones(rate: int) -> np.ndarray:
    """(bins, 24) float32: how much of each bin belongs to each pitch class, bass then middle.

    Bins above the middle are left out.
    """
    bins = fft.rfftfreq(round(_FFT * rate), 1 / rate)
    bins = bins[bins <= _MIDDLE[1]]
    pitch = 12 * np.log2(bins.clip(min=1.0) / 440) + 69
    maps = []
    for low, high in (_BASS, _MIDDLE):
        distance = (pitch[:, None] - np.arange(12) + 6) % 12 - 6
        near = (1 - 2 * np.abs(distance)).clip(min=0)
        maps.append(near * ((bins >= low) & (bins <= high))[:, None])
    return np.concatenate(maps, axis=1).astype(np.float32)


def _chroma(piece: Samples, rate: int) -> np.ndarray:
    """-> (24, frames): the pitch classes of the bass and of the middle, each of unit norm."""
    length = round(_FFT * rate)
    frames = np.lib.stride_tricks.sliding_window_view(piece, length)[:: length // 2]
    tones = _tones(rate)
    spectrum = fft.rfft(frames * _hann(length), axis=1)[:, : len(tones)]
    chroma = np.sqrt(np.abs(spectrum)) @ tones
    parts = chroma.reshape(len(frames), 2, 12)
    norms = np.linalg.norm(parts, axis=2, keepdims=True).clip(min=1e-6)
    return np.asarray((parts / norms).reshape(len(frames), 24).T)


def _chroma_statistics(chroma: np.ndarray) -> np.ndarray:
    """(24, frames) -> (4, 12): mean and deviation of each pitch class, bass then middle.

    Each row is standardised: what counts is which pitch classes stand out.
    """
    bass, middle = chroma[:12], chroma[12:]
    rows = np.stack([part(of, axis=1) for of in (bass, middle) for part in (np.mean, np.std)])
    rows -= rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / (rows.std(axis=1, keepdims=True) + 1e-4))


def key_scores(statistics: np.ndarray, profiles: np.ndarray) -> np.ndarray:
    """Statistics (4, 12) and profiles (2, 4, 12) of major and minor -> scores (2, 12)."""
    turned = np.stack([np.roll(statistics, -tonic, axis=1) for tonic in range(12)])
    return np.asarray(np.einsum("tsp,msp->mt", turned, profiles))


def _key(chroma: np.ndarray) -> str:
    """(24, frames) -> the key whose profile fits best."""
    scores = key_scores(_chroma_statistics(chroma), _profiles())
    mode, tonic = np.unravel_index(scores.argmax(), scores.shape)
    return f"{KEYS[tonic]} {MODES[mode]}"


@cache
def _profiles() -> np.ndarray:
    """(2, 4, 12) float32, learned from renderings of scores (`recipes/evaluate/descriptors.py`)."""
    with resources.files("muscall.audio").joinpath("key_profiles.npy").open("rb") as file:
        return np.asarray(np.load(file, allow_pickle=False))
