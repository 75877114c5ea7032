"""Part 4: real recordings from Debian's packages, cut into pieces and put into a tagger's words."""

from __future__ import annotations

import hashlib
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from muscall.audio.decode import read
from muscall.errors import AudioError
from recipes.corpus.acoustics import RATE, measure
from recipes.corpus.captions.tags import captions as from_tags
from recipes.corpus.recordings.sources import Track, sources, tracks
from recipes.corpus.rows import Clip, ClipError, Take, Words
from recipes.corpus.teacher.tagging import named, tags

SECONDS = 25.0
_SILENT = -50.0  # dBFS; what is quieter is a pause or a fade


@dataclass(frozen=True)
class Segment:
    """`seconds` of a track from `start` on."""

    track: Track
    start: float
    seconds: float


@dataclass(frozen=True)
class Recordings:
    """Every piece of every track that `sources.yaml` names."""

    name: str = "recordings"
    synthetic: bool = False

    def plan(self, count: int, seed: int, cache: Path) -> list[Clip]:
        """Pieces side by side over each track: one of each track first, then a second, and so on.

        Raises:
            PackageError, ReservedError: a package cannot be had.
        """
        turns: list[tuple[int, str, Clip]] = []
        for track in tracks(cache):
            drawn = random.Random(f"{seed}|{track.name}")
            group = sources()[track.package]["group"]
            segments = list(enumerate(cut(track)))
            drawn.shuffle(segments)
            for turn, (place, segment) in enumerate(segments):
                name = f"{self.name}-{track.name}-{place:03d}"
                order = hashlib.sha256(f"{seed}|{name}".encode()).hexdigest()
                clip = Clip(name, self.name, group, drawn.getrandbits(32), segment)
                turns.append((turn, order, clip))
        return [clip for _, _, clip in sorted(turns, key=lambda entry: entry[:2])][:count]

    def render(self, clip: Clip) -> Take:
        """The piece, mono at 16 kHz, what the tagger hears in it and what is measured; raises
        ClipError.
        """
        segment: Segment = clip.what
        try:
            sound = read(
                segment.track.path,
                start=segment.start,
                duration=segment.seconds,
                sample_rate=RATE,
            )
        except AudioError as error:
            raise ClipError(str(error)) from error
        measured = measure(sound)
        if measured.level < _SILENT:
            raise ClipError(f"silent: {measured.level:.0f} dBFS")
        probabilities, _ = tags([(sound, RATE)])
        facts = {
            "start": round(segment.start, 2),
            "title": segment.track.title,
            "composer": segment.track.composer,
            "tags": named(probabilities[0]),
            "measured": {name: round(value, 4) for name, value in asdict(measured).items()},
        }
        return Take(sound, RATE, facts)

    def describe(self, clip: Clip, facts: dict[str, Any]) -> Words:
        """What is heard and measured, the track's title, and what its package is."""
        track: Track = clip.what.track
        source = sources()[track.package]
        captions = from_tags(facts["tags"] | facts["measured"], random.Random(clip.seed))
        kinds = ["pseudo"] * len(captions)
        if track.title:
            captions.append(f"{track.title} by {track.composer}" if track.composer else track.title)
            kinds.append("title")
        captions.append(f"music of {source['about']}")
        kinds.append("author")
        return Words(
            captions=captions,
            kinds=kinds,
            facts=facts,
            source={
                "package": track.package,
                "version": track.version,
                "registry": "debian",
                "file": track.file,
                "start": facts["start"],
                "composer": track.composer,
            },
            licence={"music": source["licence"]},
            words_from="tags of musicnn, measurements, tags and names of the file, the package",
        )


def cut(track: Track) -> list[Segment]:
    """As many pieces of 25 s as there is room for, in the middle of the track; else all of it."""
    count = int(track.duration // SECONDS)
    if count == 0:
        return [Segment(track, 0.0, track.duration)]
    rest = (track.duration - count * SECONDS) / 2
    return [Segment(track, rest + n * SECONDS, SECONDS) for n in range(count)]


PART = Recordings()
