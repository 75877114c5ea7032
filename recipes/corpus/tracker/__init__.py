"""Part 3, too: tracker modules of Debian's games and demos, played by libopenmpt."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from recipes.corpus.captions.notes import Known, describe
from recipes.corpus.packages import debian
from recipes.corpus.rows import Clip, ClipError, Take, Words, in_turns, slug, take_seed
from recipes.corpus.tracker.libopenmpt import RATE, Module

_TAKES = 8  # of one module, at most
_SHORTEST, _LONGEST = 22.0, 26.0  # seconds
_SPREAD = 18.0  # seconds of a module to each take as it is; every other take is varied
_MEDIUM, _FAST = 92, 132  # folded beats a minute
_SUFFIXES = {".mod", ".xm", ".it", ".s3m"}
_NOUNS = ("track", "tune", "theme", "piece")

# What authors call their samples, and what listeners call the sound.
_INSTRUMENTS = {
    "piano": r"piano(?!bass|bang)", "acoustic guitar": r"ac\w*[ .-]?guitar",
    "electric guitar": r"(?:lead|dist\w*|wawa|e)[ .-]?guitar|guitard|guitar.lead",
    "guitar": r"guitar(?![ .-]?bass|d|.lead)", "bass": r"bass(?!.?dr|.?oboe|oon)|bassguitar",
    "strings": r"strings?\b|strngs|stringz", "violin": r"violin", "cello": r"cello",
    "flute": r"flute|fl[uj]00te|huilu", "pan flute": r"pan.?flute", "oboe": r"oboe",
    "bassoon": r"bassoon", "clarinet": r"clarinet", "trumpet": r"trumpet", "brass": r"brass",
    "French horn": r"fr\w*.?horn", "saxophone": r"\bsax", "organ": r"organ(?! bass)",
    "harpsichord": r"harpsi", "choir": r"choir", "harp": r"\bharp\b", "bells": r"bells?\b",
    "chimes": r"chimes?", "vibraphone": r"\bvibe?s?\b|vibraph", "marimba": r"marimba",
    "xylophone": r"x[iy]lo", "accordion": r"accord", "banjo": r"banjo", "sitar": r"sitar",
    "shakuhachi": r"shakuh", "synth": r"synth(?!bas)|juno|square.?wave|\bsaw", "pad": r"pad\w*",
    "acid synth": r"tb-?30\d",
}  # fmt: skip
_DRUMS = {
    "kick drum": r"bass?.?dr|\bkick|\bbd\b|bdrum|drum.?bass", "snare drum": r"snar|\bsn\b",
    "hi-hat": r"hi.?hat|\bhh?\b|hicl|hiopen", "crash cymbal": r"crash|cymbal",
    "ride cymbal": r"\bride", "toms": r"\btoms?\b", "hand claps": r"clap",
    "congas": r"conga", "bongos": r"bongo", "tabla": r"tabla", "tambourine": r"tamb\d?\b",
    "timpani": r"kettle|timpan",
}  # fmt: skip
_KIT = {"kick drum", "snare drum", "hi-hat", "ride cymbal"}


@once
def sources() -> dict[str, dict[str, Any]]:
    """The packages and what is known of them, from `sources.yaml`."""
    table: dict[str, dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("sources.yaml").read_text()
    )
    usual = table.pop("_defaults")
    return {name: usual | {"group": f"game/{_stem(name)}"} | own for name, own in table.items()}


def _stem(package: str) -> str:
    return re.sub(r"-data$", "", package)


@dataclass(frozen=True)
class Excerpt:
    """What one clip plays: the `take`-th excerpt of a module of a package."""

    package: str
    version: str
    path: str
    take: int


@dataclass(frozen=True)
class Tracker:
    """The part that `rows.Part` describes."""

    name: str = "tracker"
    synthetic: bool = True

    def plan(self, count: int, seed: int, cache: Path) -> list[Clip]:
        """At most `count` clips, every module before any module again."""
        clips = [clip for name in sources() for clip in _clips(name, seed, cache)]
        return in_turns(clips)[:count]

    def render(self, clip: Clip) -> Take:
        """The excerpt, 20 to 26 s; raises ClipError."""
        excerpt: Excerpt = clip.what
        rng = random.Random(clip.seed)
        path = Path(excerpt.path)
        tempo, steps = 1.0, 0
        if excerpt.take % 2:
            tempo, steps = rng.uniform(0.88, 1.14), rng.randint(-4, 4)
        seconds = rng.uniform(_SHORTEST, _LONGEST)
        with Module(path) as module:
            # The last second or two is often a fade, or silence.
            room = module.seconds - (seconds + 1.0) * tempo
            if room < -4.0 * tempo:
                raise ClipError(f"{path.name}: {module.seconds:.0f} s of music")
            start = max(0.0, room) * ((excerpt.take * 0.381966) % 1.0)
            heard = module.play(start, seconds, tempo=tempo, pitch=2 ** (steps / 12))
            title = module.title
        if len(heard.samples) < 20 * RATE or np.abs(heard.samples).max() < 1e-3:
            raise ClipError(f"{path.name}: {len(heard.samples) / RATE:.0f} s of sound")
        bpm = _tapped(heard.bpm)
        named = _named(heard.struck, _INSTRUMENTS)
        struck = _named(heard.struck, _DRUMS)
        return Take(heard.samples, RATE, {
            "programs": [],
            "instruments": named,
            "drums": bool(struck),
            "kit": bool(_KIT & set(struck)),
            "percussion": struck,
            "onsets_per_second": round(heard.onsets, 2),
            "drum_onsets_per_second": None,
            "bpm": round(bpm),
            # Rows and ticks tell the tempo up to what the composer took for a beat.
            "bpm_is_felt": False,
            "pace": _pace(bpm, heard.onsets),
            "metre": None,
            "tonic": None,
            "mode": None,
            "title": title,
            "start": round(start, 2),
            "tempo_factor": round(tempo, 3),
            "transposed": steps,
        })  # fmt: skip

    def describe(self, clip: Clip, facts: dict[str, Any]) -> Words:
        """The module's title, its game, and the sounds that its author named."""
        excerpt: Excerpt = clip.what
        entry = sources()[excerpt.package]
        stem = Path(excerpt.path).stem
        kinds_of = entry.get("kinds", {})
        kinds_of = kinds_of.get(facts["title"], kinds_of.get(stem, []))
        known = Known(
            subjects=[*(f"{genre} {noun}" for genre in entry["genres"] for noun in _NOUNS),
                      "piece of tracker music", "tracker module", *kinds_of * 8],
            genres=entry["genres"],
            players=["sampled instruments", "sampled synths", "synths and samples"],
            title=_readable(facts["title"]),
            facts=facts,
        )  # fmt: skip
        return describe(
            known, clip,
            source={
                "package": excerpt.package, "registry": "debian", "version": excerpt.version,
                "file": Path(excerpt.path).name, "title": facts["title"], "take": excerpt.take,
            },
            licence={"music": entry["licence"]},
            words_from="the module's title and names of instruments; the package; its tempo",
        )  # fmt: skip


