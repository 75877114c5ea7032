"""The dictionary of musical words: what a word implies for what is heard.

    python -m recipes.dictionary.dictionary      (checks every entry, counts, writes `WORDS`)

`concepts/*.jsonl` hold an entry a line: a concept, phrases as people ask for it, and its profile
over ATTRIBUTES, in standard deviations from the average of a broad collection.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import muscall
from muscall.library.names import words_of

CONCEPTS = Path(__file__).parent / "concepts"
WORDS = Path(muscall.__file__).parent / "library" / "search" / "musical_words.txt"

_VOICE = ("mtt/singing", "mtt/vocal", "mtt/vocals", "mtt/voice")
_WOMAN = ("mtt/female", "mtt/woman", "mtt/female vocal", "mtt/female voice",
          "msd/female vocalists", "msd/female vocalist")  # fmt: skip
_MAN = ("mtt/male", "mtt/man", "mtt/male vocal", "mtt/male voice", "msd/male vocalists")

# By attribute, the tags of musicnn whose mean it is.
TAGGED: dict[str, tuple[str, ...]] = {
    "classical": ("mtt/classical", "mtt/classic"), "opera": ("mtt/opera",),
    "techno": ("mtt/techno",), "house": ("msd/House",),
    "electronic": ("mtt/electronic", "msd/electronic", "msd/electronica", "msd/electro"),
    "dance": ("mtt/dance", "msd/dance"), "ambient": ("mtt/ambient", "msd/ambient"),
    "new age": ("mtt/new age",), "rock": ("mtt/rock", "msd/rock", "msd/classic rock"),
    "metal": ("mtt/metal", "msd/metal", "msd/heavy metal"), "hard rock": ("msd/hard rock",),
    "punk": ("msd/punk",), "indie rock": ("msd/indie rock", "msd/indie"),
    "progressive rock": ("msd/Progressive rock",),
    "alternative": ("msd/alternative", "msd/alternative rock"), "pop": ("mtt/pop", "msd/pop"),
    "indie pop": ("msd/indie pop",), "jazz": ("msd/jazz",), "soul": ("msd/soul", "msd/rnb"),
    "blues": ("msd/blues",), "folk": ("msd/folk",), "country": ("mtt/country", "msd/country"),
    "funk": ("msd/funk",), "hip hop": ("msd/Hip-Hop",), "indian": ("mtt/indian",),
    "experimental": ("msd/experimental",), "chillout": ("msd/chillout", "msd/chill"),
    "easy listening": ("msd/easy listening",), "60s": ("msd/60s",), "70s": ("msd/70s",),
    "80s": ("msd/80s",), "90s": ("msd/90s",), "00s": ("msd/00s",), "oldies": ("msd/oldies",),
    "guitar": ("mtt/guitar", "msd/guitar"), "piano": ("mtt/piano",), "strings": ("mtt/strings",),
    "violin": ("mtt/violin",), "cello": ("mtt/cello",), "harp": ("mtt/harp",),
    "harpsichord": ("mtt/harpsichord",), "flute": ("mtt/flute",), "sitar": ("mtt/sitar",),
    "synth": ("mtt/synth",), "drums": ("mtt/drums",), "beat": ("mtt/beat", "mtt/beats"),
    "choir": ("mtt/choir", "mtt/choral"), "singing": _VOICE, "female voice": _WOMAN,
    "male voice": _MAN,
    "instrumental": ("mtt/no vocals", "mtt/no vocal", "mtt/no voice", "msd/instrumental"),
    "slow": ("mtt/slow",), "fast": ("mtt/fast",), "loud": ("mtt/loud",),
    "quiet": ("mtt/quiet", "mtt/soft"), "mellow": ("msd/Mellow",), "sad": ("msd/sad",),
    "happy": ("msd/happy",), "weird": ("mtt/weird",), "solo": ("mtt/solo",),
    "acoustic": ("msd/acoustic",), "beautiful": ("msd/beautiful",), "party": ("msd/party",),
    "catchy": ("msd/catchy",), "sexy": ("msd/sexy",),
}  # fmt: skip
# What VibeNet predicts; in the order of its outputs.
PREDICTED = ("acousticness", "danceability", "energy", "instrumentalness", "liveness",
             "speechiness", "valence")  # fmt: skip
# Of the sound itself; all but the level in the order of `muscall.models.measures.Measures`.
MEASURED = ("onsets", "percussive", "pulse", "dynamics", "brightness", "level")
# What the score of rendered music tells: families of instruments, tempo, mode and metre.
SCORED = ("brass", "reeds", "organ", "accordion", "mallets", "bagpipes", "plucked", "bass",
          "tempo", "minor", "triple")  # fmt: skip
ATTRIBUTES = (*TAGGED, *PREDICTED, *MEASURED, *SCORED)
LARGEST = 3.0  # standard deviations that a profile may ask for


class DictionaryError(ValueError):
    """An entry that breaks the rules, named in one line."""


@dataclass(frozen=True)
class Concept:
    """A musical word, phrases that ask for it, and its profile by attribute."""

    name: str
    phrases: tuple[str, ...]
    profile: dict[str, float]


def read(folder: Path = CONCEPTS) -> list[Concept]:
    """Every concept of the files in a folder, in the order of their names.

    Raises:
        DictionaryError: an entry lacks a part, repeats one, or has an unknown attribute.
    """
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        names: set[str] = set()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            try:
                concept = _concept(json.loads(line))
                if concept.name in names:
                    raise DictionaryError(f"“{concept.name}” is there twice")
            except (ValueError, KeyError) as error:
                raise DictionaryError(f"{path.name}, line {number}: {error}") from None
            names.add(concept.name)
            found.append(concept)
    return found


def _concept(entry: dict[str, object]) -> Concept:
    concept = Concept(entry["concept"], tuple(entry["phrases"]), dict(entry["profile"]))  # type: ignore[arg-type, call-overload]
    if not concept.phrases or len(set(concept.phrases)) < len(concept.phrases):
        raise DictionaryError(f"“{concept.name}”: no phrases, or one twice")
    for name, value in concept.profile.items():
        if name not in ATTRIBUTES or abs(value) > LARGEST:
            raise DictionaryError(f"“{concept.name}”: {name} {value}")
    return concept


def profiles(concepts: Iterable[Concept], attributes: Sequence[str] = ATTRIBUTES) -> np.ndarray:
    """(concepts, attributes) float32, less the mean: no attribute is wanted by all."""
    table = np.array([[c.profile.get(a, 0.0) for a in attributes] for c in concepts], np.float32)
    return table - table.mean(axis=0)


def musical_words(concepts: Iterable[Concept]) -> list[str]:
    """All words of the phrases."""
    return sorted(set(words_of(phrase for concept in concepts for phrase in concept.phrases)))


if __name__ == "__main__":
    try:
        concepts = read()
    except DictionaryError as error:
        sys.exit(f"dictionary: {error}")
    counts = Counter(name for concept in concepts for name in concept.profile)
    print(f"{len(concepts)} concepts, {sum(len(c.phrases) for c in concepts)} phrases")
    print(", ".join(f"{name} {n}" for name, n in counts.most_common()))
    WORDS.write_text("\n".join([*musical_words(concepts), ""]), "utf-8")
