"""One clip from groove to Opus file: mma, then fluidsynth, then levels, fades and a check."""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mido
import numpy as np
import numpy.typing as npt
import soundfile
from grooves import Family, Groove
from midi import read_facts, vary
from songs import Song, compose, row_random, song_text

RATE = 16_000
# libsndfile takes no bit rate for Opus; at 16 kHz mono this level gives about 30 kbit/s.
_COMPRESSION = 0.91
_LONGEST = 25.0
_FADE = 0.8

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SoundFont:
    """A SoundFont of Debian's, how often it is drawn, and its licence."""

    path: str
    package: str
    licence: str
    weight: float


SOUNDFONTS = (
    SoundFont("/usr/share/sounds/sf2/FluidR3_GM.sf2", "fluid-soundfont-gm", "MIT", 0.6),
    SoundFont("/usr/share/sounds/sf2/TimGM6mb.sf2", "timgm6mb-soundfont", "GPL-2.0-only", 0.4),
)


class ClipError(Exception):
    """A clip that cannot be had, in one line."""


@dataclass(frozen=True)
class Job:
    """One row to render: its identity, what it plays and where it goes."""

    id: str
    groove: Groove
    family: Family
    variation: int
    seed: int
    out: str

    @property
    def audio(self) -> Path:
        return Path(self.out, "audio", f"{self.id}.ogg")

    @property
    def facts(self) -> Path:
        return Path(self.out, "facts", f"{self.id}.json")


def _run(command: list[str], timeout: float) -> None:
    try:
        done = subprocess.run(command, capture_output=True, encoding="latin-1", timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise ClipError(f"{command[0]} took over {timeout:.0f} s") from error
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())[-200:]
        raise ClipError(f"{command[0]} failed: {said}")


def _synthesise(midi: Path, wav: Path, font: SoundFont, rng: random.Random) -> dict[str, float]:
    room = {
        "synth.reverb.room-size": round(rng.uniform(0.1, 0.75), 3),
        "synth.reverb.level": round(rng.uniform(0.1, 0.85), 3),
        "synth.reverb.damp": round(rng.uniform(0.0, 0.6), 3),
        "synth.chorus.level": round(rng.uniform(0.0, 3.0), 3),
        # Low enough never to clip; the level is set afterwards.
        "synth.gain": 0.2,
    }
    options = [f"-o{name}={value}" for name, value in room.items()]
    # Loading only the samples a song needs takes FluidR3 from 0.3 s to 0.1 s a clip.
    options.append("-osynth.dynamic-sample-loading=1")
    target = ["-niq", "-r", str(RATE), "-F", str(wav), font.path, str(midi)]
    _run(["fluidsynth", *options, *target], 120)
    return room


def shape(sound: Samples, seconds: float, peak_db: float) -> Samples:
    """Trim leading silence, end with a fade, set the peak (dBFS); `sound` is mono at RATE."""
    peak = float(np.abs(sound).max(initial=0.0))
    if peak < 1e-3:
        raise ClipError("silent")
    start = int(np.argmax(np.abs(sound) > 0.01 * peak))
    length = min(len(sound) - start, int(min(seconds + 0.6, _LONGEST) * RATE))
    cut = sound[start : start + length].astype(np.float32)
    if len(cut) < 20 * RATE:
        raise ClipError(f"only {len(cut) / RATE:.1f} s of sound")
    fade = int(_FADE * RATE)
    cut[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32) ** 2
    return cut * np.float32(10 ** (peak_db / 20) / np.abs(cut).max())


def write_checked(sound: Samples, path: Path) -> dict[str, float]:
    """Write Opus at `path`, reading it back whole; lowers the level where decoding overshoots."""
    aside = path.with_suffix(".part")
    for _ in range(4):
        with soundfile.SoundFile(
            aside, "w", RATE, 1, format="OGG", subtype="OPUS", compression_level=_COMPRESSION
        ) as target:
            target.write(sound)
        back, rate = soundfile.read(aside, dtype="float32")
        if rate != RATE or back.ndim != 1 or abs(len(back) - len(sound)) > RATE // 50:
            raise ClipError(f"read back {back.shape} at {rate} Hz of {len(sound)} samples")
        peak = float(np.abs(back).max())
        if peak < 0.89:
            break
        sound = sound * np.float32(0.85 / peak)
    rms = float(np.sqrt(np.mean(np.square(back, dtype=np.float64))))
    if rms < 1e-3:
        raise ClipError("all but silent")
    aside.rename(path)
    return {
        "duration": round(len(back) / RATE, 3),
        "peak_dbfs": round(20 * float(np.log10(peak)), 2),
        "rms_dbfs": round(20 * float(np.log10(rms)), 2),
    }


def _facts(job: Job, song: Song, read: dict[str, Any]) -> dict[str, Any]:
    felt = job.family.felt
    return {
        **read,
        "bpm": round(song.bpm / felt),
        "notated_bpm": round(song.bpm, 2),
        # Where two notated beats are felt as one, the written metre is not the heard one.
        "metre": None if felt == 2 else job.groove.metre.replace(" ", "/"),
        "tonic": None if not read["programs"] else song.tonic,
        "mode": None if not read["programs"] else song.mode,
        "style": list(job.family.words),
    }


def render(job: Job) -> None:
    """Render one row: its audio first, then the facts that mark it as done."""
    song = compose(job.groove, job.family, job.variation, job.seed)
    rng = row_random(job.seed, job.groove.key, job.variation, "sound")
    font = rng.choices(SOUNDFONTS, [f.weight for f in SOUNDFONTS])[0]
    with tempfile.TemporaryDirectory() as folder:
        text, midi, wav = (Path(folder, f"song.{kind}") for kind in ("mma", "mid", "wav"))
        text.write_text(song_text(job.groove, song))
        _run(["mma", "-w", "-f", str(midi), str(text)], 60)
        if not midi.exists():
            raise ClipError("mma wrote nothing")
        try:
            score = mido.MidiFile(midi)
            vary(score, rng)
            score.save(midi)
            read = read_facts(midi, song.seconds)
        except (ValueError, EOFError, OSError) as error:
            raise ClipError(f"unreadable MIDI: {error}") from error
        room = _synthesise(midi, wav, font, rng)
        stereo, _ = soundfile.read(wav, dtype="float32", always_2d=True)
    if not read["programs"] and not read["drums"]:
        raise ClipError("no notes")
    level = write_checked(
        shape(stereo.mean(axis=1), song.seconds, rng.uniform(-11.0, -2.5)), job.audio
    )
    row = {
        "id": job.id,
        "variation": job.variation,
        "seed": job.seed,
        "song": {k: v for k, v in asdict(song).items() if k != "chords"},
        "chords": " | ".join(" ".join(bar) for bar in song.chords),
        "facts": _facts(job, song, read),
        "soundfont": asdict(font),
        "synth": room,
        **level,
    }
    aside = job.facts.with_suffix(".part")
    aside.write_text(json.dumps(row))
    aside.rename(job.facts)
