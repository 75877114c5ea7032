"""Whether all of a library can be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from lancedb.table import Table

from muscall.library.store import Damaged, Store, reading, reason

# A narrow column of each table: to read it, all of its files are opened.
_MAGIC = b"LANC"  # what each file of LanceDB ends with
_NARROW = {"files": "size", "roots": "scanned", "tracks": "windows", "windows": "seconds"}


def find_damage(store: Store) -> dict[str, str]:
    """What is wrong with each table or index that is damaged; empty for a library that is well.

    Tables are named as in the store, indices as `table/index`. It takes milliseconds: of every file
    it reads the end, and what is narrow.

    Raises:
        MuscallError: the library cannot be read for now.
    """
    store = Store(store.folder)  # what another has read before, it would not read again
    found: dict[str, str] = {}
    names = store.names()
    for name in names:
        kind = name.partition("_")[0]
        if kind not in _NARROW:
            continue
        if unreadable_manifests(store, name):
            found[name] = "a list of its files is cut off"
            continue
        try:
            table = store.table(name)
            if table is not None:
                with reading():
                    table.search().select([_NARROW[kind]]).limit(None).to_arrow()
                found |= {f"{name}/{index}": why for index, why in _damaged_indices(table)}
        except Damaged as error:
            found[name] = reason(error.__cause__)  # type: ignore[arg-type]
    for embedding_version in store.embedding_versions():
        if f"tracks_{embedding_version}" in found or store.tracks(embedding_version) is None:
            continue
        windows = f"windows_{embedding_version}"
        wanted = {"files", "roots", windows} - found.keys()
        found |= {name: "it is gone" for name in wanted if store.table(name) is None}
        if windows not in found and (lost := _lost_windows(store, embedding_version)):
            found[windows] = f"{lost:,} of its rows are gone"
    return found


def unreadable_manifests(store: Store, name: str) -> list[Path]:
    """The lists of a table's files, one for each of its versions, that are cut off."""
    if not isinstance(store.folder, Path):
        return []  # what is written to a bucket is written whole or not at all
    manifests = (store.folder / f"{name}.lance" / "_versions").glob("*.manifest")
    return sorted(path for path in manifests if _end(path) != _MAGIC)


def _end(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(_MAGIC)))
        return file.read()


def _damaged_indices(table: Table) -> list[tuple[str, str]]:
    found = []
    for index in table.list_indices():
        (column,) = index.columns
        query, wanted = table.search(), column
        if index.index_type == "FTS":
            query = table.search("music", query_type="fts")
            wanted = "_score"
        elif column == "vector":
            dim = table.schema.field("vector").type.list_size
            query = table.search(np.ones(dim, np.float32), vector_column_name="vector")
            wanted = "_distance"
        else:
            query = query.where(f"{column} = ''")
        try:
            with reading():
                query.select([wanted]).limit(1).to_arrow()
        except Damaged as error:
            found.append((index.name, reason(error.__cause__)))  # type: ignore[arg-type]
    return found


def _lost_windows(store: Store, embedding_version: str) -> int:
    """How many windows there are less than the tracks have."""
    tracks, windows = store.tracks(embedding_version), store.windows(embedding_version)
    if tracks is None or windows is None:
        return 0
    version = tracks.version
    expected = pc.sum(tracks.search().select(["windows"]).limit(None).to_arrow()["windows"])
    lost = (expected.as_py() or 0) - windows.count_rows()
    # A run that is at work may have written both in between.
    return max(0, lost) if tracks.version == version else 0
