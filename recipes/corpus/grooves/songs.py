"""Songs for a groove: key, tempo and chords drawn from a hash, written as mma text."""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass

from recipes.corpus.grooves.library import Family, Groove

SHORTEST, LONGEST = 20.2, 24.4
_TARGET = 22.4

_SHARP = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLAT = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_MAJOR_KEYS = ("C", "G", "D", "A", "E", "F", "Bb", "Eb", "Ab", "Db", "F#", "B")
_MINOR_KEYS = ("A", "E", "B", "D", "G", "C", "F#", "C#", "F", "Bb", "G#", "Eb")
_FLAT_MAJOR = {"F", "Bb", "Eb", "Ab", "Db"}
_FLAT_MINOR = {"D", "G", "C", "F", "Bb", "Eb"}

# Bars are parted by |, chords of one bar by a blank; major and blues ones are in C, minor in A.
PROGRESSIONS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "axis": ("major", ("pop", "dance"), "C|G|Am|F"),
    "axis-turned": ("major", ("pop", "dance"), "Am|F|C|G"),
    "pachelbel": ("major", ("pop", "hymn", "folk"), "C|G|Am|Em|F|C|F|G"),
    "ballad-climb": ("major", ("pop",), "C|Em|F|G|C|Am|Dm|G"),
    "suspended": ("major", ("pop",), "C|Csus4|F|G|Am|G|F|Gsus4"),
    "four-ninths": ("major", ("pop", "dance"), "FM7|G|Em7|Am7"),
    "doo-wop": ("major", ("fifties", "pop"), "C|Am|F|G"),
    "doo-wop-second": ("major", ("fifties",), "C|Am|Dm7|G7"),
    "fifties-middle": ("major", ("fifties",), "F|G7|C|Am|F|G7|C|C7"),
    "three-chords": ("major", ("rock", "folk", "country"), "C|F|G|F"),
    "mixolydian": ("major", ("rock",), "C|Bb|F|C"),
    "rock-walk": ("major", ("rock", "pop"), "C|G|Bb|F"),
    "rock-anthem": ("major", ("rock",), "C|C|F|F|G|F|C|G"),
    "metal-phrygian": ("minor", ("metal",), "Am|Am|Bb|Am|Am|Am|C|Bb"),
    "metal-drive": ("minor", ("metal", "rock"), "Am|F|G|Am|Am|F|C|G"),
    "aeolian": ("minor", ("minor", "dance", "rock"), "Am|F|C|G"),
    "aeolian-fall": ("minor", ("minor", "rock", "folk"), "Am|G|F|G"),
    "andalusian": ("minor", ("minor", "latin", "tango"), "Am|G|F|E7"),
    "minor-plagal": ("minor", ("minor", "soul", "dance"), "Am7|Dm7|Am7|Em7"),
    "minor-ballad": ("minor", ("minor",), "Am|Em|F|C|Dm|Am|E7|Am"),
    "minor-house": ("minor", ("dance", "minor"), "Am7|Am7|Dm7|Em7"),
    "dorian": ("minor", ("funk", "minorjazz", "soul"), "Am7|D7|Am7|D7"),
    "soul-plagal": ("major", ("soul", "hymn"), "C|F|C|G|Am|D7|F|G"),
    "soul-sevenths": ("major", ("soul", "funk"), "CM7|Am7|Dm7|G7"),
    "soul-rise": ("major", ("soul",), "C|Dm7|Em7|FM7"),
    "one-chord-funk": ("blues", ("funk",), "C9|C9|C9|F9"),
    "funk-shift": ("blues", ("funk",), "C7|F7|C7|G7"),
    "blues-twelve": ("blues", ("blues",), "C7|C7|C7|C7|F7|F7|C7|C7|G7|F7|C7|G7"),
    "blues-quick": ("blues", ("blues",), "C7|F7|C7|C7|F7|F7|C7|C7|G7|F7|C7|G7"),
    "blues-eight": ("blues", ("blues",), "C7|G7|F7|F7|C7|G7|C7 F7|C7 G7"),
    "minor-blues": ("minor", ("minorblues", "minorjazz"),
                    "Am7|Dm7|Am7|A7|Dm7|Dm7|Am7|Am7|F7|E7|Am7|E7"),
    "two-five-one": ("major", ("jazz", "bossa"), "Dm7|G7|CM7|CM7"),
    "turnaround": ("major", ("jazz", "dixie", "showtune"), "CM7 Am7|Dm7 G7"),
    "rhythm-changes": ("major", ("jazz",), "C6 Am7|Dm7 G7|Em7 A7|Dm7 G7|C6 C7|F6 Fm6|C6 A7|Dm7 G7"),
    "circle": ("major", ("jazz",), "Em7|A7|Dm7|G7|CM7|FM7|Bm7b5|E7"),
    "satin": ("major", ("jazz",), "Dm7 G7|Dm7 G7|Em7 A7|Em7 A7|Am7 D7|Abm7 Db7|CM7|CM7"),
    "autumn": ("minor", ("minorjazz", "bossa"), "Dm7|G7|CM7|FM7|Bm7b5|E7|Am7|Am7"),
    "minor-two-five": ("minor", ("minorjazz",), "Am7|Bm7b5 E7|Am7|Bm7b5 E7"),
    "minor-cliche": ("minor", ("minorjazz", "tango"), "Am|AmM7|Am7|Am6|Dm7|E7|Am|E7"),
    "ipanema": ("major", ("bossa",), "CM7|CM7|D7|D7|Dm7|Db7|CM7|Db7"),
    "bossa-minor": ("minor", ("bossa", "latin"), "Am6|Am6|Bm7b5|E7|Am6|Dm7|E7|Am6"),
    "guajira": ("major", ("latin", "calypso"), "C|F|G7|F"),
    "montuno": ("minor", ("latin",), "Am|Dm|E7|Am"),
    "latin-fifths": ("major", ("latin", "calypso"), "C|C|G7|G7|Dm7|G7|C|C"),
    "calypso": ("major", ("calypso",), "C|F|C|G7|C|F|G7|C"),
    "tango-minor": ("minor", ("tango",), "Am|Am|E7|E7|Dm|Am|E7|Am"),
    "tango-major": ("major", ("tango", "showtune"), "C|C|G7|G7|Dm|G7|C|C"),
    "folk-verse": ("major", ("folk", "country"), "C|F|C|G|C|F|G|C"),
    "folk-drone": ("major", ("folk",), "C|Bb|C|G|C|Em|F|C"),
    "folk-minor": ("minor", ("folk",), "Am|C|G|Am|F|C|E7|Am"),
    "country-eight": ("major", ("country",), "C|C|F|F|G7|G7|C|G7"),
    "country-circle": ("major", ("country", "dixie"), "C|A7|D7|G7"),
    "country-plain": ("major", ("country", "polka"), "C|C7|F|C|C|G7|C|C"),
    "ragtime-circle": ("major", ("dixie",), "C|E7|A7|D7|G7|G7|C|G7"),
    "dixie-strain": ("major", ("dixie",), "C|C|G7|C|F|C|D7|G7"),
    "show-climb": ("major", ("showtune",), "C|C#dim7|Dm7|G7|Em7|Am7|Dm7|G7"),
    "show-swell": ("major", ("showtune",), "C|CM7|C7|F|Fm|C|G7|C"),
    "waltz-plain": ("major", ("waltz",), "C|C|G7|G7|Dm|G7|C|C"),
    "waltz-fall": ("major", ("waltz",), "C|Em|Am|Am|F|C|D7|G7"),
    "waltz-circle": ("major", ("waltz",), "C|Am|Dm|G7"),
    "waltz-minor": ("minor", ("minorwaltz", "waltz"), "Am|Am|E7|E7|E7|E7|Am|Am"),
    "waltz-minor-fall": ("minor", ("minorwaltz",), "Am|Dm|G7|C|F|Dm|E7|Am"),
    "jazz-waltz-change": ("major", ("jazzwaltz",), "CM7|Am7|Dm7|G7|Em7|A7|Dm7|G7"),
    "jazz-waltz-minor": ("minor", ("jazzwaltz",), "Am7|Dm7|Am7|Am7|Dm7|G7|CM7|E7"),
    "march-strain": ("major", ("march",), "C|C|G7|C|F|C|G7|C"),
    "march-trio": ("major", ("march", "polka"), "C|C|C|G7|G7|G7|G7|C"),
    "march-lift": ("major", ("march",), "C|F|C|D7|G7|C|G7|C"),
    "polka-plain": ("major", ("polka",), "C|C|G7|G7|G7|G7|C|C"),
    "polka-fourth": ("major", ("polka",), "C|F|G7|C"),
    "hymn-plain": ("major", ("hymn",), "C|F|C|G|C|Am|F G|C"),
    "hymn-amen": ("major", ("hymn",), "C|G|C|F|C|G7|F|C"),
}  # fmt: skip


