"""The words a listener has for the measured facts of a clip."""

from __future__ import annotations

import random
from typing import Any

Facts = dict[str, Any]

SLOW, BRISK, FAST, VERY_FAST = 88, 120, 146, 185
SPARSE, BUSY = 3.6, 13.0
_ALSO = {
    "bright piano": ("piano", "bright piano"),
    "electric grand piano": ("electric grand piano", "piano"),
    "honky-tonk piano": ("honky-tonk piano", "old upright piano"),
    "nylon guitar": ("nylon guitar", "classical guitar", "acoustic guitar"),
    "steel-string guitar": ("steel-string guitar", "acoustic guitar"),
    "jazz guitar": ("jazz guitar", "mellow electric guitar"),
    "clean electric guitar": ("clean electric guitar", "electric guitar"),
    "muted electric guitar": ("muted electric guitar", "muted guitar"),
    "overdriven guitar": ("overdriven guitar", "crunchy electric guitar"),
    "distorted guitar": ("distorted guitar", "distorted electric guitar"),
    "upright bass": ("upright bass", "double bass", "acoustic bass"),
    "electric bass": ("electric bass", "bass guitar", "bass"),
    "picked electric bass": ("electric bass", "picked bass", "bass"),
    "strings": ("strings", "a string section", "string ensemble"),
    "pizzicato strings": ("pizzicato strings", "plucked strings"),
    "percussive organ": ("percussive organ", "organ"),
    "rock organ": ("rock organ", "organ"),
    "electric piano": ("electric piano", "mellow electric piano"),
    "brass section": ("brass section", "brass", "horn section"),
    "choir": ("choir", "choir voices"),
    "soprano sax": ("soprano sax", "saxophone", "sax"),
    "alto sax": ("alto sax", "saxophone", "sax"),
    "tenor sax": ("tenor sax", "saxophone", "sax"),
    "baritone sax": ("baritone sax", "saxophone"),
    "muted trumpet": ("muted trumpet", "trumpet with a mute"),
    "square synth lead": ("synth lead", "square-wave synth", "synthesiser"),
    "sawtooth synth lead": ("synth lead", "sawtooth synth", "synthesiser"),
}
_ELECTRONIC = set(range(38, 40)) | set(range(80, 104)) | {118}
_PLUGGED = (
    _ELECTRONIC
    | {2, 4, 5, 7, 16, 17, 18, 50, 51, 54, 62, 63}
    | set(range(26, 32))
    | set(range(33, 38))
)
_LOUD_GUITARS = {29, 30}
_DRIVEN = {27, 28, 29, 30}  # electric and distorted guitars
PACE_WORDS = {
    "slow": ("slow", "slow", "unhurried", "slow-paced"),
    "medium": ("mid-tempo", "moderate", "medium-paced"),
    "fast": ("fast", "lively", "brisk", "quick", "up-tempo"),
}


def tempo_word(bpm: float, rng: random.Random) -> str:
    """A word for a felt tempo in beats a minute."""
    if bpm < SLOW:
        return rng.choice(["slow", "slow", "unhurried"] if bpm > 64 else ["slow", "very slow"])
    if bpm < BRISK:
        return rng.choice(["mid-tempo", "mid-tempo", "medium-tempo"])
    if bpm < FAST:
        return rng.choice(["up-tempo", "brisk", "quick"])
    return rng.choice(["fast", "fast", "very fast"] if bpm >= VERY_FAST else ["fast", "rapid"])


def key_words(facts: Facts) -> str | None:
    """The key as a listener says it, if there is one."""
    if facts["tonic"] is None:
        return None
    tonic = facts["tonic"].replace("b", " flat").replace("#", " sharp")
    # A blues is neither major nor minor.
    return tonic if facts["mode"] == "blues" else f"{tonic} {facts['mode']}"


