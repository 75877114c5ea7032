"""What a library holds more than once: the same sound in several files, and versions of a piece."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lancedb.table import Table

from muscall.library.scan import text_path
from muscall.library.search.ranking import VERSION_LENGTHS, VERSION_SIMILARITY
from muscall.library.store import Store, matrix

_BLOCK = 256  # tracks compared with others at once


@dataclass(frozen=True)
class Version:
    """A track that sounds as others do; `duration` in seconds. Tags are empty without any."""

    path: Path
    title: str
    artist: str
    duration: float


@dataclass(frozen=True)
class Duplicates:
    """Groups of two and more. Nothing follows from them: a waltz may sound as its sister does."""

    copies: list[list[Path]]
    """Files with the same sound to the bit, whatever their tags."""
    versions: list[list[Version]]
    """Tracks as near to the first of their group in sound and length as `ranking.VERSION_*` say."""


def find_duplicates(store: Store, embedding_version: str) -> Duplicates:
    """Files that are there more than once, and tracks that sound alike, sorted by path."""
    held: defaultdict[str | None, list[Path]] = defaultdict(list)
    for file in store.files().values():
        if file.state == "present" and file.key is not None:
            held[file.key].append(text_path(file.path))
    copies = sorted(sorted(paths) for paths in held.values() if len(paths) > 1)
    table = store.tracks(embedding_version)
    return Duplicates(copies, [] if table is None else sorted(_versions(table), key=_place))


def _place(group: list[Version]) -> Path:
    return group[0].path


def _versions(table: Table) -> Iterator[list[Version]]:
    columns = ["path", "title", "artist", "duration", "vector"]
    rows = table.search().where("offline = false").select(columns).to_arrow()
    rows = rows.sort_by([("duration", "ascending"), ("path", "ascending")])
    vectors = matrix(rows["vector"])
    # Versions stand near each other in this order, so that few of all pairs are compared.
    durations = rows["duration"].to_numpy()
    ends = np.searchsorted(durations, durations / (1 - VERSION_LENGTHS), side="right")
    grouped: set[int] = set()
    plain = rows.drop_columns(["vector"])
    for start in range(0, len(rows), _BLOCK):
        block = vectors[start : start + _BLOCK]
        others = vectors[start : ends[min(start + _BLOCK, len(rows)) - 1]]
        alike = block @ others.T >= VERSION_SIMILARITY
        for place, near in enumerate(alike):
            first = start + place
            if first in grouped:
                continue
            # A group is what is near its first track, not what is near something near it.
            group = [
                n
                for n in (start + np.flatnonzero(near)).tolist()
                if first <= n < ends[first] and n not in grouped
            ]
            if len(group) > 1:
                grouped.update(group)
                versions = map(_version, plain.take(group).to_pylist())
                yield sorted(versions, key=lambda version: version.path)


def _version(row: dict[str, Any]) -> Version:
    title, artist = row["title"] or "", row["artist"] or ""
    return Version(text_path(row["path"]), title, artist, row["duration"])
