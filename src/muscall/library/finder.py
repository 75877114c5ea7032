"""Finds tracks of a library by sound, words and metadata together.

A track's sound is as near to a request as the cosine of their embeddings, told in standard
deviations over the library; the words for what is wanted count where they stand in a track's tags
or file name, the rarer the more. The sum orders the tracks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from lancedb.query import LanceQueryBuilder
from lancedb.table import LanceTable, Table

from muscall.errors import MuscallError
from muscall.library.ann import indices, nearest
from muscall.library.filters import parse_filter
from muscall.library.hits import Hit, Passage, hit_of
from muscall.library.store import NothingIndexed, Store, is_indexed, matrix, one_of
from muscall.library.wording import NEGATION, Wording, names_in, read_wording, warn_if_long

if TYPE_CHECKING:
    from muscall.models.muscall import MusCALL

AVOIDED = 0.5  # weight of what a request is to be without, beside 1 for what it asks for
WORDS = 3.0  # standard deviations that a word found in one track alone is worth
SAME = 0.985  # cosine from which two tracks are shown as versions of one
LENGTHS = 0.02  # share by which their lengths may differ
_SAMPLE = 4096  # tracks that stand for the library
_CANDIDATES = 100
_ROUNDING = 1e-5  # of a product of unit vectors in single precision, and more
_SHOWN = ["key", "path", "title", "artist", "album", "genre", "year", "bpm", "duration"]


@dataclass(frozen=True)
class Request:
    """What to find: at least one of `text`, `like` and `where`.

    `like` and `unlike` are embeddings (dim,) of examples. `where` is a filter as `parse_filter`
    reads it. At most `most_per_artist` tracks of one artist are given.
    """

    text: str = ""
    avoid: Sequence[str] = ()
    like: Sequence[np.ndarray] = ()
    unlike: Sequence[np.ndarray] = ()
    where: str = ""
    n: int = 10
    most_per_artist: int | None = None
    but: frozenset[str] = frozenset()
    """Keys of tracks that are not wanted, such as an example itself."""


@dataclass(frozen=True)
class _Tracks:
    """The tracks at one version of their table, and what all searches want of them."""

    table: Table
    version: int
    count: int
    has_words: bool
    there: int
    """Of `count`, those that are not offline."""
    sample: np.ndarray
    """(n, dim) float32 of tracks that stand for the library."""

    @cached_property
    def names(self) -> set[str]:
        """Those that a negation stands in."""
        negated = self.table.search().where(f"regexp_like(words, '{NEGATION}', 'i')")
        rows = negated.select(["title", "artist", "album", "genre"]).limit(None).to_arrow()
        return names_in(tag for column in rows.columns for tag in column.drop_null().to_pylist())


class Finder:
    """Searches the tracks that one pipeline has heard. Every search sees the latest commit."""

    def __init__(self, store: Store, pipeline: str, model: MusCALL) -> None:
        self.store, self.pipeline, self.model = store, pipeline, model
        self._known: _Tracks | None = None

    def sample(self) -> np.ndarray:
        """(n, dim) float32, unit norm: all tracks, or thousands that stand for them; n may be 0."""
        tracks = self._tracks()
        return np.empty((0, self.model.config.dim), np.float32) if tracks is None else tracks.sample

    def warm(self) -> None:
        """Read the index of a large library, which the first searches would else wait for."""
        table = self.store.tracks(self.pipeline)
        if isinstance(table, LanceTable):
            for name in indices(table):
                table.prewarm_index(name)

    def find(self, request: Request) -> list[Hit]:
        """The `request.n` tracks that fit best, best first.

        Raises:
            FilterError: `where` cannot be understood.
            NothingIndexed: with this model.
            MuscallError: nothing is asked for.
        """
        if not (request.text.strip() or len(request.like) or request.where.strip()):
            raise MuscallError("nothing is asked for: neither a sentence, nor an example or filter")
        condition = parse_filter(request.where) if request.where.strip() else ""
        tracks = self._tracks()
        if tracks is None:
            raise NothingIndexed
        if not tracks.there:
            return []
        if tracks.there < tracks.count:
            condition = " AND ".join(filter(None, ["offline = false", condition]))
        query = self.embedding(request)
        found = self._candidates(tracks, request, query, condition)
        if not found:
            return []
        if query is not None:
            _score_sound(found, query, tracks.sample)
        for row in found:
            row["standing"] = row["deviations"] + WORDS * row["words_score"]
        found.sort(key=lambda row: (-row["standing"], row["key"]))
        best = max(found[0]["standing"], 1e-6)
        for row in found:
            row["standing"] = min(max(row["standing"] / best, 0.0), 1.0)
        return self._hits(tracks, _chosen(found, request), query)

    def embedding(self, request: Request) -> np.ndarray | None:
        """The direction in which what is asked for lies, (dim,) unit norm; None without any."""
        wording = self._wording(request.text)
        wanted = [*([wording.wanted] if wording.wanted else []), *wording.avoided, *request.avoid]
        total = np.zeros(self.model.config.dim, np.float32)
        if wanted:
            warn_if_long(self.model, wording.wanted)
            texts = self.model.encode_text(wanted)
            asked = 1 if wording.wanted else 0
            total += texts[:asked].sum(axis=0) - AVOIDED * texts[asked:].sum(axis=0)
        for weight, examples in ((1.0, request.like), (-AVOIDED, request.unlike)):
            for example in examples:
                total += weight * example
        size = float(np.linalg.norm(total))
        return total / size if size > 1e-6 else None

    def _wording(self, text: str) -> Wording:
        tracks = self._tracks() if re.search(NEGATION, text, re.IGNORECASE) else None
        return read_wording(text, tracks.names if tracks else ())

    def _candidates(
        self, tracks: _Tracks, request: Request, query: np.ndarray | None, condition: str
    ) -> list[dict[str, Any]]:
        """Tracks near in sound or in words: what they are ranked by, with `words_score`."""
        wanted = self._wording(request.text).wanted
        count = max(_CANDIDATES, 4 * request.n) + len(request.but)
        columns = ["key", "duration", "vector"]
        if request.most_per_artist:
            columns.append("artist")
        found: dict[str, dict[str, Any]] = {}

        def look(builder: LanceQueryBuilder, *more: str) -> list[dict[str, Any]]:
            if condition:
                builder = builder.where(condition, prefilter=True)
            return _rows(builder.limit(count).select([*columns, *more]).to_arrow())

        if query is not None:
            filtered = bool(request.where.strip())
            near = nearest(tracks.table, query, count, tracks.there, filtered=filtered)
            for row in look(near, "_distance"):
                found[row["key"]] = row | {"words_score": 0.0}
        elif not wanted:
            for row in look(tracks.table.search()):
                found[row["key"]] = row | {"words_score": 0.0}
        if wanted and tracks.has_words:
            # A word that only one track has is worth the logarithm of their number.
            rarest = float(np.log(1 + tracks.count))
            for row in look(tracks.table.search(wanted, query_type="fts"), "_score"):
                known = found.setdefault(row["key"], row)
                known["words_score"] = row["_score"] / rarest
        for row in found.values():
            row |= {"score": 0.0, "deviations": 0.0, "percentile": 0.0}
        return [row for key, row in found.items() if key not in request.but]

    def _hits(
        self, tracks: _Tracks, chosen: list[dict[str, Any]], query: np.ndarray | None
    ) -> list[Hit]:
        """What was chosen with all that is told of it, which is read of nothing else: of every
        candidate it would take longer than to find them.
        """
        if not chosen:
            return []
        ranked = {row["key"]: row for one in chosen for row in (one, *one["versions"])}
        rows = _of(tracks.table, list(ranked), _SHOWN).to_pylist()
        told = {row["key"]: ranked[row["key"]] | row for row in rows}
        # A run that is at work may have deleted some.
        there = [one["key"] for one in chosen if one["key"] in told]
        passages = self._passages(there, query)
        return [
            hit_of(
                rank,
                told[key],
                passages.get(key),
                tuple(
                    hit_of(rank, told[row["key"]])
                    for row in told[key]["versions"]
                    if row["key"] in told
                ),
            )
            for rank, key in enumerate(there, 1)
        ]

    def _passages(self, keys: Sequence[str], query: np.ndarray | None) -> dict[str, Passage]:
        """The window of each track that is nearest to `query`."""
        windows = self.store.windows(self.pipeline)
        if query is None or windows is None or not keys:
            return {}
        rows = _of(windows, keys, ["key", "start", "seconds", "vector"])
        scores = matrix(rows["vector"]).astype(np.float32) @ query
        best: dict[str, tuple[float, Passage]] = {}
        columns = (rows[name].to_pylist() for name in ("key", "start", "seconds"))
        for key, start, seconds, score in zip(*columns, scores.tolist(), strict=True):
            if key not in best or score > best[key][0]:
                best[key] = score, Passage(start, seconds)
        return {key: passage for key, (_, passage) in best.items()}

    def _tracks(self) -> _Tracks | None:
        table = self.store.tracks(self.pipeline)
        if table is None or not table.count_rows():
            return None
        known, version = self._known, table.version
        if known is None or known.version != version:
            known = _Tracks(table, version, *_facts(table))
            self._known = known
        return known


def _facts(table: Table) -> tuple[int, bool, int, np.ndarray]:
    count = int(table.count_rows())
    query = table.search().select(["vector"]).limit(None)
    if count > 2 * _SAMPLE:  # keys are hashes, and so in no order
        query = query.where(f"key < '{int(_SAMPLE / count * 16**8):08x}'")
    there = int(table.count_rows("offline = false"))
    return count, is_indexed(table, "words"), there, matrix(query.to_arrow()["vector"])


def _of(table: Table, keys: Sequence[str], columns: list[str]) -> pa.Table:
    """What a table says of tracks, in no order."""
    found = [
        table.search().where(condition).select(columns).limit(None).to_arrow()
        for condition in one_of("key", keys)
    ]
    return pa.concat_tables(found)


def _score_sound(found: list[dict[str, Any]], query: np.ndarray, sample: np.ndarray) -> None:
    usual = np.sort(sample @ query)
    scores = np.stack([row["vector"] for row in found]) @ query
    deviations = (scores - usual.mean()) / max(float(usual.std()), 1e-6)
    # A product of other shape rounds otherwise: no track may be nearer than itself.
    places = np.searchsorted(usual, scores - _ROUNDING, side="left") / len(usual)
    for row, score, deviation, place in zip(found, scores, deviations, places, strict=True):
        row["score"], row["deviations"] = float(score), float(deviation)
        row["percentile"] = 100 * float(place)


def _chosen(found: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    """The first tracks, those that sound the same behind the best of them."""
    chosen: list[dict[str, Any]] = []
    artists: dict[str, int] = {}
    most = min(request.n, len(found))
    vectors = np.empty((most, len(found[0]["vector"])), np.float32)
    lengths = np.empty(most)
    for row in found:
        shown, length = len(chosen), row["duration"]
        shorter, longer = np.minimum(lengths[:shown], length), np.maximum(lengths[:shown], length)
        same = vectors[:shown] @ row["vector"] >= SAME
        same &= shorter >= (1 - LENGTHS) * longer
        if same.any():
            chosen[same.argmax()]["versions"].append(row)
            continue
        artist = (row.get("artist") or "").casefold()
        if artist and artists.get(artist, 0) >= (request.most_per_artist or len(found)):
            continue
        if shown < most:
            artists[artist] = artists.get(artist, 0) + 1
            vectors[shown], lengths[shown] = row["vector"], length
            chosen.append(row | {"versions": []})
    return chosen


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as mappings, with `vector` (dim,) float32."""
    plain = table.drop_columns(["vector"]).to_pylist()
    return [
        row | {"vector": vector} for row, vector in zip(plain, matrix(table["vector"]), strict=True)
    ]