def _clips(package: str, seed: int, cache: Path) -> Iterator[Clip]:
    entry = sources()[package]
    fetched = debian(package, cache)
    for path in sorted(fetched.root.glob(entry["files"])):
        if path.suffix.lower() not in _SUFFIXES:
            continue
        try:
            with Module(path) as module:
                length = module.seconds
        except ClipError:
            continue  # a file of another kind by the same ending
        takes = 0 if length < 20 else min(_TAKES, max(2, 2 * int(length / _SPREAD / 2)))
        name = slug(f"{_stem(package)}-{path.stem}")
        for take in range(takes):
            own = take_seed(seed, name, take)
            what = Excerpt(package, fetched.version, str(path), take)
            yield Clip(f"tracker-{name}-{take + 1:02d}", "tracker", entry["group"], own, what)


def _named(struck: dict[str, int], table: dict[str, str]) -> list[str]:
    """The sounds with a telling name that are struck at least three times, most struck first."""
    counts: dict[str, int] = {}
    for name, count in struck.items():
        for sound, pattern in table.items():
            # Authors also write messages where instruments are named.
            if len(name.split()) <= 3 and re.search(pattern, name, re.IGNORECASE):
                counts[sound] = counts.get(sound, 0) + count
    if "pan flute" in counts:
        counts.pop("flute", None)
    return sorted((s for s in counts if counts[s] >= 3), key=lambda s: -counts[s])


def _tapped(bpm: float) -> float:
    """The tempo brought between 75 and 160, as one would tap it."""
    while bpm >= 160:
        bpm /= 2
    while 0 < bpm < 75:
        bpm *= 2
    return bpm


def _pace(bpm: float, onsets: float) -> str:
    """By the beat and by what happens in it; `onsets` are a second's."""
    if (bpm >= _FAST and onsets >= 5) or (bpm >= 110 and onsets >= 11):
        return "fast"
    return "slow" if bpm < _MEDIUM and onsets < 6 else "medium"


def _readable(title: str) -> str | None:
    """The title without ornaments, or None where it is a number or a code."""
    plain = " ".join(re.sub(r"[^\w '&!.-]", " ", title).strip(" .-_").replace("_", " ").split())
    plain = re.sub(r" by .*", "", plain)
    dull = r"(?i)song ?\d.*|.*\b(game|song|theme|hiscore|intro|menu|level|untitled|short)\b.*|.*\d$"
    if not re.fullmatch(r"[A-Za-z][\w '&!.-]{3,30}", plain) or re.fullmatch(dull, plain):
        return None
    return plain


PART = Tracker()
