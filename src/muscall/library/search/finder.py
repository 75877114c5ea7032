"""Finds tracks of a library by sound, names and conditions together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from lancedb.table import LanceTable

from muscall.errors import MuscallError
from muscall.library.search.ann import indices
from muscall.library.search.candidates import CandidateSearch, conditions_of
from muscall.library.search.examples import Sound
from muscall.library.search.filters import parse_filter
from muscall.library.search.hits import Passage, Results
from muscall.library.search.query import SearchQuery
from muscall.library.search.ranking import Candidates, choose, rank, ranked_hits
from muscall.library.search.suggesting import Suggestion, suggestions
from muscall.library.search.tracks import SHOWN, Tracks, hit_of, rows_of
from muscall.library.search.walking import path, walk
from muscall.library.store import NothingIndexed, Store, matrix, reading

if TYPE_CHECKING:
    from muscall.models.reader import Reader


class Finder:
    """Searches the tracks of one embedding version. Every search sees the latest commit."""

    def __init__(self, store: Store, embedding_version: str, model: Reader) -> None:
        self.store, self.embedding_version, self.model = store, embedding_version, model
        self._known: Tracks | None = None

    @reading()
    def sample(self) -> np.ndarray:
        """(n, dim) float32, unit norm: all tracks, or thousands that stand for them; n may be 0."""
        tracks = self._tracks()
        return np.empty((0, self.model.config.dim), np.float32) if tracks is None else tracks.sample

    @reading()
    def warm(self) -> None:
        """Read the index of a large library, which the first searches would else wait for."""
        table = self.store.tracks(self.embedding_version)
        if isinstance(table, LanceTable):
            for name in indices(table):
                table.prewarm_index(name)

    @reading()
    def find(
        self, query: SearchQuery, like: Sequence[Sound] = (), unlike: Sequence[Sound] = ()
    ) -> Results:
        """The `query.n` tracks that fit best, best first.

        Args:
            like: what the examples of `query` sound like; they are left out.
            unlike: the same of those that it is to be unlike.

        Raises:
            FilterError: `query.where` cannot be understood.
            NothingIndexed: with this model.
            MuscallError: the query is empty.
        """
        if query.is_empty and not like:
            raise MuscallError("the query is empty: it needs a sentence, an example or a filter")
        if query.where.strip():
            parse_filter(query.where)
        tracks = self._heard()
        if not tracks.there:
            return Results()
        search = CandidateSearch(self.model, tracks, query, like, unlike)
        rows = search.candidates()
        if not rows:
            return Results([], search.understood)
        candidates = Candidates(
            keys=[row["key"] for row in rows],
            vectors=np.stack([row["vector"] for row in rows]),
            durations=np.array([row["duration"] for row in rows]),
            artists=[row["artist"] or "" for row in rows],
            keywords=np.array([row["keywords"] for row in rows]),
            called=np.array([row["called"] for row in rows]),
        )
        ranking = rank(candidates, search.direction, tracks.sample, known=search.is_known)
        chosen = choose(candidates, ranking.order, query.n, query.max_per_artist)
        keys = [candidates.keys[index] for group in chosen for index in group]
        # A run that is at work may have deleted some.
        shown = {row["key"]: row for row in tracks.rows(keys, [*SHOWN, "chapters"]).to_pylist()}
        hits = {key: hit_of(row) for key, row in shown.items()}
        firsts = [candidates.keys[group[0]] for group in chosen]
        passages = self._passages(firsts, search.direction)
        passages |= {key: song for key in hits if (song := search.song_in(shown[key]))}
        found = ranked_hits(candidates, ranking, chosen, hits, passages)
        return Results(found, search.understood)

    @reading()
    def suggest(self, typed: str, n: int) -> list[Suggestion]:
        """The `n` names and labels that go on as somebody types."""
        return suggestions(self._tracks(), typed, n)

    @reading()
    def direction(
        self, query: SearchQuery, like: Sequence[Sound] = (), unlike: Sequence[Sound] = ()
    ) -> np.ndarray | None:
        """Where what is asked for lies, (dim,) unit norm; None of what is not about sound."""
        tracks = self._tracks()
        if tracks is None:
            return None
        return CandidateSearch(self.model, tracks, query, like, unlike).direction

    @reading()
    def walk(self, start: Sound, n: int, where: str = "") -> Results:
        """`n` tracks that lead away from one, see `walking.walk`.

        Raises:
            FilterError: `where` cannot be understood.
            NothingIndexed: with this model.
        """
        return walk(self._heard(), start, n, conditions_of(where))

    @reading()
    def path(self, start: Sound, end: Sound, n: int, where: str = "") -> Results:
        """`n` tracks from one to another, see `walking.path`.

        Raises:
            FilterError: `where` cannot be understood.
            NothingIndexed: with this model.
        """
        return path(self._heard(), start, end, n, conditions_of(where))

    def _passages(self, keys: Sequence[str], query: np.ndarray | None) -> dict[str, Passage]:
        """The window of each track that is nearest to `query`."""
        windows = self.store.windows(self.embedding_version)
        if query is None or windows is None or not keys:
            return {}
        rows = rows_of(windows, keys, ["key", "start", "seconds", "vector"])
        scores = matrix(rows["vector"]).astype(np.float32) @ query
        best: dict[str, tuple[float, Passage]] = {}
        columns = (rows[name].to_pylist() for name in ("key", "start", "seconds"))
        for key, start, seconds, score in zip(*columns, scores.tolist(), strict=True):
            if key not in best or score > best[key][0]:
                best[key] = score, Passage(start, seconds)
        return {key: passage for key, (_, passage) in best.items()}

    def _heard(self) -> Tracks:
        tracks = self._tracks()
        if tracks is None:
            raise NothingIndexed
        return tracks

    def _tracks(self) -> Tracks | None:
        table = self.store.tracks(self.embedding_version)
        if table is None or not table.count_rows():
            return None
        known = self._known
        if known is None or known.version != table.version:
            self._known = known = Tracks.of(table)
        return known
