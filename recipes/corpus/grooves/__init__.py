"""Grooves of Debian's `mma`, with a tune on top of most: clips, sound and words."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mido

from recipes.corpus.captions.grooves import captions
from recipes.corpus.grooves.library import Family, Groove, discover, families
from recipes.corpus.grooves.melody import lay_over, lead_for, tune
from recipes.corpus.grooves.mma import Mma
from recipes.corpus.grooves.songs import Song, compose, row_random, song_text
from recipes.corpus.midi import GM, read_facts, vary
from recipes.corpus.rows import Clip, ClipError, Take, Words, slug
from recipes.corpus.sound.fonts import licences
from recipes.corpus.sound.synth import perform

_LONGEST = 25.0  # seconds
_MOST = 24  # variations of one groove
_WORDS_LICENCE = "GPL-2.0-or-later"


@dataclass(frozen=True)
class Spec:
    """What one clip plays."""

    groove: Groove
    family: Family
    variation: int
    seed: int
    mma: Mma


def row_id(groove: Groove, variation: int) -> str:
    """A file name for one row."""
    return f"{slug(f'{groove.style}-{groove.name}')}-{variation + 1:02d}"


def allot(grooves: list[Groove], clips: int) -> dict[str, int]:
    """Variations per groove, by style file: two each, more where a file has few grooves.

    Drum loops differ by tempo alone, so a file of them gets four variations at most. The floor
    under a file's clips is raised until the total reaches `clips`.
    """
    sizes: dict[str, int] = defaultdict(int)
    for groove in grooves:
        sizes[groove.style] += 1
    drums = {groove.style for groove in grooves if groove.drums_only}
    plan: dict[str, int] = {}
    for floor in range(1, clips + 1):
        for style, size in sizes.items():
            wanted = -(-floor // size)
            plan[style] = min(wanted, 4) if style in drums else min(max(wanted, 2), _MOST)
        if sum(plan[style] * size for style, size in sizes.items()) >= clips:
            break
    return plan


@dataclass(frozen=True)
class Grooves:
    """Part 1; `melody` is the share of clips with a tune on top, drum loops apart."""

    name: str = "grooves"
    synthetic: bool = True
    melody: float = 0.7

    def plan(self, count: int, seed: int, cache: Path) -> list[Clip]:
        """First variations first, so that an early stop still covers all grooves."""
        mma, table = Mma.of(cache), families()
        grooves = discover(mma, table, cache)
        numbers = allot(grooves, count)
        clips = [
            Clip(
                row_id(g, variation), self.name, table[g.family].kin, seed,
                Spec(g, table[g.family], variation, seed, mma),
            )
            for g in grooves
            for variation in range(numbers[g.style])
        ]  # fmt: skip
        clips.sort(key=_place)
        return clips[:count]

    def render(self, clip: Clip) -> Take:
        spec: Spec = clip.what
        song = compose(spec.groove, spec.family, spec.variation, spec.seed)
        rng = _random(spec, "sound")
        with tempfile.TemporaryDirectory() as folder:
            midi = spec.mma.play(song_text(spec.groove, song), Path(folder))
            try:
                score = mido.MidiFile(midi)
                vary(score, rng)
                lead = self._lead(spec, song, score)
                score.save(midi)
                read = read_facts(midi, song.seconds)
            except (ValueError, EOFError, OSError) as error:
                raise ClipError(f"unreadable MIDI: {error}") from error
            if not read["programs"] and not read["drums"]:
                raise ClipError("no notes")
            sound, rate, played = perform(midi, rng, seconds=song.seconds)
        facts = {
            **_facts(spec, song, read),
            "lead": GM[lead] if lead is not None and lead in read["programs"] else None,
            "song": {key: value for key, value in asdict(song).items() if key != "chords"},
            "chords": " | ".join(" ".join(bar) for bar in song.chords),
            **played,
        }
        return Take(sound[: int(min(song.seconds + 0.6, _LONGEST) * rate)], rate, facts)

    def _lead(self, spec: Spec, song: Song, score: mido.MidiFile) -> int | None:
        """The program of a tune laid over the score, where it gets one."""
        rng = _random(spec, "tune")
        if spec.groove.drums_only or rng.random() >= self.melody:
            return None
        taken = {m.program for t in score.tracks for m in t if m.type == "program_change"}
        lead = lead_for(spec.family, taken, rng)
        lay_over(score, tune(song, spec.groove.beats, lead, rng), lead)
        return lead

    def describe(self, clip: Clip, facts: dict[str, Any]) -> Words:
        spec: Spec = clip.what
        groove = spec.groove
        known = {key: value for key, value in facts.items() if key not in ("song", "chords")}
        known["style"] = list(spec.family.words)
        texts, kinds = captions(known, groove.description, groove.doc, _random(spec, "captions"))
        return Words(
            texts,
            kinds,
            known,
            {
                "package": "mma",
                "version": spec.mma.version,
                "style_file": groove.style,
                "family": groove.family,
                "groove": groove.name,
                "author": groove.author,
                "progression": facts["song"]["progression"],
                "chords": facts["chords"],
                "variation": spec.variation,
            },
            {
                "words": _WORDS_LICENCE,
                "style": _WORDS_LICENCE,
                "soundfont": licences(facts["soundfonts"]),
            },
            f"GrooveDoc and Doc of mma's {groove.style}.mma; facts of the rendered MIDI",
        )


def _place(clip: Clip) -> tuple[int, bytes]:
    return clip.what.variation, hashlib.sha256(clip.id.encode()).digest()


def _random(spec: Spec, purpose: str) -> random.Random:
    return row_random(spec.seed, spec.groove.key, spec.variation, purpose)


def _facts(spec: Spec, song: Song, read: dict[str, Any]) -> dict[str, Any]:
    felt = spec.family.felt
    return {
        **read,
        "bpm": round(song.bpm / felt),
        "notated_bpm": round(song.bpm, 2),
        # Where two notated beats are felt as one, the written metre is not the heard one.
        "metre": None if felt == 2 else spec.groove.metre.replace(" ", "/"),
        "tonic": song.tonic if read["programs"] else None,
        "mode": song.mode if read["programs"] else None,
        "style": list(spec.family.words),
    }


PART = Grooves()
