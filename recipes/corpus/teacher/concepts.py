"""What tags and measurements mean: synonyms, what contradicts what, and a listener's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, prod
from typing import Literal

Kind = Literal["genre", "adjective", "instrument", "voice"]


@dataclass(frozen=True)
class Concept:
    """Tags that mean the same, and what a listener calls it.

    `floor` is the score under which it is never stated, however rare it is; many tags add up, so it
    is higher for the voices. `sure` is the score from which it is stated, however common it is.
    `within` names the wider concepts that it makes needless to state.
    """

    kind: Kind
    tags: tuple[str, ...]
    words: tuple[str, ...]
    floor: float = 0.2
    within: tuple[str, ...] = ()
    sure: float = 0.6

    def score(self, heard: Mapping[str, float]) -> float:
        """How likely one of the tags holds, were they independent; in 0..1."""
        return 1 - prod(1 - heard[tag] for tag in self.tags)


@dataclass(frozen=True)
class Quantity(Concept):
    """A quantity of `acoustics.Measured` that is large or, unless `much`, small for a recording."""

    floor: float = -inf
    sure: float = inf
    much: bool = True

    def score(self, heard: Mapping[str, float]) -> float:
        """The quantity, or its negative."""
        (quantity,) = self.tags
        return heard[quantity] if self.much else -heard[quantity]


def _genre(tags: str, *words: str, within: str = "", floor: float = 0.2) -> Concept:
    return Concept("genre", _split(tags), words, floor, _split(within))


def _adjective(tags: str, *words: str, floor: float = 0.2) -> Concept:
    return Concept("adjective", _split(tags), words, floor)


def _instrument(tags: str, *words: str, within: str = "", floor: float = 0.2) -> Concept:
    return Concept("instrument", _split(tags), words, floor, _split(within))


def _voice(tags: str, *words: str, within: str = "", floor: float = 0.2) -> Concept:
    return Concept("voice", _split(tags), words, floor, _split(within))


def _measured(quantity: str, *words: str, much: bool = True, within: str = "") -> Concept:
    return Quantity("adjective", (quantity,), words, within=_split(within), much=much)


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


CONCEPTS: dict[str, Concept] = {
    "classical": _genre("mtt/classical, mtt/classic", "classical", "classical"),
    "opera": _genre("mtt/opera", "opera", "operatic"),
    "techno": _genre("mtt/techno", "techno", within="electronic"),
    "house": _genre("msd/House", "house", within="electronic, dance"),
    "electronic": _genre("mtt/electronic, msd/electronic, msd/electronica, msd/electro",
                         "electronic", "electronica", "electronic"),
    "dance": _genre("mtt/dance, msd/dance", "dance"),
    "ambient": _genre("mtt/ambient, msd/ambient", "ambient"),
    "new age": _genre("mtt/new age", "new age"),
    "rock": _genre("mtt/rock, msd/rock", "rock"),
    "metal": _genre("mtt/metal, msd/metal, msd/heavy metal", "metal", "heavy metal", within="rock"),
    "hard rock": _genre("msd/hard rock", "hard rock", within="rock"),
    "punk": _genre("msd/punk", "punk", within="rock"),
    "indie rock": _genre("msd/alternative rock, msd/indie rock", "alternative rock", "indie rock",
                         within="rock"),
    "progressive rock": _genre("msd/Progressive rock", "progressive rock", "prog rock",
                               within="rock"),
    "pop": _genre("mtt/pop, msd/pop", "pop"),
    "jazz": _genre("msd/jazz", "jazz", "jazzy"),
    "soul": _genre("msd/soul, msd/rnb", "soul", "R&B"),
    "blues": _genre("msd/blues", "blues", "bluesy"),
    "folk": _genre("msd/folk", "folk", "folk"),
    "country": _genre("mtt/country, msd/country", "country"),
    "funk": _genre("msd/funk", "funk", "funky"),
    "hip hop": _genre("msd/Hip-Hop", "hip hop", floor=0.3),
    "indian": _genre("mtt/indian", "Indian"),
    "experimental": _genre("msd/experimental", "experimental"),
    "chillout": _genre("msd/chillout, msd/chill", "chillout", "chill", "downtempo"),
    "slow": _adjective("mtt/slow", "slow", "slow", "unhurried"),
    "fast": _adjective("mtt/fast", "fast", "fast", "up-tempo"),
    "loud": _adjective("mtt/loud", "loud"),
    "quiet": _adjective("mtt/quiet, mtt/soft", "quiet", "soft", "gentle"),
    "mellow": _adjective("msd/Mellow, msd/easy listening", "mellow", "laid-back"),
    "sad": _adjective("msd/sad", "sad", "melancholy", floor=0.1),
    "happy": _adjective("msd/happy", "happy", "cheerful", floor=0.1),
    "weird": _adjective("mtt/weird", "weird", "strange"),
    "solo": _adjective("mtt/solo", "solo"),
    "acoustic": _adjective("msd/acoustic", "acoustic"),
    "guitar": _instrument("mtt/guitar, msd/guitar", "guitar", "guitars"),
    "piano": _instrument("mtt/piano", "piano", "piano", "keys"),
    "strings": _instrument("mtt/strings", "strings", "a string section"),
    "violin": _instrument("mtt/violin", "violin", "a violin", within="strings"),
    "cello": _instrument("mtt/cello", "cello", "a cello", within="strings"),
    "harp": _instrument("mtt/harp", "harp", "a harp"),
    "harpsichord": _instrument("mtt/harpsichord", "harpsichord", "a harpsichord"),
    "flute": _instrument("mtt/flute", "flute", "a flute"),
    "sitar": _instrument("mtt/sitar", "sitar", "a sitar"),
    "synth": _instrument("mtt/synth", "synth", "synths", "synthesizers"),
    "drums": _instrument("mtt/drums", "drums", "drums", "percussion"),
    "beat": _instrument("mtt/beat, mtt/beats", "beats", "a beat", within="drums"),
    "female voice": _voice("mtt/female, mtt/woman, mtt/female vocal, mtt/female voice,"
                           " msd/female vocalists, msd/female vocalist",
                           "female vocals", "a woman singing", "a female singer", within="singing",
                           floor=0.5),
    "male voice": _voice("mtt/male, mtt/man, mtt/male vocal, mtt/male voice, msd/male vocalists",
                         "male vocals", "a man singing", "a male singer", within="singing",
                         floor=0.5),
    "choir": _voice("mtt/choir, mtt/choral", "choir", "a choir", "choral voices", within="singing"),
    "singing": _voice("mtt/vocal, mtt/vocals, mtt/voice, mtt/singing", "vocals", "singing",
                      floor=0.4),
    "instrumental": _voice("mtt/no vocals, mtt/no vocal, mtt/no voice, msd/instrumental",
                           "no vocals", "no singing"),
    "sparse": _measured("onsets", "sparse", "spacious", "bare", much=False),
    "busy": _measured("onsets", "busy", "hectic", "dense"),
    "drumless": _measured("drums", "drumless", "smooth", much=False),
    "percussive": _measured("drums", "percussive", "rhythmic"),
    "drifting": _measured("pulse", "drifting", "beatless", "free-flowing", much=False),
    "steady": _measured("pulse", "steady", "groovy"),
    "dramatic": _measured("swing", "dynamic", "swelling", "dramatic"),
    "dark": _measured("brightness", "dark-sounding", "deep", "muffled", much=False),
    "bright": _measured("brightness", "bright", "crisp", "shimmering"),
}  # fmt: skip

# Where both of a pair are heard, the teacher is not sure of either, and neither is stated.
CONTRADICTIONS: tuple[tuple[frozenset[str], frozenset[str]], ...] = tuple(
    (frozenset(_split(some)), frozenset(_split(others)))
    for some, others in (
        ("slow", "fast, techno, house, punk"),
        ("quiet", "loud, metal, hard rock, punk, techno"),
        ("mellow", "loud, metal, hard rock, punk, techno"),
        ("sad", "happy"),
        ("instrumental", "singing, female voice, male voice, choir, opera, hip hop"),
        ("female voice", "male voice"),
        ("acoustic", "electronic, techno, house, synth, metal"),
        ("classical, opera", "techno, house, dance, metal, punk, hard rock, hip hop, funk, pop"),
        ("ambient, new age", "metal, punk, hard rock, dance, house"),
        ("solo", "drums, beat, dance, techno, house, rock, metal, choir"),
        ("jazz, blues, folk, country", "techno, house, metal"),
        ("sparse, drifting", "fast, busy, percussive, steady, beat, dance, techno, house, metal"),
        ("drumless", "percussive, drums, beat, dance, techno, house, metal, hip hop"),
        ("busy", "slow"),
        ("percussive", "ambient, solo"),
    )
)