def moods(facts: Facts) -> list[str]:
    """Mood words that the measured facts bear out; often none."""
    bpm, mode, programs = facts["bpm"], facts["mode"], set(facts["programs"])
    loud = bool(programs & _LOUD_GUITARS)
    drums = facts["drum_onsets_per_second"]
    found: list[str] = []
    if bpm < 95 and facts["onsets_per_second"] < 6 and drums < 3 and programs and not loud:
        found += ["calm", "gentle", "relaxed", "peaceful"]
    if bpm < 95 and mode == "minor" and not loud and facts["onsets_per_second"] < 9:
        found += ["melancholic", "sad", "wistful"]
    if bpm >= 118 and drums >= 5.5:
        found += ["energetic", "lively", "driving"]
    if bpm >= 112 and mode == "major" and drums >= 2 and not loud:
        found += ["happy", "cheerful", "upbeat"]
    if mode == "minor" and 88 <= bpm < 132 and drums < 5 and programs:
        found += ["moody", "dark"]
    if loud and facts["kit"]:
        found += ["heavy", "loud", "hard-hitting"]
    if bpm >= 90 and drums >= 7:
        found += ["danceable", "rhythmic"]
    return found


def feelings(facts: Facts) -> list[str]:
    """As `moods`, of music whose `pace` is known and whose tempo need not be; often none."""
    pace, mode = facts["pace"], facts["mode"]
    loud = bool(set(facts["programs"]) & _DRIVEN) and facts["kit"]
    found: list[str] = []
    if pace == "slow" and not facts["kit"] and facts["onsets_per_second"] < 7:
        found += ["calm", "gentle", "peaceful", "relaxing"]
        if mode == "minor":
            found += ["sad", "melancholic", "wistful", "mournful"]
    if pace == "fast":
        found += ["lively", "energetic", "spirited"]
        if mode in ("major", "mixolydian") and not loud:
            found += ["cheerful", "happy", "bright", "upbeat"]
    if pace == "medium" and mode == "minor":
        found += ["wistful", "moody"]
    if loud:
        found += ["loud", "hard-hitting"]
    return found


_DANCES = (
    "waltz", "polka", "tango", "samba", "mambo", "cha-cha", "foxtrot", "quickstep", "jive", "twist",
    "rhumba", "merengue", "salsa", "disco", "house", "techno", "trance", "rave", "Charleston",
)  # fmt: skip


def uses(facts: Facts) -> list[str]:
    """What a clip is good for, where its style or its measured facts bear it out; often nothing."""
    felt, found = moods(facts), []
    if "calm" in felt and not facts["kit"]:
        found += ["to relax to", "to unwind with", "for a quiet evening"]
    if "energetic" in felt and facts["kit"]:
        found += ["for a workout", "for a party", "to get moving"]
    if any(dance in style for style in facts["style"] for dance in _DANCES):
        found += ["to dance to", "for dancing"]
    return found


def character(facts: Facts) -> list[str]:
    """Words on how the sound is made, from the General MIDI programs."""
    programs = facts["programs"]
    if not programs:
        return []
    if facts["programs"][0] in _ELECTRONIC or sum(p in _ELECTRONIC for p in programs) >= 2:
        return ["electronic", "synth-driven"]
    if not set(programs) & _PLUGGED:
        return ["acoustic", "unplugged"] if not facts["kit"] else ["acoustic"]
    return []


def density(facts: Facts) -> list[str]:
    """Words on how much happens, from note onsets a second."""
    if facts["onsets_per_second"] >= BUSY:
        return ["busy", "dense"]
    return ["sparse", "simple"] if facts["onsets_per_second"] <= SPARSE else []


_KIT_PIECES = {
    "kick drum", "snare drum", "hi-hat", "ride cymbal", "rim clicks", "crash cymbal", "toms",
}  # fmt: skip


def called(name: str, rng: random.Random) -> str:
    """One of the names that listeners have for an instrument."""
    return rng.choice(_ALSO.get(name, (name,)))


def heard(facts: Facts, rng: random.Random, most: int) -> list[str]:
    """Up to `most` of the instruments, loudest first, and the drums or percussion."""
    names = [called(name, rng) for name in facts["instruments"][:most]]
    struck = [piece for piece in facts["percussion"] if piece != "percussion"]
    hand = [p for p in struck if p not in _KIT_PIECES]
    if facts["kit"]:
        names.append("drums")
        if hand and rng.random() < 0.35:
            names.append(hand[0])
    elif facts["drums"]:
        names += hand[:2] if hand and rng.random() < 0.5 else ["percussion"]
    return list(dict.fromkeys(names))
