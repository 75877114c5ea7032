"""Whatever the file, the same sound: level, pitch, place in time; where there is none, a reason."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest
import soundfile

from muscall.audio.decode import probe, read, stream
from muscall.audio.decoders import Ffmpeg
from muscall.audio.files import AUDIO_SUFFIXES
from muscall.errors import AudioError

RATE = 16000
LEVEL = pytest.approx(0.5, rel=0.08)  # some coders take 5 or 7 % off


def level_of(samples: np.ndarray, hertz: float, rate: int = RATE) -> float:
    """The amplitude of the sine of `hertz` in `samples` (n,), away from their two ends."""
    inner = samples[2000:-2000].astype(np.float64)
    window = np.hanning(len(inner))
    turned = inner * window * np.exp(-2j * np.pi * hertz * np.arange(len(inner)) / rate)
    return float(2 * abs(turned.sum()) / window.sum())


def music(seconds: float, rate: int) -> np.ndarray:
    """(n, 2): no two moments alike, and all of it in bands that lossy coders keep."""
    time = np.arange(round(seconds * rate))[:, None] / rate
    sweep = np.sin(2 * np.pi * (200 * time + 150 * time**2)) * [0.3, 0.2]
    return (sweep * (1 + 0.5 * np.sin(6 * np.pi * time))).astype(np.float32)


# What was written is what is read


@pytest.mark.parametrize("channels", [1, 2])
def test_pitch_level_and_length_survive_every_format(write, tones, encoding, channels):
    path = write(tones(2.0, 48000, *[1000] * channels), 48000, encoding)
    samples, info = read(path), probe(path)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert level_of(samples, 1000) == LEVEL
    assert level_of(samples, 1300) < 0.005
    assert (info.sample_rate, info.channels) == (48000, channels)
    # Coders fill their last packet; ADTS and an MP3 without header keep the coder's delay as well.
    assert info.duration == pytest.approx(2.0, abs=0.09)
    assert len(samples) / RATE == pytest.approx(info.duration, abs=0.05)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 88200, 96000])
@pytest.mark.parametrize("kind", ["wav-16", "flac", "wavpack"])
def test_any_rate_becomes_the_one_asked_for(write, tones, rate, kind):
    path = write(tones(1.5, rate, 900), rate, kind)
    for asked in (16000, 48000):
        samples = read(path, sample_rate=asked)
        assert len(samples) == pytest.approx(1.5 * asked, abs=3)
        assert level_of(samples, 900, asked) == LEVEL


def test_nothing_above_half_the_rate_folds_back(write, tones):
    samples = read(write(tones(1.0, 48000, 11000), 48000, "wav-24"))
    assert np.abs(samples[2000:-2000]).max() < 1e-4


@pytest.mark.parametrize("kind", ["wav-16", "wav-float", "flac", "flac-mka", "wavpack", "u8-mov"])
def test_mono_is_the_mean_of_the_channels(write, tones, kind):
    hertz = [300, 500, 700, 1100, 1300, 1700]
    samples = read(write(tones(2.0, RATE, *hertz), RATE, kind))
    assert [level_of(samples, one) for one in hertz] == pytest.approx([0.5 / 6] * 6, rel=0.03)


@pytest.mark.parametrize("kind", ["wav-16", "wav-float", "flac", "ogg", "mp3", "m4a"])
def test_channels_that_cancel_each_other_out_are_heard(write, tones, kind):
    opposite = tones(2.0, 48000, 400) * np.float32([1, -0.95])
    path = write(opposite, 48000, kind)
    assert level_of(read(path), 400) == LEVEL
    np.testing.assert_allclose(read(path, start=0.7), read(path)[11200:], atol=2e-3)
    wide = tones(2.0, 48000, 400, 400) * np.float32([1, -0.4])
    assert level_of(read(write(wide, 48000, kind, name="wide")), 400) == pytest.approx(0.15, 0.08)


@pytest.mark.parametrize(
    ("kind", "channels"),
    [("wavpack", 8), ("wavpack", 16), ("opus", 8), ("m4a", 8), ("m4a", 16), ("flac", 8)],
)
def test_there_are_no_more_channels_than_there_are(write, tones, kind, channels):
    """PyAV says there are, and points where there may be no memory."""
    signal = tones(2.0, 48000, *[500] * channels)
    signal[:, 0] = 0
    level = level_of(read(write(signal, 48000, kind)), 500)
    assert 0.8 < level / 0.5 * channels / (channels - 1) < 1.1  # lossy coders drop the deep channel


def test_lossless_samples_are_exact(write, tones, lossless):
    signal = np.round(tones(1.0, RATE, 440) * 2**15) / np.float32(2**15)
    assert np.array_equal(read(write(signal, RATE, lossless)), signal[:, 0])


def test_silence_is_sound(write, encoding):
    samples = read(write(np.zeros((RATE, 2), np.float32), RATE, encoding))
    assert np.abs(samples).max() < 1e-3
    assert len(samples) >= RATE - 400  # FFmpeg may leave out the last packet of Vorbis


def test_an_mp3_whose_bit_rate_changes_is_read_to_its_end(write):
    noise = 0.3 * np.random.default_rng(0).standard_normal((44100 * 6, 1))
    signal = np.concatenate([noise, np.zeros_like(noise)]).astype(np.float32)
    path = write(signal, 44100, "mp3-bare-vbr")
    assert soundfile.info(path).duration < 6  # so do not ask libsndfile
    assert probe(path).duration == pytest.approx(12.0, abs=0.1)
    assert len(read(path)) / RATE == pytest.approx(12.0, abs=0.1)


def agree(path, seconds):
    """`probe` and `read` give the same length, and a part from the middle is one of the whole."""
    whole = read(path)
    assert len(whole) / RATE == pytest.approx(seconds, abs=0.2)
    assert probe(path).duration == pytest.approx(len(whole) / RATE, abs=0.05)
    first = round(0.6 * seconds * RATE)
    part = read(path, start=first / RATE, duration=0.5)
    np.testing.assert_allclose(part, whole[first : first + RATE // 2], atol=1e-5)
    return whole


def test_joined_mp3_is_read_to_its_end(write, tones):
    parts = [
        write(tones(4.0, rate, *hertz), rate, "mp3-bare", name=f"{rate}").read_bytes()
        for rate, hertz in {44100: [440], 22050: [660, 660], 48000: [880]}.items()
    ]
    path = write(tones(0.1, 44100, 440), 44100, "mp3")
    path.write_bytes(b"".join(parts))
    whole = agree(path, 12.0)
    for place, hertz in enumerate((440, 660, 880)):
        assert level_of(whole[place * 4 * RATE + 1000 :][: 3 * RATE], hertz) == LEVEL


@pytest.mark.parametrize("kind", ["mp3", "mp3-bare"])
def test_an_mp3_that_begins_late_is_read(write, tones, kind):
    path = write(tones(3.0, 44100, 440), 44100, kind)
    for junk in (bytes(300_000), b"<html>" * 40_000):
        late = path.with_name("late.mp3")
        late.write_bytes(junk + path.read_bytes())
        assert level_of(agree(late, 3.0), 440) == LEVEL


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_chained_ogg_is_read_to_its_end(write, tones, kind, rate):
    rate = 48000 if kind == "opus" else rate
    parts = [
        write(tones(2.0, one, hertz), one, kind, name=f"{hertz}").read_bytes()
        for hertz, one in ((440, rate), (660, 48000), (880, rate))
    ]
    path = write(tones(0.1, rate, 440), rate, kind)
    path.write_bytes(b"".join(parts))
    whole = agree(path, 6.0)
    for place, hertz in enumerate((440, 660, 880)):
        assert level_of(whole[place * 2 * RATE + 500 :][: int(1.5 * RATE)], hertz) == LEVEL
    path.write_bytes(b"".join(parts)[:-500])
    assert len(read(path)) >= 4 * RATE - 500


def test_what_a_wav_holds_is_heard_not_what_it_says(tmp_path):
    """S/PDIF bursts in samples of 16 bits, as rips of DTS and AC-3 discs have them."""
    burst = tmp_path / "burst.spdif"
    with av.open(str(burst), "w", format="spdif") as out:
        stream = out.add_stream("ac3", rate=48000, layout="stereo", bit_rate=448_000)
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48000 * 4) / 48000)
        sound = av.AudioFrame.from_ndarray(np.stack([tone] * 2).astype(np.float32), "fltp")
        sound.sample_rate = 48000
        resampler = av.AudioResampler(stream.format, "stereo", 48000, 1536)
        for ready in [*resampler.resample(sound), *resampler.resample(None)]:
            out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    data = np.frombuffer(burst.read_bytes()[: burst.stat().st_size // 4 * 4], "<i2")
    path = tmp_path / "disc.wav"
    soundfile.write(path, data.reshape(-1, 2), 48000)
    assert level_of(read(path)[: 3 * RATE], 440) == LEVEL
    assert probe(path).duration == pytest.approx(len(read(path)) / RATE, abs=0.05)


@pytest.mark.parametrize("times", [1, 2, 4, 8])
@pytest.mark.parametrize("container", ["dsf", "dff"])
def test_dsd_is_heard(tmp_path, times, container):
    path = tmp_path / f"dsd{64 * times}.{container}"
    write_dsd(path, 2_822_400 * times)
    assert path.suffix in AUDIO_SUFFIXES
    whole = read(path)
    assert probe(path).duration == pytest.approx(0.5, abs=0.001)
    assert len(whole) == pytest.approx(0.5 * RATE, abs=4)
    assert abs(np.fft.rfft(whole)).argmax() == 220


def write_dsd(path, rate):
    """Half a second of 440 Hz as random bits, in DSF or in uncompressed DSDIFF."""
    time = np.arange(rate // 16 // 4096 * 4096 + 4096) * 8 / rate
    chance = 0.5 + 0.3 * np.sin(2 * np.pi * 440 * time)
    bits = np.random.default_rng(0).random((len(time), 8)) < chance[:, None]
    if path.suffix == ".dsf":
        data = np.packbits(bits, axis=1, bitorder="little").tobytes()
        head = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 1, 1, rate, 1, rate // 2, 4096, 0)
        body = struct.pack("<4sQ", b"data", 12 + len(data)) + data
        size = 28 + len(head) + len(body)
        path.write_bytes(struct.pack("<4sQQQ", b"DSD ", 28, size, 0) + head + body)
        return

    def chunk(name, data):
        return name + struct.pack(">Q", len(data)) + data + bytes(len(data) % 2)

    data = np.packbits(bits, axis=1).tobytes()[: rate // 16]
    form = chunk(b"FS  ", struct.pack(">I", rate)) + chunk(b"CHNL", b"\0\1C   ")
    form += chunk(b"CMPR", b"DSD \x0enot compressed\0")
    parts = chunk(b"FVER", b"\1\5\0\0") + chunk(b"PROP", b"SND " + form) + chunk(b"DSD ", data)
    path.write_bytes(chunk(b"FRM8", b"DSD " + parts))


def test_formats_that_only_libsndfile_knows(tmp_path, tones):
    path = tmp_path / "sound.mat"
    soundfile.write(path, tones(1.0, RATE, 440), RATE, format="MAT5", subtype="PCM_16")
    assert level_of(read(path), 440) == LEVEL
    assert probe(path).duration == 1.0


# Parts


@pytest.mark.parametrize("rate", [16000, 48000])
def test_a_part_is_a_slice_of_the_whole(write, encoding, rate):
    path = write(music(5.0, rate), rate, encoding)
    whole = read(path)
    tolerance = 0 if encoding.lossless and rate == RATE else 2e-6
    if encoding.codec == "aac":
        tolerance = 2e-3  # it fills bands with noise, other noise from every start
    for start in (0.0, 0.01, 0.3, 1.0, 2.34567, 4.0, 4.9):
        part = read(path, start=start, duration=0.7)
        first = round(start * RATE)
        expected = whole[first : first + round(0.7 * RATE)]
        assert len(part) == len(expected)
        np.testing.assert_allclose(part, expected, atol=tolerance, rtol=0)


def test_a_part_at_an_odd_rate_is_a_slice_too(write):
    path = write(music(4.0, 44101), 44101, "wav-float")
    whole = read(path)
    np.testing.assert_allclose(read(path, start=2.5), whole[40000:], atol=1e-6)


def test_only_the_part_is_decoded(write, monkeypatch):
    path = write(music(60.0, RATE), RATE, "mp3")
    decoded = 0
    inner = Ffmpeg._decoded

    def counted(self: Ffmpeg) -> Iterator[av.AudioFrame]:
        nonlocal decoded
        for frame in inner(self):
            decoded += frame.samples
            yield frame

    monkeypatch.setattr(Ffmpeg, "_decoded", counted)
    read(path, start=30.0, duration=2.0)
    assert 2.0 <= decoded / RATE < 4.5


def test_a_part_may_reach_beyond_the_end_but_not_begin_there(write, tones):
    path = write(tones(2.0, RATE, 440), RATE, "flac")
    assert len(read(path, start=1.5, duration=100.0)) == RATE // 2
    for start in (2.1, 60.0):
        with pytest.raises(AudioError, match=f"ends before {start:.2f} s"):
            read(path, start=start)


@pytest.mark.parametrize(
    "arguments", [{"start": -1.0}, {"duration": 0.0}, {"duration": -1.0}, {"block_seconds": 0.0}]
)
def test_no_sound_can_be_asked_for(arguments):
    with pytest.raises(ValueError, match="cannot read with"):
        stream("any", **arguments)


@pytest.mark.parametrize("kind", ["wav-16", "flac", "mp3", "opus", "m4a"])
@pytest.mark.parametrize("seconds", [0.01, 0.5, 1.0, 60.0])
def test_a_stream_in_any_blocks_is_the_same_sound(write, kind, seconds):
    path = write(music(3.0, 48000), 48000, kind)
    blocks = list(stream(path, start=0.2, duration=2.5, block_seconds=seconds))
    assert np.array_equal(np.concatenate(blocks), read(path, start=0.2, duration=2.5))
    assert {len(block) for block in blocks[:-1]} <= {round(seconds * RATE)}
    assert 0 < len(blocks[-1]) <= round(seconds * RATE)


def test_a_long_file_is_never_in_memory(tmp_path):
    """Half an hour is 115 MB as float32 at 16 kHz and 345 MB at 48 kHz."""
    path = tmp_path / "long.flac"
    noise = np.random.default_rng(0).integers(-3000, 3000, 48000 * 10).astype(np.int16)
    with soundfile.SoundFile(path, "w", 48000, 1) as file:
        for _ in range(180):
            file.write(noise)
    program = (
        "import resource, sys\n"
        "from muscall.audio.decode import probe, stream\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "next(stream(sys.argv[1]))\n"
        "before = peak()\n"
        "print(sum(map(len, stream(sys.argv[1]))), probe(sys.argv[1]).duration, peak() - before)\n"
    )
    run = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    samples, duration, megabytes = map(float, done.stdout.split())
    assert samples == 1800 * RATE
    assert duration == 1800
    assert megabytes < 20


def test_threads_do_not_disturb_each_other(write):
    kinds = ["wav-16", "flac", "ogg", "opus", "mp3", "m4a"]
    paths = [write(music(2.0 + i / 4, 48000), 48000, kind) for i, kind in enumerate(kinds)] * 4
    alone = [read(path) for path in paths]
    with ThreadPoolExecutor(8) as pool:
        assert all(map(np.array_equal, alone, pool.map(read, paths)))


# No sound


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"Lorem ipsum dolor sit amet\n" * 200, "not audio, or damaged"),
        (bytes(5000), "not audio, or damaged"),
        (b"RIFF", "not audio, or damaged"),
        (b"OggS\x00", "not audio, or damaged"),
    ],
)
def test_what_is_not_sound_is_refused(tmp_path, content, reason):
    path = tmp_path / "file.mp3"
    path.write_bytes(content)
    for call in (probe, read):
        with pytest.raises(AudioError, match=reason) as caught:
            call(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert "object at 0x" not in str(caught.value)


def test_a_playlist_opens_no_other_file(write, tones, tmp_path):
    sound = write(tones(3.0, RATE, 440), RATE, "aac")
    path = tmp_path / "list.m3u8"
    path.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://{sound}\n#EXT-X-ENDLIST\n"
    )
    with av.open(str(path)) as container:
        assert container.streams.audio  # FFmpeg by itself would play it
    with pytest.raises(AudioError, match="not audio, or damaged"):
        read(path)


def test_paths_that_are_no_readable_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    for name, reason in {
        "missing.wav": "no such file",
        "": "is a folder",
        "pipe.wav": "not a regular file",
        "nul\0.wav": "null byte",
        "x" * 300: "too long",
    }.items():
        for call in (probe, read):
            with pytest.raises(AudioError, match=reason):
                call(f"{tmp_path}/{name}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(write, tones):
    path = write(tones(1.0, RATE, 440), RATE, "wav-16")
    path.chmod(0)
    with pytest.raises(AudioError, match="permission denied"):
        read(path)


@pytest.mark.parametrize("kind", ["wav-16", "aiff", "caf", "ogg"])
def test_files_of_length_zero(write, kind):
    path = write(np.zeros((0, 1), np.float32), RATE, kind)
    for call in (probe, read):
        with pytest.raises(AudioError, match="contains no samples"):
            call(path)


def test_video_without_sound(tmp_path):
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width = video.height = 32
        for _ in range(5):
            pixels = np.zeros((32, 32, 3), np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(video.encode(None))
    with pytest.raises(AudioError, match="no audio stream"):
        read(path)


def test_a_header_with_impossible_numbers(write, tones):
    path = write(tones(1.0, RATE, 440), RATE, "wav-16")
    content = bytearray(path.read_bytes())
    for offset, length, reason in [(22, 2, "channel"), (24, 4, "not audio, or damaged")]:
        broken = content.copy()
        broken[offset : offset + length] = bytes(length)
        path.write_bytes(broken)
        with pytest.raises(AudioError, match=reason):
            read(path)
    content[24:28] = (3).to_bytes(
        4, "little"
    )  # three samples a second would be upsampled 5333 times
    path.write_bytes(content)
    with pytest.raises(AudioError, match="a sample rate of 3 Hz"):
        read(path)


@pytest.mark.parametrize("kind", ["wav-float", "wav-double"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_samples_that_are_no_numbers(write, tones, kind, value, rate):
    signal = tones(3.0, rate, 440, 550)
    signal[rate * 2, 1] = value
    path = write(signal, rate, kind)
    with pytest.raises(AudioError, match="contains NaN or infinite samples"):
        read(path)
    assert level_of(read(path, duration=1.5), 440) == pytest.approx(0.25, rel=0.01)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("kind", "value"), [("caf-double", 1e300), ("caf-float", 3e38)])
def test_samples_whose_mean_is_beyond_float32(write, kind, value):
    path = write(np.full((RATE, 2), value), RATE, kind)
    with pytest.raises(AudioError, match="contains NaN or infinite samples"):
        read(path)


@pytest.mark.parametrize(
    "name",
    ["two\nlines", "\N{MULTIPLE MUSICAL NOTES}", "caf\udce9", "http:x", "%d", "a'b\"c", " ", "-y"],
)
@pytest.mark.parametrize("suffix", [".wav", ".opus", ".m4a", ".raw", ""])
def test_any_name_opens(write, tones, tmp_path, name, suffix):
    kind = {".wav": "wav-16", ".m4a": "m4a"}.get(suffix, "opus")
    path = tmp_path / (name + suffix)
    write(tones(0.5, RATE, 440), RATE, kind, name="plain").rename(path)
    assert len(read(path)) == pytest.approx(0.5 * RATE, abs=1100)
    assert len(read(str(path))) == len(read(path))
    path.write_bytes(b"no sound")
    with pytest.raises(AudioError) as caught:
        read(path)
    assert str(caught.value).isprintable()
