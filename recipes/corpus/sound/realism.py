"""Effects that make rendered sound resemble recordings, in the order a recording meets them.

Every effect takes mono samples, (frames,) float32, their rate and a generator, and returns as many
samples. None makes anything but numbers of silence. Levels are free: they are set afterwards.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Collection

import av
import numpy as np
from scipy.signal import butter, lfilter, oaconvolve, sosfilt

from recipes.corpus.rows import Samples

Effect = Callable[[Samples, int, random.Random], Samples]

_QUIET = 1e-5  # below this RMS there is nothing to set a noise or a threshold against


def _noise(rng: random.Random, frames: int) -> Samples:
    return np.random.default_rng(rng.getrandbits(64)).standard_normal(frames, dtype=np.float32)


def _rms(sound: Samples) -> float:
    return max(float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))), _QUIET)


def _db(gain: float) -> np.float32:
    return np.float32(10 ** (gain / 20))


def saturation(sound: Samples, _: int, rng: random.Random) -> Samples:
    """Soft clipping as of a valve or a hot desk, a little lopsided, mixed with the clean sound."""
    drive = _db(rng.uniform(3, 15)) / np.float32(4 * _rms(sound))
    bias = np.float32(rng.uniform(0, 0.25))
    bent = (np.tanh(drive * sound + bias) - np.tanh(bias)) / drive
    mix = np.float32(rng.uniform(0.3, 1.0))
    return mix * bent + (1 - mix) * sound


def equaliser(sound: Samples, rate: int, rng: random.Random) -> Samples:
    """Two to four peaks or dips and a tilt of the treble, each of up to 7 dB."""
    stages = [
        _peak(rng.uniform(80, 6000) if n else rng.uniform(60, 300), rng.gauss(0, 3.2), rate, rng)
        for n in range(rng.randint(2, 4))
    ]
    stages.append(_shelf(rng.uniform(1500, 4500), rng.gauss(-1, 3), rate))
    return sosfilt(np.array(stages), sound).astype(np.float32)


def _peak(centre: float, gain: float, rate: int, rng: random.Random) -> list[float]:
    """A peaking biquad as second-order section (Bristow-Johnson's cookbook)."""
    amount = 10 ** (float(np.clip(gain, -7, 7)) / 40)
    angle = 2 * np.pi * centre / rate
    alpha = np.sin(angle) / (2 * rng.uniform(0.5, 2.0))
    a0 = 1 + alpha / amount
    b = [1 + alpha * amount, -2 * np.cos(angle), 1 - alpha * amount]
    a = [a0, -2 * np.cos(angle), 1 - alpha / amount]
    return [float(x / a0) for x in b + a]


def _shelf(corner: float, gain: float, rate: int) -> list[float]:
    """A high shelf as second-order section (Bristow-Johnson's cookbook)."""
    amount = 10 ** (float(np.clip(gain, -7, 7)) / 40)
    angle = 2 * np.pi * corner / rate
    cosine, root = np.cos(angle), np.sqrt(amount) * np.sin(angle) * np.sqrt(2)
    up, down = amount + 1, amount - 1
    b = [
        amount * (up + down * cosine + root),
        -2 * amount * (down + up * cosine),
        amount * (up + down * cosine - root),
    ]
    a = [up - down * cosine + root, 2 * (down - up * cosine), up - down * cosine - root]
    return [float(x / a[0]) for x in b + a]


def compression(sound: Samples, rate: int, rng: random.Random) -> Samples:
    """A compressor: what is louder than a threshold is held down, with attack and release."""
    hop = rate // 200
    blocks = -(-len(sound) // hop)
    padded = np.pad(sound, (0, blocks * hop - len(sound)))
    level = np.abs(padded.reshape(blocks, hop)).max(axis=1)
    loud = 20 * np.log10(np.maximum(level, _QUIET) / _rms(sound))
    wanted = np.maximum(0, loud - rng.uniform(-6, 6)) * (1 - 1 / rng.uniform(2, 8))
    attack, release = np.exp(-1 / rng.uniform(1, 6)), np.exp(-1 / rng.uniform(15, 80))
    held, reduction = 0.0, np.empty(blocks, np.float32)
    for n, target in enumerate(wanted.tolist()):
        keep = attack if target > held else release
        held = keep * held + (1 - keep) * target
        reduction[n] = held
    gain = np.interp(np.arange(len(sound)), np.arange(blocks) * hop, 10 ** (-reduction / 20))
    return sound * gain.astype(np.float32)


def room(sound: Samples, rate: int, rng: random.Random) -> Samples:
    """A room: early reflections, then noise that dies away, the treble sooner than the bass."""
    size = rng.betavariate(1.4, 3.0)  # a closet is 0, a cathedral 1
    decay = 0.12 + 2.6 * size  # seconds to -60 dB
    frames = int(min(decay, 2.2) * rate)
    seconds = np.arange(frames) / rate
    response = np.zeros(frames, np.float32)
    low = None
    for edge, life in ((400, 1.15), (1600, 1.0), (4500, rng.uniform(0.5, 0.85)), (None, 0.4)):
        noise = _noise(rng, frames)
        if edge is not None:
            noise = sosfilt(butter(1, edge, fs=rate, output="sos"), noise).astype(np.float32)
        band = noise if low is None else noise - low
        low = noise if edge is not None else None
        response += (band * 10 ** (-3 * seconds / (decay * life))).astype(np.float32)
    wait = int((0.002 + 0.04 * size) * rate)
    response[:wait] = 0
    response /= np.float32(np.sqrt(np.sum(np.square(response))) + _QUIET)
    for _ in range(rng.randint(4, 10)):
        at = int(rng.uniform(0.002, 0.015 + 0.06 * size) * rate)
        response[min(at, frames - 1)] += rng.choice([-1, 1]) * rng.uniform(0.05, 0.35)
    wet = oaconvolve(sound, response)[: len(sound)].astype(np.float32)
    mix = np.float32(rng.uniform(0.08, 0.55))
    return (1 - mix) * sound + mix * wet


def tape(sound: Samples, rate: int, rng: random.Random) -> Samples:
    """Tape: pitch that drifts (wow) and trembles (flutter), hiss, and dull treble."""
    seconds = np.arange(len(sound)) / rate
    wow, flutter = rng.uniform(0.4, 1.4), rng.uniform(5, 11)
    depth, tremble = rng.uniform(0.0002, 0.0025), rng.uniform(0.0001, 0.0006)
    phase = rng.uniform(0, 2 * np.pi)
    # Depths are of speed; the place read is its integral.
    off = depth * np.cos(2 * np.pi * wow * seconds + phase) / (2 * np.pi * wow)
    off += tremble * np.cos(2 * np.pi * flutter * seconds) / (2 * np.pi * flutter)
    places = np.arange(len(sound)) + off * rate
    bent = np.interp(places, np.arange(len(sound)), sound).astype(np.float32)
    dull = sosfilt(butter(1, rng.uniform(3500, 7500), fs=rate, output="sos"), bent)
    hiss = _noise(rng, len(sound)) * _db(rng.uniform(-58, -36)) * np.float32(_rms(sound))
    return dull.astype(np.float32) + hiss


def noise(sound: Samples, rate: int, rng: random.Random) -> Samples:
    """Pink noise, mains hum or the crackle of vinyl, 20 to 50 dB under the music."""
    kind = rng.choice(["pink", "pink", "hum", "crackle"])
    if kind == "pink":
        # A pole near each of three corners gives about -3 dB an octave.
        b = [0.049922035, -0.095993537, 0.050612699, -0.004408786]
        added = lfilter(b, [1, -2.494956002, 2.017265875, -0.522189400], _noise(rng, len(sound)))
    elif kind == "hum":
        turns = 2 * np.pi * rng.choice([50, 60]) * np.arange(len(sound)) / rate
        added = sum(np.sin(n * turns) * rng.uniform(0, 1) / n for n in (1, 2, 3, 5))
    else:
        generator = np.random.default_rng(rng.getrandbits(64))
        added = np.zeros(len(sound))
        number = max(8, int(len(sound) / rate * rng.uniform(4, 30)))
        ticks = generator.integers(0, len(sound), number)
        added[ticks] = generator.standard_normal(len(ticks)) ** 3
        added = sosfilt(butter(1, [500, 5000], "band", fs=rate, output="sos"), added)
    under = rng.uniform(-50, -20 if kind != "hum" else -28)
    added = np.asarray(added, np.float32)
    return sound + added * (_db(under) * np.float32(_rms(sound) / _rms(added)))


def band(sound: Samples, rate: int, rng: random.Random) -> Samples:
    """The band of a small loudspeaker, an old record or a radio."""
    low, high = rng.uniform(30, 220), rng.uniform(2800, 7200)
    if rng.random() < 0.12:
        low, high = rng.uniform(250, 400), rng.uniform(2800, 3800)
    stages = butter(2, [low, min(high, 0.45 * rate)], "band", fs=rate, output="sos")
    return sosfilt(stages, sound).astype(np.float32)


def limiter(sound: Samples, _: int, rng: random.Random) -> Samples:
    """Loudness: gain into a ceiling that bends rather than cuts."""
    peak = max(float(np.abs(sound).max(initial=0.0)), _QUIET)
    gain = _db(rng.uniform(3, 10)) / np.float32(peak)
    return np.float32(peak) * np.tanh(gain * sound) / gain


_CODECS = {
    "mp3": ("libmp3lame", "mp3", (24, 32, 40, 48, 64)),
    "aac": ("aac", "adts", (24, 32, 48)),
    "opus": ("libopus", "ogg", (12, 16, 24, 32)),
}


def codec(sound: Samples, rate: int, rng: random.Random) -> Samples:
    """What a low-bit-rate MP3, AAC or Opus file leaves of the sound."""
    encoder, container, rates = _CODECS[rng.choice(sorted(_CODECS))]
    peak = max(float(np.abs(sound).max(initial=0.0)), _QUIET)
    decoded = through(sound / np.float32(1.1 * peak), rate, encoder, container, rng.choice(rates))
    # Coders begin late and end late.
    fitted = np.zeros_like(sound)
    fitted[: len(decoded)] = decoded[: len(sound)]
    return fitted * np.float32(1.1 * peak)


def through(sound: Samples, rate: int, encoder: str, container: str, kilobits: int) -> Samples:
    """The sound, mono, after a turn through a codec; about as long as before."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(encoder, rate=rate, layout="mono")
        stream.bit_rate = 1000 * kilobits
        planar = stream.format.name
        frame = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(planar, "mono", rate, stream.frame_size or None)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as back:
        resampler = av.AudioResampler("fltp", "mono", rate)
        pieces = [
            piece.to_ndarray()[0]
            for decoded in back.decode(audio=0)
            for piece in resampler.resample(decoded)
        ]
    return np.concatenate(pieces)


def drift(sound: Samples, _: int, rng: random.Random) -> Samples:
    """A level that wanders by a few dB, as when someone turns or rides a fader."""
    points = rng.randint(3, 7)
    levels = [rng.gauss(0, 2.0) for _ in range(points)]
    gain = np.interp(np.linspace(0, points - 1, len(sound)), np.arange(points), levels)
    return sound * (10 ** (gain / 20)).astype(np.float32)


def fade(sound: Samples, rate: int, rng: random.Random) -> Samples:
    """A fade in, a long fade out, or both."""
    shaped = sound.copy()
    ends = rng.choice([("in",), ("out",), ("in", "out")])
    for end in ends:
        frames = min(int(rng.uniform(0.5, 5.0) * rate), len(sound) // 3)
        ramp = np.linspace(0, 1, frames, dtype=np.float32) ** np.float32(1.5)
        if end == "in":
            shaped[:frames] *= ramp
        else:
            shaped[len(shaped) - frames :] *= ramp[::-1]
    return shaped


# Effects in the order they are met, and how often each is drawn.
EFFECTS: dict[str, tuple[float, Effect]] = {
    "saturation": (0.25, saturation),
    "equaliser": (0.8, equaliser),
    "compression": (0.5, compression),
    "room": (0.75, room),
    "tape": (0.2, tape),
    "noise": (0.35, noise),
    "band": (0.25, band),
    "limiter": (0.25, limiter),
    "drift": (0.2, drift),
    "fade": (0.2, fade),
    "codec": (0.35, codec),
}


def apply(
    sound: Samples, rate: int, seed: str, allowed: Collection[str]
) -> tuple[Samples, list[str]]:
    """The sound through the effects drawn for `seed`, and their names.

    Every effect draws from its own generator, so leaving one out changes nothing of the others.
    """
    chain = []
    for name, (share, effect) in EFFECTS.items():
        rng = random.Random(f"{seed}|{name}")
        if name in allowed and rng.random() < share:
            sound = effect(sound, rate, rng)
            chain.append(name)
    return sound, chain
