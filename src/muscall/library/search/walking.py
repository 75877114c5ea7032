"""Ways through a library: a radio walks on from a song, a path leads from one to another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from muscall.library.names import folded, several_names, sql_folded
from muscall.library.search.examples import Sound
from muscall.library.search.hits import Results
from muscall.library.search.ranking import sound_the_same
from muscall.library.search.tracks import SHOWN, Row, Tracks, hit_of
from muscall.library.store import one_of

SPREAD = 5  # tracks between two of one artist, at least
_AT_ONCE = 50  # neighbours that are looked at
_AROUND = 200  # neighbours of a place on a path that are looked at


def walk(tracks: Tracks, start: Sound, n: int, conditions: Sequence[str] = ()) -> Results:
    """`n` tracks, the first near to `start` and each other one near to that before it.

    None is played twice, and no two that sound alike. SPREAD others stand between two tracks of an
    artist, as long as there are artists enough; then as many as can.

    Returns:
        Hits, whose `score` is the cosine to the track before; fewer than `n` where there are no
        more.
    """
    heard = _own(tracks, start)
    before, point, steps = len(heard), start.vector, list[float]()
    while len(steps) < n and (row := _next(tracks, point, conditions, heard)):
        steps.append(float(point @ row["vector"]))
        heard.append(row)
        point = row["vector"]
    return _results(tracks, heard[before:], steps)


def path(
    tracks: Tracks, start: Sound, end: Sound, n: int, conditions: Sequence[str] = ()
) -> Results:
    """`n` tracks from `start` to `end`, in even steps along the arc between them.

    A song of the library is itself an end of the path; for any other, what is nearest to it stands
    there. Between them, each step has the track nearest to the arc among those that lie within half
    a step of its place. None is played twice, and no two that sound the same.

    Returns:
        Hits, whose `score` is the cosine to the place on the arc; fewer than `n` where there are
        no more.
    """
    arc = _Arc(start.vector, end.vector)
    chosen: dict[int, Row] = {}
    for step, sound in ((0, start), (n - 1, end)):
        its = _own(tracks, sound) or _fresh(tracks, sound.vector, conditions, chosen.values())
        if its and its[0]["key"] not in {row["key"] for row in chosen.values()}:
            chosen[step] = its[0]
    for step in range(1, n - 1):
        share = step / (n - 1)
        place = arc.place(share)
        if fresh := _fresh(tracks, place, conditions, chosen.values(), _AROUND):
            away = np.abs([arc.share(row["vector"]) - share for row in fresh])
            within = away <= 0.5 / (n - 1)
            chosen[step] = fresh[within.argmax() if within.any() else away.argmin()]
    ordered = sorted(chosen.items())
    scores = [float(arc.place(step / max(n - 1, 1)) @ row["vector"]) for step, row in ordered]
    return _results(tracks, [row for _, row in ordered], scores)


class _Arc:
    """The shortest way from one direction to another, both (dim,) with unit norm."""

    def __init__(self, start: np.ndarray, end: np.ndarray) -> None:
        across = end - (start @ end) * start
        size = float(np.linalg.norm(across))
        self._angle = float(np.arctan2(size, start @ end))
        self._start, self._across = start, across / max(size, 1e-6)

    def place(self, share: float) -> np.ndarray:
        """(dim,), unit norm: what lies at `share` of the angle."""
        angle = share * self._angle
        return np.asarray(np.cos(angle) * self._start + np.sin(angle) * self._across, np.float32)

    def share(self, vector: np.ndarray) -> float:
        """At which share of the angle the arc is nearest to `vector` (dim,)."""
        angle = float(np.arctan2(vector @ self._across, vector @ self._start))
        return angle / max(self._angle, 1e-6)


def _own(tracks: Tracks, sound: Sound) -> list[Row]:
    """The track that a sound is of, if it is one of the library that is there."""
    (condition,) = one_of("key", [sound.key])
    return tracks.some([condition], 1)


def _next(
    tracks: Tracks, point: np.ndarray, conditions: Sequence[str], heard: Sequence[Row]
) -> Row | None:
    """The track nearest to `point` (dim,) of the artists that SPREAD others have followed.

    Where there is none, of those longest unheard; None where all is heard.
    """
    recent = set().union(*map(_artists, heard[-SPREAD:]))
    for row in _fresh(tracks, point, conditions, heard):
        if not _artists(row) & recent:
            return row
    for spread in range(min(SPREAD, len(heard)), -1, -1):
        out = {artist for row in heard[len(heard) - spread :] for artist in _artists(row)}
        if fresh := _fresh(tracks, point, [*conditions, *map(_is_not_of, sorted(out))], heard):
            return fresh[0]
    return None


def _fresh(
    tracks: Tracks,
    point: np.ndarray,
    conditions: Sequence[str],
    heard: Collection[Row],
    count: int = _AT_ONCE,
) -> list[Row]:
    """Of the tracks nearest to `point` (dim,), at most `count` and those of `heard`, the others.

    Nor is what sounds the same as one of `heard` among them.
    """
    if not tracks.there:
        return []
    rows = tracks.near(point, conditions, count + len(heard))
    if not heard:
        return rows
    keys = {row["key"] for row in heard}
    vectors = np.stack([row["vector"] for row in heard])
    lengths = np.array([row["duration"] for row in heard])

    def is_heard(row: Row) -> bool:
        same = sound_the_same(vectors, lengths, row["vector"], row["duration"])
        return row["key"] in keys or bool(same.any())

    return [row for row in rows if not is_heard(row)]


def _is_not_of(artist: str) -> str:
    """The condition that leaves out an artist, by the folded name."""
    quoted = artist.replace("'", "''").replace("\0", "")
    its = f"contains('; ' || {sql_folded('artist')} || '; ', '; {quoted}; ')"
    return f"NOT (artist IS NOT NULL AND {its})"


def _artists(row: Row) -> set[str]:
    return {folded(artist) for artist in several_names(row["artist"])}


def _results(tracks: Tracks, rows: Sequence[Row], scores: Sequence[float]) -> Results:
    # A run that is at work may have deleted some.
    shown = {
        row["key"]: row for row in tracks.rows([row["key"] for row in rows], SHOWN).to_pylist()
    }
    middle = tracks.sample.mean(axis=0)
    usual, best = float(middle @ middle), max(scores, default=1.0)
    reach = max(best - usual, 1e-6)
    found = [
        (shown[row["key"]], score)
        for row, score in zip(rows, scores, strict=True)
        if row["key"] in shown
    ]
    return Results(
        replace(
            hit_of(row),
            rank=rank,
            score=score,
            relative_score=float(np.clip((score - usual) / reach, 0, 1)),
        )
        for rank, (row, score) in enumerate(found, 1)
    )