@dataclass(frozen=True)
class Song:
    """What one clip plays: `bpm` in notated beats a minute, `seconds` the length of its bars."""

    bpm: float
    bars: int
    seconds: float
    tonic: str
    mode: str
    progression: str
    chords: tuple[tuple[str, ...], ...]
    ending: bool
    seed: int


def row_random(seed: int, groove: str, variation: int, purpose: str) -> random.Random:
    """A generator that depends on one row alone, so rows stay put when others come or go."""
    digest = hashlib.sha256(f"{seed}|{groove}|{variation}|{purpose}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def transpose(chord: str, steps: int, flats: bool) -> str:
    """A chord name moved up by `steps` semitones, spelt with flats or sharps."""
    match = re.fullmatch(r"([A-G][b#]?)(.*)", chord)
    if match is None:
        raise ValueError(f"not a chord: {chord}")
    root, quality = match.groups()
    names = _FLAT if "b" in root else _SHARP
    place = (names.index(root) + steps) % 12
    return (_FLAT if flats else _SHARP)[place] + quality


def fit_bars(bpm: float, beats: int) -> tuple[float, int, float]:
    """A tempo near `bpm`, a number of bars and their seconds, within the clip's length."""
    bar = beats * 60.0 / bpm
    bars = max(1, round(_TARGET / bar))
    seconds = min(max(bars * bar, SHORTEST), LONGEST)
    return bars * beats * 60.0 / seconds, bars, seconds


def compose(groove: Groove, family: Family, variation: int, seed: int) -> Song:
    """Draw a song for one variation of a groove."""
    rng = row_random(seed, groove.key, variation, "song")
    low, high = family.tempo
    # Whole numbers of beats a minute, as people write them; fit_bars may nudge slow ones.
    bpm, bars, seconds = fit_bars(round(rng.triangular(low, high)), groove.beats)
    kind = rng.choice(family.chords)
    name = rng.choice(sorted(n for n, entry in PROGRESSIONS.items() if kind in entry[1]))
    mode, _, text = PROGRESSIONS[name]
    keys = _MINOR_KEYS if mode == "minor" else _MAJOR_KEYS
    # Common keys come first in the tables and so come up more often.
    tonic = keys[min(int(rng.expovariate(0.25)), len(keys) - 1)]
    home = "A" if mode == "minor" else "C"
    names = _FLAT if "b" in tonic else _SHARP
    steps = (names.index(tonic) - _SHARP.index(home)) % 12
    flats = tonic in (_FLAT_MINOR if mode == "minor" else _FLAT_MAJOR)
    cycle = [tuple(transpose(c, steps, flats) for c in bar.split()) for bar in text.split("|")]
    chords = [cycle[i % len(cycle)] for i in range(bars)]
    chords[-1] = (transpose(f"{home}m" if mode == "minor" else home, steps, flats),)
    return Song(
        bpm=bpm,
        bars=bars,
        seconds=seconds,
        tonic=tonic,
        mode=mode,
        progression=name,
        chords=tuple(chords),
        ending=groove.ending is not None and bars >= 8 and rng.random() < 0.4,
        seed=rng.randrange(1, 2**31),
    )


def _bar(chords: tuple[str, ...], beats: int) -> str:
    if len(chords) == 1:
        return chords[0]
    half = (beats + 1) // 2
    slots = ["/"] * beats
    slots[0], slots[half] = chords[0], chords[-1]
    return " ".join(slots)


def song_text(groove: Groove, song: Song) -> str:
    """The mma source of a song."""
    lines = [f"RndSeed {song.seed}", f"Tempo {song.bpm:.4f}", f"Groove {groove.key}"]
    close = song.bars - groove.ending_size if song.ending else song.bars
    for number, chords in enumerate(song.chords):
        if number == close:
            lines.append(f"Groove {groove.style}:{groove.ending}")
        lines.append(f"{number + 1} {_bar(chords, groove.beats)}")
    return "\n".join(lines) + "\n"
