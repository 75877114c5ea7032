"""The tracks of a library at one moment, and the ways to look some of them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from lancedb.query import LanceQueryBuilder, MatchQuery
from lancedb.table import Table

from muscall.library.names import folded
from muscall.library.scan import text_path
from muscall.library.search.ann import nearest
from muscall.library.search.hits import Hit
from muscall.library.search.wording import NEGATION, names_in
from muscall.library.store import is_indexed, matrix, one_of

SAMPLE = 4096  # tracks that stand for the library
_LISTED = 20_000  # tracks that are sorted by name
_EDITS = 2  # letters that differ in a misspelt word
# To read one more column of text for a hundred tracks takes 1.5 ms.
_RANKED = ["key", "duration", "vector", "words", "artist"]
_COLUMNS = [*_RANKED, "title", "album", "albumartist", "composer", "path"]
_FEW = 1000  # tracks that are found by their keys instead of a filter

SHOWN = [
    *("key", "path", "title", "artist", "album", "genre", "year", "bpm", "duration"),
    *("tempo", "musical_key", "loudness", "rating"),
]
"""The columns of `tracks` that a hit shows."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Tracks:
    """The tracks at one version of their table, and what all searches want of them."""

    table: Table
    version: int
    count: int
    has_words: bool
    there: int
    """Of `count`, those that are not offline."""
    sample: np.ndarray
    """(n, dim) float32 of tracks that stand for the library."""

    @classmethod
    def of(cls, table: Table) -> Tracks:
        """What is in `table` now."""
        count = int(table.count_rows())
        query = table.search().select(["vector"]).limit(None)
        if count > 2 * SAMPLE:  # keys are hashes, and so in no order
            query = query.where(f"key < '{int(SAMPLE / count * 16**8):08x}'")
        there = int(table.count_rows("offline = false"))
        sample = matrix(query.to_arrow()["vector"])
        return cls(table, table.version, count, is_indexed(table, "words"), there, sample)

    @staticmethod
    def has_word(word: str, *, in_part: bool = False) -> str:
        """The condition that a folded word stands in the names of a track, or begins one there."""
        # Of words a quote is no part.
        return f"contains(' ' || words || ' ', ' {word}{'' if in_part else ' '}')"

    @cached_property
    def negated(self) -> set[str]:
        """The names that a negation stands in."""
        rows = self.table.search().where(f"regexp_like(words, '{NEGATION}', 'i')")
        found = rows.select(["title", "artist", "album", "genre"]).limit(None).to_arrow()
        return names_in(tag for column in found.columns for tag in column.drop_null().to_pylist())

    @cached_property
    def has_scripts(self) -> bool:
        """Whether any name is in another script than Latin."""
        return bool(self.table.count_rows("contains(words, '~')"))

    def near(self, query: np.ndarray, conditions: Sequence[str], n: int) -> list[Row]:
        """The `n` tracks nearest to `query` (dim,)."""
        builder = nearest(self.table, query, n, self.there, filtered=bool(conditions))
        return self._look(builder, conditions, n, [*_RANKED, "_distance"])

    def with_words(
        self, words: Sequence[str], conditions: Sequence[str], n: int, *, misspelt: bool = False
    ) -> list[Row]:
        """The `n` tracks in whose names most of some words stand, the rare ones first.

        `keywords` of a row is what they are worth: 1 for a word that only one track has.
        """
        if not self.has_words or not words:
            return []
        edits = _EDITS if misspelt else 0
        query = MatchQuery(" ".join(words), "words", fuzziness=edits)  # type: ignore[call-arg]
        builder = self.table.search(query, query_type="fts")
        rarest = float(np.log(1 + self.count))
        rows = self._look(builder, conditions, n, [*_COLUMNS, "_score"])
        return [row | {"keywords": row["_score"] / rarest} for row in rows]

    def listed(self, conditions: Sequence[str], n: int) -> list[Row]:
        """The first `n` tracks by artist, album and path."""
        builder = self._where(self.table.search(), conditions).limit(_LISTED)
        rows = builder.select(["key", "artist", "album", "path"]).to_arrow().to_pylist()
        rows.sort(
            key=lambda row: (*(folded(row[tag] or "") for tag in ("artist", "album")), row["path"])
        )
        places = {row["key"]: place for place, row in enumerate(rows[:n])}
        found = _rows(self.rows(list(places), _COLUMNS))
        return sorted(found, key=lambda row: places[row["key"]])

    def some(self, conditions: Sequence[str], n: int) -> list[Row]:
        """`n` tracks that conditions hold for."""
        return self._look(self.table.search(), conditions, n, _COLUMNS)

    def narrowed(self, conditions: Sequence[str]) -> Sequence[str]:
        """The same as a list of keys where at most _FEW tracks satisfy them, else as they are."""
        if not conditions:
            return conditions
        query = self._where(self.table.search(), conditions).select(["key"]).limit(_FEW + 1)
        keys = query.to_arrow()["key"].to_pylist()
        return [*one_of("key", keys)] if 0 < len(keys) <= _FEW else conditions

    def names(
        self, conditions: Sequence[str], n: int, columns: Sequence[str]
    ) -> list[dict[str, str | None]]:
        """What `columns` say of `n` tracks that conditions hold for."""
        query = self._where(self.table.search(), conditions).limit(n).select([*columns])
        return list(query.to_arrow().to_pylist())

    def rows(self, keys: Sequence[str], columns: list[str]) -> pa.Table:
        """What the table says of tracks, in no order."""
        return rows_of(self.table, keys, columns)

    def _look(
        self, builder: LanceQueryBuilder, conditions: Sequence[str], n: int, columns: list[str]
    ) -> list[Row]:
        found = self._where(builder, conditions).limit(n).select(columns)
        return _rows(found.to_arrow())

    def _where(self, builder: LanceQueryBuilder, conditions: Sequence[str]) -> LanceQueryBuilder:
        # Short conditions are cheap, so they come first: a year, then an artist.
        conditions = sorted(conditions, key=len)
        if self.there < self.count:
            conditions = ["offline = false", *conditions]
        if not conditions:
            return builder
        return builder.where(" AND ".join(conditions), prefilter=True)


def rows_of(table: Table, keys: Sequence[str], columns: list[str]) -> pa.Table:
    """What a table says of tracks, in no order."""
    found = [
        table.search().where(condition).select(columns).limit(None).to_arrow()
        for condition in one_of("key", keys)
    ]
    if not found:
        return table.schema.empty_table().select(columns)
    return pa.concat_tables(found)


def hit_of(row: Mapping[str, Any]) -> Hit:
    """A track as a hit, of its columns SHOWN."""
    return Hit(
        key=row["key"],
        path=text_path(row["path"]),
        title=row["title"] or "",
        artist=row["artist"] or "",
        album=row["album"] or "",
        genre=row["genre"] or "",
        year=row["year"],
        bpm=row["bpm"] or row["tempo"],
        rating=row["rating"],
        musical_key=row["musical_key"],
        loudness=row["loudness"],
        duration=row["duration"],
    )


def _rows(table: pa.Table) -> list[Row]:
    """Rows as mappings, with `vector` (dim,) float32 and no words that are worth anything yet."""
    plain = table.drop_columns(["vector"]).to_pylist()
    return [
        row | {"vector": vector, "keywords": 0.0}
        for row, vector in zip(plain, matrix(table["vector"]), strict=True)
    ]
