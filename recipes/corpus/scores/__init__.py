"""Part 2: the scores of the music21 corpus, arranged for General MIDI instruments."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.corpus.captions import once
from recipes.corpus.captions.notes import Known, describe
from recipes.corpus.packages import pypi
from recipes.corpus.rows import Clip, ClipError, Take, Words, in_turns, take_seed
from recipes.corpus.scores.arranging import arrange
from recipes.corpus.scores.pieces import Piece, collections, pieces
from recipes.corpus.scores.reading import read
from recipes.corpus.sound.fonts import licences
from recipes.corpus.sound.synth import play

MUSIC21 = "10.5.1"
_WORKS = 0.35  # the share of composed works, which are fewer and longer than tunes
_TAKES = {"tunes": 3, "works": 4}  # of one piece, at most, where its collection does not say


@dataclass(frozen=True)
class Excerpt:
    """What one clip plays: the `take`-th excerpt of a piece, and where scores are kept."""

    piece: Piece
    take: int
    cache: str


@dataclass(frozen=True)
class Scores:
    """The part that `rows.Part` describes."""

    name: str = "scores"
    synthetic: bool = True

    def plan(self, count: int, seed: int, cache: Path) -> list[Clip]:
        """About `count` clips: tunes and works mixed, every piece before any piece again."""
        corpus = pypi("music21", cache, MUSIC21).root / "music21" / "corpus"
        kinds: dict[str, list[Clip]] = {"tunes": [], "works": []}
        for piece in pieces(corpus):
            entry = collections()[piece.collection]
            for take in range(entry.get("takes", _TAKES[entry["kind"]])):
                clip = _clip(piece, take, seed, cache)
                kinds[entry["kind"]].append(clip)
        works = in_turns(kinds["works"])[: round(_WORKS * count)]
        tunes = in_turns(kinds["tunes"])[: count - len(works)]
        # Spread evenly, so that an early stop has both.
        placed = [(n / len(c), c[n]) for c in (works, tunes) for n in range(len(c))]
        return [clip for _, clip in sorted(placed, key=lambda pair: (pair[0], pair[1].id))]

    def render(self, clip: Clip) -> Take:
        """The excerpt, 22 to 25 s; raises ClipError."""
        excerpt: Excerpt = clip.what
        piece, entry = excerpt.piece, collections()[excerpt.piece.collection]
        rng = random.Random(clip.seed)
        score = read(piece, Path(excerpt.cache))
        form = "chorale" if piece.collection == "bach-chorales" else piece.form
        arranged = arrange(
            score, entry["kind"], form=form, mark=piece.mark,
            tradition=entry.get("tradition", ""), take=excerpt.take, rng=rng,
        )  # fmt: skip
        facts, sound, rate, played = play(arranged.events, arranged.seconds, rng)
        if not facts["programs"]:
            raise ClipError(f"{piece.id}: nothing that is heard")
        facts |= arranged.facts | {
            "title": piece.titles[0] if piece.titles else None,
            "by": _composer(entry, score.composer) if entry["kind"] == "works" else None,
            "played": played,
        }
        return Take(sound, rate, facts)

    def describe(self, clip: Clip, facts: dict[str, Any]) -> Words:
        """The words of the score, its collection and its rendering."""
        piece: Piece = clip.what.piece
        entry = collections()[piece.collection]
        known = Known(
            subjects=_subjects(piece, entry, facts),
            genres=entry["from"],
            players=facts["ensemble"],
            title=facts["title"],
            facts=facts,
        )
        book = entry.get("book", "")
        return describe(
            known, clip,
            source={
                "package": "music21", "registry": "pypi", "version": MUSIC21, "piece": piece.id,
                "collection": piece.collection, "book": book, "title": facts["title"],
                "composer": facts["by"], "take": clip.what.take,
            },
            licence={
                "score": entry["licence"], "use": entry["use"],
                "soundfont": licences(facts["played"]["soundfonts"]),
            },
            words_from="title, form and origin in the score or its collection; MIDI facts",
        )  # fmt: skip


def _clip(piece: Piece, take: int, seed: int, cache: Path) -> Clip:
    own = take_seed(seed, piece.id, take)
    what = Excerpt(piece, take, str(cache / "scores"))
    return Clip(f"scores-{piece.id}-{take + 1:02d}", "scores", piece.group, own, what)


def _composer(entry: dict[str, Any], stated: str | None) -> str | None:
    """The collection's composer, or the one that the score names."""
    named = stated if stated and not re.search(r"anon|\d|unknown", stated, re.I) else None
    by: str | None = entry.get("by") or named
    return by


def _subjects(piece: Piece, entry: dict[str, Any], facts: dict[str, Any]) -> list[str]:
    """What the piece is, in words that can be counted."""
    forms = [piece.form] if piece.form else entry.get("form", ["tune", "folk tune", "dance tune"])
    found = [once(f"{origin} {form}") for origin in entry["from"] for form in forms]
    if facts["by"]:
        found += [f"{form} by {facts['by']}" for form in forms for _ in range(2)]
        found += [f"piece by {facts['by'].split()[-1]}"]
    elif piece.form:
        found += [piece.form] * 2
    return found


PART = Scores()
