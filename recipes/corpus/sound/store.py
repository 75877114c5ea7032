"""Sound to files: mono at 16 kHz, trimmed, faded, levelled, and written as Opus that reads back."""

from __future__ import annotations

from math import gcd
from pathlib import Path

import av
import numpy as np
import soundfile
from scipy.signal import resample_poly

from recipes.corpus.rows import ClipError, Samples

RATE = 16_000
SHORTEST, LONGEST = 20.0, 30.0  # seconds
_BITS = 28_000  # a second
_SILENT = 10 ** (-50 / 20)  # RMS of a second that nothing is heard in
_PAUSES = 0.35  # of the seconds, at most


def mono(samples: Samples, rate: int) -> Samples:
    """(frames,) at RATE of samples, (frames,) or (frames, channels), at `rate`."""
    sound = samples if samples.ndim == 1 else samples.mean(axis=1)
    if not np.isfinite(sound).all():
        raise ClipError("not all of its samples are numbers")
    if rate == RATE:
        return sound.astype(np.float32)
    common = gcd(rate, RATE)
    resampled = resample_poly(sound.astype(np.float32), RATE // common, rate // common)
    return resampled.astype(np.float32)


def trim(sound: Samples) -> Samples:
    """Sound less its leading silence, 20 to 30 s; mono at RATE.

    Raises:
        ClipError: silent, or under 20 s.
    """
    peak = float(np.abs(sound).max(initial=0.0))
    if peak < 1e-4:
        raise ClipError("silent")
    start = int(np.argmax(np.abs(sound) > 0.01 * peak))
    cut = sound[start : start + int(LONGEST * RATE)].copy()
    if len(cut) < SHORTEST * RATE:
        raise ClipError(f"only {len(cut) / RATE:.1f} s of sound")
    return cut


def level(sound: Samples, peak_db: float, fade: float) -> Samples:
    """Sound that ends with a fade (seconds) and peaks at `peak_db` (dBFS); mono at RATE."""
    cut = sound.copy()
    end = int(fade * RATE)
    cut[-end:] *= np.linspace(1.0, 0.0, end, dtype=np.float32) ** 2
    return cut * np.float32(10 ** (peak_db / 20) / np.abs(cut).max())


def silence(sound: Samples) -> float:
    """Share of the whole seconds of mono sound at RATE, at least one, in which nothing is heard."""
    seconds = sound[: len(sound) // RATE * RATE].reshape(-1, RATE)
    levels = np.sqrt(np.mean(np.square(seconds, dtype=np.float64), axis=1))
    return float(np.mean(levels < _SILENT))


def _write(sound: Samples, path: Path) -> None:
    # FFmpeg's libopus at half its complexity takes a quarter of the time of libsndfile's.
    options = {"compression_level": "5", "application": "audio", "vbr": "on"}
    # Bit-exact: without it, the Ogg stream gets a random serial number.
    with av.open(str(path), "w", format="ogg", options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream("libopus", rate=RATE, layout="mono", options=options)
        stream.bit_rate = _BITS
        frame = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format.name, "mono", RATE, stream.frame_size)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))


def write_checked(sound: Samples, path: Path) -> dict[str, float]:
    """Write Opus at `path`, reading it back whole; lowers the level where decoding overshoots.

    Returns its `duration` (s), `peak_dbfs` and `rms_dbfs`, as decoded.

    Raises:
        ClipError: it does not read back, or is silent for much of its time.
    """
    aside = path.with_suffix(".part")
    for _ in range(4):
        _write(sound, aside)
        try:
            # The decoder that the training reads with first.
            back, rate = soundfile.read(aside, dtype="float32")
        except soundfile.LibsndfileError as error:
            raise ClipError(f"does not read back: {error}") from error
        if rate != RATE or back.ndim != 1 or abs(len(back) - len(sound)) > RATE // 50:
            raise ClipError(f"read back {back.shape} at {rate} Hz of {len(sound)} samples")
        peak = float(np.abs(back).max())
        if peak < 0.89:
            break
        sound = sound * np.float32(0.85 / peak)
    # Some SoundFonts have no samples for an instrument's upper or lower notes.
    if (silent := silence(back)) > _PAUSES:
        raise ClipError(f"silent for {silent:.0%}")
    rms = float(np.sqrt(np.mean(np.square(back, dtype=np.float64))))
    aside.rename(path)
    return {
        "duration": round(len(back) / RATE, 3),
        "peak_dbfs": round(20 * float(np.log10(peak)), 2),
        "rms_dbfs": round(20 * float(np.log10(rms)), 2),
    }
