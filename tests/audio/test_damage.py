"""Damaged files: one decoder takes over from another, and what cannot be decoded is told."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from functools import partial
from itertools import accumulate
from pathlib import Path

import av
import numpy as np
import pytest

from muscall.audio import decode
from muscall.audio.decode import read
from muscall.audio.decoders import FAILURES, Ffmpeg, Sndfile
from muscall.errors import AudioError

RATE = 16000
PATIENT = partial(Ffmpeg, patience=100)

Turns = Callable[..., None]


@pytest.fixture
def turns(monkeypatch) -> Turns:
    """`turns(*decoders)`: use these, in this order."""
    return lambda *decoders: monkeypatch.setattr(decode, "_turns", lambda _: list(decoders))


@pytest.fixture
def sweep() -> Callable[[float, int], np.ndarray]:
    """`sweep(seconds, rate)`: (n, 1); a shift by one sample at 16 kHz changes it by up to 0.1."""

    def make(seconds: float, rate: int) -> np.ndarray:
        time = np.arange(round(seconds * rate)) / rate
        tone = 0.4 * np.sin(2 * np.pi * (300 * time + 40 * time**2))
        noise = 0.01 * np.random.default_rng(0).standard_normal(len(time))
        return (tone + noise)[:, None].astype(np.float32)

    return make


def pages(ogg: bytes) -> list[bytearray]:
    """The pages of an Ogg file."""
    found = []
    while ogg:
        segments = ogg[26]
        size = 27 + segments + sum(ogg[27 : 27 + segments])
        found.append(bytearray(ogg[:size]))
        ogg = ogg[size:]
    return found


def seal(page: bytearray) -> bytes:
    """`page` with the checksum that its content asks for."""
    page[22:26] = bytes(4)
    checksum = 0
    for byte in page:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1) ^ (0x104C11DB7 if checksum & 0x80000000 else 0)
    page[22:26] = struct.pack("<I", checksum)
    return bytes(page)


def fails_after(decoder: type[Ffmpeg | Sndfile], path: Path) -> float:
    """The seconds which `decoder` reads of `path` before it fails."""
    decoded = 0
    with path.open("rb", buffering=0) as file:
        opened = decoder(file)
        try:
            for block in opened.blocks(0):
                decoded += len(block)
        except FAILURES:
            return decoded / opened.sample_rate
    pytest.fail(f"{decoder.__name__} does not fail")


def test_ffmpeg_takes_over_from_libsndfile_inside_an_opus_file(write, sweep, turns):
    """ffmpeg writes such files at times: a page ends a little earlier than its packets do."""
    path = write(sweep(6.0, RATE), RATE, "opus")
    ogg = pages(path.read_bytes())
    ogg[5][6:14] = struct.pack("<q", struct.unpack("<q", ogg[5][6:14])[0] - 24)
    path.write_bytes(b"".join(map(seal, ogg)))
    assert 1.0 < fails_after(Sndfile, path) < 5.0
    turns(Ffmpeg)
    expected = read(path)
    turns(Sndfile, PATIENT)
    # libopus decodes to 16 kHz by itself, FFmpeg to 48 kHz: they differ, but not by a sample.
    np.testing.assert_allclose(read(path), expected, atol=0.05)
    part = read(path, start=2.0, duration=3.5)
    np.testing.assert_allclose(part, expected[round(2.0 * RATE) : round(5.5 * RATE)], atol=0.05)


def test_libsndfile_takes_over_from_ffmpeg_inside_a_vorbis_file(write, sweep, turns):
    path = write(sweep(6.0, 44100), 44100, "ogg")
    ogg = pages(path.read_bytes())
    page = ogg[len(ogg) // 2]
    lengths = page[27 : 27 + page[26]]
    for begin, length in zip(accumulate(lengths, initial=27 + page[26]), lengths, strict=False):
        if length:
            page[begin] |= 1  # "not a packet of sound"
    path.write_bytes(b"".join(map(seal, ogg)))
    assert 1.0 < fails_after(Ffmpeg, path) < 4.0
    turns(Sndfile)
    expected = read(path)
    turns(Ffmpeg, Sndfile)
    np.testing.assert_allclose(read(path), expected, atol=1e-5)


def test_ffmpeg_takes_over_from_libsndfile_inside_a_flac_file(write, sweep, turns, caplog):
    signal = sweep(6.0, RATE)
    path = write(signal, RATE, "flac")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    failed = fails_after(Sndfile, path)
    assert 1.0 < failed < 5.0
    for order in [(Sndfile, Ffmpeg), (Ffmpeg,)]:
        turns(*order)
        samples = read(path)
        assert len(samples) == len(signal)
        wrong = np.flatnonzero(np.abs(samples - signal[:, 0]) > 1e-4) / RATE
        assert len(wrong)
        assert failed <= wrong[0] <= wrong[-1] < failed + 1.1  # all in the damaged block
    assert not caplog.records


@pytest.mark.parametrize("rate", [16000, 48000])
@pytest.mark.parametrize("kind", ["wav-16", "flac", "ogg", "opus", "caf"])
@pytest.mark.parametrize(("first", "second"), [(Ffmpeg, Sndfile), (Sndfile, Ffmpeg)])
def test_the_seam_is_not_heard(write, sweep, turns, first, second, kind, rate):
    """A decoder that breaks off at any sample leaves no gap, and nothing is heard twice."""

    class BreaksOff(first):
        def blocks(self, start):
            yield next(super().blocks(start))[:5003]
            raise ValueError("broken")

    path = write(sweep(3.0, rate), rate, kind)
    turns(second)
    expected = read(path)
    turns(BreaksOff, second)
    tolerance = 0.05 if kind == "opus" and rate == RATE else 1e-4  # two decoders of Opus, see above
    np.testing.assert_allclose(read(path), expected, atol=tolerance)


def test_turns_end_where_no_decoder_can_go_on(write, sweep, turns, caplog):
    class BreaksOff(Ffmpeg):
        def blocks(self, start):
            yield next(super().blocks(start))
            raise ValueError("broken")

    path = write(sweep(6.0, RATE), RATE, "wav-16", name="two\nlines")
    turns(BreaksOff, BreaksOff)
    assert RATE < len(read(path)) < 5 * RATE
    [record] = caplog.records
    assert record.getMessage().endswith("of 6.0 s: broken")
    assert record.getMessage().isprintable()
    assert (record.name, record.levelno) == ("muscall", logging.WARNING)


# Cut off and overwritten


def test_what_is_left_of_a_cut_file_is_kept(write, sweep, encoding):
    path = write(sweep(8.0, 48000), 48000, encoding)
    whole = read(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    if b"moov" in content[len(content) * 6 // 10 :]:  # the index was at the end
        with pytest.raises(AudioError, match="not audio, or damaged"):
            read(path)
        return
    samples = read(path)
    count = len(samples) - RATE // 5  # up to there, no packet is cut
    assert 3.5 * RATE < count < 5.5 * RATE
    np.testing.assert_allclose(samples[:count], whole[:count], atol=1e-5)
    part = read(path, start=1.0)[: count - RATE]
    np.testing.assert_allclose(part, samples[RATE:count], atol=1e-5)
    assert read(path, duration=1.0).tobytes() == samples[:RATE].tobytes()


@pytest.mark.parametrize("kind", ["flac", "mp3", "tta"])
def test_a_cut_file_is_told(write, sweep, kind, caplog):
    path = write(sweep(5.0, RATE), RATE, kind)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    read(path, duration=1.0)
    assert not caplog.records
    seconds = len(read(path)) / RATE
    [record] = caplog.records
    assert f"sound{path.suffix}: decoded only {seconds:.1f} of 5.0 s: " in record.getMessage()


def test_damaged_packets_are_left_out(write, sweep):
    path = write(sweep(6.0, RATE), RATE, "m4a")
    whole = read(path)
    content = bytearray(path.read_bytes())
    middle = content.index(b"mdat") + len(content) // 3
    content[middle : middle + 600] = np.random.default_rng(0).bytes(600)
    path.write_bytes(content)
    samples = read(path)
    assert len(whole) - RATE < len(samples) <= len(whole)
    np.testing.assert_allclose(samples[:RATE], whole[:RATE], atol=2e-3)
    np.testing.assert_allclose(samples[-RATE:], whole[-RATE:], atol=2e-3)


def test_patience_ends(write, sweep):
    """This header promises 8 million samples in every byte, and packets of one byte."""
    path = write(sweep(3.0, RATE), RATE, "caf-double")
    content = bytearray(path.read_bytes())
    content[36:44] = (1).to_bytes(4, "big") + (0x800001).to_bytes(4, "big")
    path.write_bytes(content)
    with path.open("rb", buffering=0) as file:
        with pytest.raises(av.InvalidDataError):
            Ffmpeg(file, patience=1000)
        with pytest.raises(ValueError, match="contains no samples"):  # having tried all of them
            Ffmpeg(file, patience=len(content))


def test_hardly_anything_left_is_nothing(write, sweep):
    path = write(sweep(5.0, 48000), 48000, "flac")
    content = path.read_bytes()
    second = content.index(b"\xff\xf8", content.index(b"\xff\xf8") + 2)  # frames are 85 ms long
    path.write_bytes(content[: second + 100])
    with pytest.raises(AudioError):
        read(path)


def test_nothing_is_written_to_the_terminal(write, sweep, capfd):
    rng = np.random.default_rng(0)
    for kind in ("mp3", "m4a", "ogg", "flac", "wav-adpcm"):
        path = write(sweep(3.0, RATE), RATE, kind)
        content = bytearray(path.read_bytes())
        for offset in rng.integers(len(content) // 10, len(content), 60):
            content[offset] = rng.integers(256)
        path.write_bytes(content)
        try:
            read(path)
        except AudioError:
            continue
    assert capfd.readouterr() == ("", "")
