"""Part 3: free MIDI files of Debian packages, as they are and made over."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.corpus.captions.notes import Known, describe
from recipes.corpus.free_midi.songs import Song, passage, songs, sources
from recipes.corpus.rows import Clip, ClipError, Take, Words, in_turns, take_seed
from recipes.corpus.sound.fonts import licences
from recipes.corpus.sound.synth import play

_TAKES = 12  # of one song, at most: six places as they are, six made over
_NOUNS = ("track", "tune", "theme", "piece")


@dataclass(frozen=True)
class Excerpt:
    """What one clip plays: the `take`-th excerpt of a song."""

    song: Song
    take: int


@dataclass(frozen=True)
class FreeMidi:
    """The part that `rows.Part` describes."""

    name: str = "free_midi"
    synthetic: bool = True

    def plan(self, count: int, seed: int, cache: Path) -> list[Clip]:
        """At most `count` clips, every song before any song again."""
        clips = [_clip(song, take, seed) for song in songs(cache) for take in range(_TAKES)]
        return in_turns(clips)[:count]

    def render(self, clip: Clip) -> Take:
        """The excerpt, 21 to 26 s; raises ClipError."""
        rng = random.Random(clip.seed)
        chosen = passage(clip.what.song, clip.what.take, rng)
        facts, sound, rate, played = play(chosen.events, chosen.seconds, rng)
        if not facts["programs"] and not facts["drums"]:
            raise ClipError(f"{clip.what.song.id}: nothing that is heard")
        return Take(sound, rate, facts | chosen.facts | {"played": played})

    def describe(self, clip: Clip, facts: dict[str, Any]) -> Words:
        """The file's title, its game and what is heard."""
        song: Song = clip.what.song
        entry = sources()[song.package]
        kinds_of = entry.get("kinds", {}).get(song.title, [])
        known = Known(
            subjects=[*(f"{genre} {noun}" for genre in entry["genres"] for noun in _NOUNS),
                      *kinds_of * 8],
            genres=entry["genres"],
            players=[],
            title=song.title,
            facts=facts,
        )  # fmt: skip
        return describe(
            known, clip,
            source={
                "package": song.package, "registry": "debian", "version": song.version,
                "file": Path(song.path).name, "title": song.title, "take": clip.what.take,
            },
            licence={
                "music": entry["licence"],
                "soundfont": licences(facts["played"]["soundfonts"]),
            },
            words_from="title in the file's name or its package; MIDI facts",
        )  # fmt: skip


def _clip(song: Song, take: int, seed: int) -> Clip:
    own = take_seed(seed, song.id, take)
    group = sources()[song.package]["group"]
    return Clip(f"midi-{song.id}-{take + 1:02d}", "free_midi", group, own, Excerpt(song, take))


PART = FreeMidi()
