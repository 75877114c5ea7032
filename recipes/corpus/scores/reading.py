"""Read a piece through music21, once: its parts as plain notes, its bars, metre and key."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache as once
from pathlib import Path
from typing import Any

from recipes.corpus.rows import ClipError
from recipes.corpus.scores.pieces import Piece

Note = tuple[float, float, int]  # where and how long, in quarter notes; MIDI pitch


@dataclass(frozen=True)
class Score:
    """A piece as it is played, repeats written out; places and lengths in quarter notes.

    `parts` go from high to low. `bars` are where bars begin. `sharps` is the key signature's
    (negative for flats), `tonic` and `mode` the key's where the score names it.
    """

    parts: tuple[tuple[Note, ...], ...]
    bars: tuple[float, ...]
    length: float
    metre: str | None
    sharps: int | None
    tonic: str | None
    mode: str | None
    title: str | None
    composer: str | None


@once
def _music21() -> Any:
    # Its import takes as long as a clip; planning does without.
    import music21

    warnings.filterwarnings("ignore", module="music21")
    return music21


def read(piece: Piece, cache: Path) -> Score:
    """The piece's score, from `cache` where it was read before.

    Raises:
        ClipError: music21 cannot read it, or it has hardly any notes.
    """
    kept = cache / f"{piece.id}.json"
    if kept.exists():
        return _score(json.loads(kept.read_text()))
    score = _parse(piece)
    kept.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may read one piece at a time.
    aside = kept.with_suffix(f".{os.getpid()}")
    aside.write_text(json.dumps(asdict(score)))
    aside.rename(kept)
    return score


def _score(fields: dict[str, Any]) -> Score:
    parts = tuple(tuple((at, length, pitch) for at, length, pitch in p) for p in fields["parts"])
    return Score(**{**fields, "parts": parts, "bars": tuple(fields["bars"])})


def _parse(piece: Piece) -> Score:
    m21 = _music21()
    name = Path(piece.path).name
    try:
        if piece.text is not None:
            score = m21.converter.parse(piece.text, format="abc")
        else:
            score = m21.converter.parse(piece.path, forceSource=True)
        if isinstance(score, m21.stream.Opus):
            score = score.scores.first()
        score.toSoundingPitch(inPlace=True)
        voices = list(score.parts) or [score]
        voices = [_unrolled(voice) for voice in voices]
        parts = [tuple(sorted(set(_notes(voice)))) for voice in voices]
        first = voices[0].flatten()
        metre = first.getElementsByClass("TimeSignature").first()
        signature = first.getElementsByClass("KeySignature").first()
        named = signature if isinstance(signature, m21.key.Key) else None
        bars = sorted({round(float(m.offset), 4) for m in voices[0].getElementsByClass("Measure")})
    except Exception as error:  # music21 raises what it likes on what it cannot read
        raise ClipError(f"{name}: music21 cannot read {piece.id}: {error}") from error
    parts = sorted((p for p in parts if p), key=lambda p: -sum(n[2] for n in p) / len(p))
    if sum(map(len, parts)) < 24:
        raise ClipError(f"{name}: {piece.id} has hardly any notes")
    about = score.metadata
    return Score(
        parts=tuple(parts),
        bars=tuple(bars),
        length=max(at + length for part in parts for at, length, _ in part),
        metre=metre.ratioString if metre is not None else None,
        sharps=signature.sharps if signature is not None else None,
        tonic=named.tonic.name.replace("-", "b") if named is not None else None,
        mode=named.mode if named is not None else None,
        title=about.title if about is not None else None,
        composer=about.composer if about is not None else None,
    )


def _unrolled(voice: Any) -> Any:
    """The part with its repeats written out, where they are well formed, and its ties joined."""
    try:
        voice = voice.expandRepeats()
    except _music21().exceptions21.Music21Exception:
        pass
    voice.stripTies(inPlace=True)
    return voice


def _notes(voice: Any) -> Iterator[Note]:
    for element in voice.flatten().notes:
        # Chord symbols sound in nobody's part, and graces have no length of their own.
        if "ChordSymbol" in element.classes or not element.quarterLength:
            continue
        for pitch in element.pitches:
            yield (
                round(float(element.offset), 4),
                round(float(element.quarterLength), 4),
                pitch.midi,
            )
