"""Checks whether the instruments that a phrase names are in a clip's MIDI file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


def _any(*programs: range) -> Callable[[dict[str, Any]], bool]:
    wanted = {program for group in programs for program in group}
    return lambda facts: bool(wanted & set(facts["programs"]))


def _struck(*pieces: str) -> Callable[[dict[str, Any]], bool]:
    return lambda facts: bool(set(pieces) & set(facts["percussion"]))


_GUITAR = range(24, 32)
_CLAIMS: dict[str, Callable[[dict[str, Any]], bool]] = {
    r"pianos?|honky": _any(range(0, 6)),
    r"rhodes|electric piano": _any(range(4, 6)),
    r"clavinet": _any(range(7, 8)),
    r"vibes|vibraphone": _any(range(11, 12)),
    r"marimbas?": _any(range(12, 13)),
    r"xylophone": _any(range(13, 14)),
    r"organ": _any(range(16, 21)),
    r"accordion|zydeco": _any(range(21, 22), range(23, 24)),
    r"harmonica|mouth": _any(range(22, 23)),
    r"bandoneon": _any(range(21, 22), range(23, 24)),
    r"(?:jazz |nylon |steel |rhythm |solo )?guitars?|strum\w*|pick(?:ed|ing)|fingerpick\w*": _any(
        _GUITAR, range(105, 106)
    ),
    r"nylon": _any(range(24, 25)),
    r"steel guitar": _any(range(25, 26)),
    r"electric guitar": _any(range(26, 31)),
    r"bass": _any(range(32, 40), range(43, 44), range(58, 59)),
    r"strings?|string section|tremolo": _any(range(40, 52)),
    r"pizzicato": _any(range(45, 46)),
    r"fiddles?|fiddler|violins?": _any(range(40, 41), range(110, 111), range(48, 50)),
    r"viola": _any(range(41, 42)),
    r"cellos?": _any(range(42, 43)),
    r"harp": _any(range(46, 47)),
    r"orchestra\w*": _any(range(40, 52)),
    r"voices?|voiced|vocal\w*|choir|ahs|oohs|sung": _any(
        range(52, 55), range(85, 86), range(91, 92)
    ),
    r"trumpets?": _any(range(56, 57), range(59, 60)),
    r"muted trumpets?": _any(range(59, 60)),
    r"trombones?": _any(range(57, 58)),
    r"tuba": _any(range(58, 59)),
    r"horns?|brass": _any(range(56, 68)),
    r"sax\w*": _any(range(64, 68)),
    r"clarinets?": _any(range(71, 72)),
    r"piccolos?": _any(range(72, 73)),
    r"flutes?": _any(range(73, 74), range(75, 76)),
    r"bottle|blow-bottle": _any(range(76, 77)),
    r"synths?|sawtooth|synthesi[sz]er": _any(range(80, 104), range(38, 40), range(50, 52)),
    r"pads?": _any(range(88, 96), range(50, 52), range(48, 50)),
    r"banjos?": _any(range(105, 106)),
    r"steel drums?": _any(range(114, 115)),
    r"drums?|drum-set|drumming|percussion|percussive": lambda facts: bool(facts["drums"]),
    r"snare": _struck("snare drum"),
    r"toms?|tom-drums": _struck("toms"),
    r"congas?": _struck("congas"),
    r"bongos?": _struck("bongos"),
    r"tambourine": _struck("tambourine"),
    r"\w*clap\w*": _struck("hand claps"),
    r"cowbell": _struck("cowbell"),
    r"maracas": _struck("maracas"),
    r"claves?": _struck("claves"),
    r"shaker": _struck("shaker"),
}


def _matches(claim: str, phrase: str) -> bool:
    return re.search(rf"\b(?:{claim})\b", phrase, re.IGNORECASE) is not None


def agrees(phrase: str, facts: dict[str, Any]) -> bool:
    """Whether every instrument the phrase names is heard in the clip's MIDI file."""
    if re.search(r"\bfast\b", phrase) and facts["bpm"] < 100:
        return False
    if re.search(r"\bslow\b", phrase) and facts["bpm"] > 110:
        return False
    if re.search(r"\b(?:happy|cheery|perky)\b", phrase) and facts["mode"] == "minor":
        return False
    # "Bass drum" and "steel drums" are not claims of a bass or of a drum kit.
    plain = re.sub(r"\bbass drum\b", "drum", phrase)
    if _matches("steel drums?", plain):
        plain = re.sub(r"\bsteel drums?\b", "", plain)
        if not _CLAIMS["steel drums?"](facts):
            return False
    return all(heard(facts) for claim, heard in _CLAIMS.items() if _matches(claim, plain))
