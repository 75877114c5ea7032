"""The index over the vectors of a large library, built and asked so that nothing near is missed.

It is LanceDB's IVF_SQ: vectors of a byte a dimension, in partitions of what sounds alike. What it
brings is scored anew by the whole vectors, so only what stands in no partition that was looked
through can be missed.
"""

from __future__ import annotations

import math

import numpy as np
from lancedb.index import IvfSq
from lancedb.query import LanceVectorQueryBuilder
from lancedb.table import Table

INDEXED_FROM = 10_000  # tracks; to look at one without the index takes 2 to 3 microseconds
# Without a filter so many of the partitions are looked through that they hold
_SHARE = 1 / 50  # of the tracks,
_LEAST = 20_000  # tracks: in a small library, all of them,
_MORE = 4  # times the tracks that are asked for
_ALL = 1_000_000


def compact_vectors(table: Table) -> None:
    """Build the index once there are tracks enough, and anew when they have become many more."""
    rows = table.count_rows()
    names, wanted = indices(table), round(math.sqrt(rows))
    if rows >= INDEXED_FROM and (not names or _partitions(names[-1]) < wanted / 1.5):
        names.append(f"vector_{wanted}")
        # By their size: what is only told their number puts most of them together later.
        config = IvfSq(distance_type="dot", target_partition_size=round(rows / wanted))
        table.create_index("vector", config=config, name=names[-1])
    for name in names[:-1]:
        table.drop_index(name)


def nearest(
    table: Table, query: np.ndarray, count: int, tracks: int, *, filtered: bool
) -> LanceVectorQueryBuilder:
    """A query for the tracks nearest to `query` (dim,); its limit and filter are yet to be said.

    Args:
        count: how many will be wanted.
        tracks: how many are there, not offline, at least one.
        filtered: whether only some of these will be of interest. The nearest of those may stand in
            any partition, so all are looked through; of the other tracks no vector is. Without the
            index, LanceDB would read the vectors of all.
    """
    builder = table.search(query)
    assert isinstance(builder, LanceVectorQueryBuilder)
    builder = builder.distance_type("dot")
    if filtered:
        return builder.nprobes(_ALL)
    partitions = max(map(_partitions, indices(table)), default=1)
    share = max(_SHARE, _LEAST / tracks, _MORE * count / tracks)
    return builder.nprobes(math.ceil(share * partitions))


def indices(table: Table) -> list[str]:
    """The names of indices of vectors, that with the most partitions last."""
    found = [index.name for index in table.list_indices() if index.columns == ["vector"]]
    return sorted(found, key=_partitions)


def _partitions(name: str) -> int:
    # LanceDB does not say.
    return int(name.removeprefix("vector_"))
