"""Writes sound files of every kind with what the package itself depends on (no ffmpeg binary)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

Signal = NDArray[np.float32]


@dataclass(frozen=True)
class Encoding:
    """How to write one kind of file: `codec` is PyAV's, or a subtype of soundfile if `container`
    is one of soundfile's formats (upper case)."""

    suffix: str
    container: str
    codec: str
    lossless: bool = False
    options: dict[str, str] = field(default_factory=dict)
    coder_options: dict[str, str] = field(default_factory=dict)
    sample_format: str | None = None


ALL = {
    "wav-8": Encoding(".wav", "WAV", "PCM_U8"),
    "wav-16": Encoding(".wav", "WAV", "PCM_16", lossless=True),
    "wav-24": Encoding(".wav", "WAV", "PCM_24", lossless=True),
    "wav-32": Encoding(".wav", "WAV", "PCM_32", lossless=True),
    "wav-float": Encoding(".wav", "WAV", "FLOAT", lossless=True),
    "wav-double": Encoding(".wav", "WAV", "DOUBLE", lossless=True),
    "wav-adpcm": Encoding(".wav", "WAV", "IMA_ADPCM"),
    "aiff": Encoding(".aiff", "AIFF", "PCM_16", lossless=True),
    "au": Encoding(".au", "AU", "PCM_24", lossless=True),
    "caf": Encoding(".caf", "CAF", "PCM_16", lossless=True),
    "caf-float": Encoding(".caf", "CAF", "FLOAT", lossless=True),
    "caf-double": Encoding(".caf", "CAF", "DOUBLE", lossless=True),
    "w64": Encoding(".w64", "W64", "PCM_16", lossless=True),
    "u8-mov": Encoding(".mov", "mov", "pcm_u8"),
    "flac": Encoding(".flac", "FLAC", "PCM_16", lossless=True),
    "ogg": Encoding(".ogg", "OGG", "VORBIS"),
    "mp3": Encoding(".mp3", "mp3", "libmp3lame"),
    "mp3-bare": Encoding(".mp3", "mp3", "libmp3lame", options={"write_xing": "0"}),
    "mp3-bare-vbr": Encoding(
        ".mp3", "mp3", "libmp3lame", options={"write_xing": "0"}, coder_options={"abr": "1"}
    ),
    "m4a": Encoding(".m4a", "ipod", "aac"),
    "aac": Encoding(".aac", "adts", "aac"),
    "alac": Encoding(".m4a", "ipod", "alac", lossless=True),
    "flac-mka": Encoding(".mka", "matroska", "flac", lossless=True),
    "wma": Encoding(".wma", "asf", "wmav2"),
    "wavpack": Encoding(".wv", "wv", "wavpack", lossless=True, sample_format="s16p"),
    "tta": Encoding(".tta", "tta", "tta", lossless=True, sample_format="s16"),
    "mp2": Encoding(".mp2", "mp2", "mp2"),
    "opus": Encoding(".opus", "ogg", "libopus"),
    "opus-libsndfile": Encoding(".opus", "OGG", "OPUS"),
    "webm": Encoding(".webm", "webm", "libopus"),
}

Write = Callable[..., Path]
Tones = Callable[..., Signal]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "encoding" in metafunc.fixturenames:
        metafunc.parametrize("encoding", ALL.values(), ids=ALL.keys())
    if "lossless" in metafunc.fixturenames:
        metafunc.parametrize("lossless", [name for name in ALL if ALL[name].lossless])


@pytest.fixture(scope="session")
def encodings() -> list[str]:
    """The names of all encodings that `write` knows."""
    return list(ALL)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(signal (n, channels), rate, encoding)`: the path of a new file."""

    def writer(signal: Signal, rate: int, encoding: Encoding | str, name: str = "sound") -> Path:
        kind = ALL[encoding] if isinstance(encoding, str) else encoding
        path = tmp_path / (name + kind.suffix)
        if kind.container.isupper():
            soundfile.write(path, signal, rate, format=kind.container, subtype=kind.codec)
        else:
            encode(path, signal, rate, kind)
        return path

    return writer


def encode(path: Path, signal: Signal, rate: int, kind: Encoding) -> None:
    """Write `signal` (n, channels) with PyAV."""
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1", 16: "hexadecagonal"}[signal.shape[1]]
    with av.open(str(path), "w", format=kind.container, options=kind.options) as container:
        stream = container.add_stream(
            kind.codec, rate=rate, options=kind.coder_options, layout=layout, bit_rate=128_000
        )
        if kind.sample_format:
            stream.codec_context.format = kind.sample_format  # type: ignore[assignment]
        for start in range(0, len(signal), 4096):
            packed = np.ascontiguousarray(signal[start : start + 4096].reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
            frame.sample_rate = rate
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture(scope="session")
def tones() -> Tones:
    """`tones(seconds, rate, *hertz)`: (n, channels) float32, in each a sine of amplitude 0.5."""

    def make(seconds: float, rate: int, *hertz: float) -> Signal:
        time = np.arange(round(seconds * rate)) / rate
        return (0.5 * np.sin(2 * np.pi * np.outer(time, hertz))).astype(np.float32)

    return make
