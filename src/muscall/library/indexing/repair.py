"""What of a damaged library can be kept, is; the next run listens to the rest again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
from lancedb.table import Table

from muscall.library.damage import find_damage, unreadable_manifests
from muscall.library.indexing.locking import locked, written
from muscall.library.indexing.writer import made_table, remove_orphans
from muscall.library.schema import FILES, ROOTS, windows_schema
from muscall.library.store import Damaged, Store, one_of, reading

_ROWS = 8192  # read at once

log = logging.getLogger("muscall")


def repair(store: Store) -> None:
    """Let all of a library be readable again. Does nothing where there is no damage.

    Rows of a file that cannot be read are taken from older versions of their table, as far as these
    are still there. Tracks that are not complete after that are removed, so that they are new to
    the next run. What was found and lost is logged.

    Raises:
        MuscallError: another run is at work, or the library cannot be read or written for now.
    """
    if not find_damage(store):
        return
    store = Store(store.folder)  # which remembers nothing of what it reads
    with locked(store), written(store):
        damage = find_damage(store)  # another run may have repaired it
        for name in store.names():
            for manifest in unreadable_manifests(store, name):
                manifest.rename(manifest.with_name(f"{manifest.name}.damaged"))
        lost = 0
        damage |= find_damage(store)
        for name in damage:
            table, _, index = name.partition("/")
            if index and table not in damage:
                store.database.open_table(table).drop_index(index)
            elif not index and store.table(table) is not None:
                lost += _rewrite(store, table)
        lost += _complete(store)
    named = ", ".join(f"{name.partition('_')[0]}: {why}" for name, why in damage.items())
    log.warning("%s: was damaged (%s); it is repaired, %s", store.folder, named, _told(lost))


def _complete(store: Store) -> int:
    """Make the tables anew that are gone, and remove what is in one of two only; how many tracks.

    Folders that have lost their row are found by their files.
    """
    lost = 0
    made_table(store, "files", FILES)
    roots = made_table(store, "roots", ROOTS)
    folders = {file.root for file in store.files().values()} - store.roots().keys()
    if folders:
        now = datetime.now(UTC)
        rows = [{"path": path, "exclude": [], "scanned": now} for path in sorted(folders)]
        roots.add(pa.Table.from_pylist(rows, ROOTS))
        log.warning("what was left out of the folders with --exclude is lost: name it again")
    for embedding_version in store.embedding_versions():
        tracks = store.tracks(embedding_version)
        if tracks is not None:
            dim = tracks.schema.field("vector").type.list_size
            windows = made_table(store, f"windows_{embedding_version}", windows_schema(dim))
            lost += remove_orphans(tracks, windows)
    return lost


def _told(lost: int) -> str:
    return f"and {lost:,} rows are made anew" if lost else "and nothing is lost"


def _rewrite(store: Store, name: str) -> int:
    """Write all rows that can be read as a new version of the table; how many are lost."""
    table = store.database.open_table(name)
    expected, kept = table.count_rows(), 0
    keyed = name.startswith(("tracks_", "windows_"))
    known = {file.key for file in store.files().values()} if keyed else set()
    older: set[str] = set()

    def rows() -> Iterator[pa.RecordBatch]:
        nonlocal kept
        seen: set[tuple[str, ...]] = set()
        for version in _versions(table):
            if kept >= expected:
                return
            for found in _readable(store, name, version, seen):
                if keyed and version != table.version:
                    # What was deleted since does not come back.
                    there = [key in known for key in found["key"].to_pylist()]
                    found = found.filter(pa.array(there))
                    older.update(found["key"].to_pylist())
                kept += len(found)
                yield from found.to_batches()

    schema = table.schema
    reader = pa.RecordBatchReader.from_batches(schema, rows())
    store.database.create_table(name, data=reader, schema=schema, mode="overwrite")
    files = store.table("files")
    if name.startswith("tracks_") and files is not None:
        for condition in one_of("key", older):  # their tags may have changed since: read them again
            files.update(where=condition, values={"mtime_ns": -1})
    return max(0, expected - kept)


def _versions(table: Table) -> list[int]:
    try:
        with reading():
            return sorted((one["version"] for one in table.list_versions()), reverse=True)
    except Damaged:
        return [table.version]


def _readable(
    store: Store, name: str, version: int, seen: set[tuple[str, ...]]
) -> Iterator[pa.Table]:
    """Rows of one version that are not in `seen`, to which they are added."""
    try:
        with reading():
            table = store.database.open_table(name, version=version)
            ids = table.search().select(["_rowid"]).with_row_id(True).limit(None).to_arrow()
    except Damaged:
        return
    identity = ["key", "start"] if name.startswith("windows") else table.schema.names[:1]
    files: dict[int, list[int]] = {}
    for row in ids["_rowid"].to_pylist():
        files.setdefault(row >> 32, []).append(row)
    for rows in files.values():
        for start in range(0, len(rows), _ROWS):
            try:
                with reading():
                    part = rows[start : start + _ROWS]
                    names = table.take_row_ids(part).select(identity).with_row_id().to_arrow()
                    told = zip(*(names[column].to_pylist() for column in identity), strict=True)
                    new = {
                        row: who
                        for row, who in zip(names["_rowid"].to_pylist(), told, strict=True)
                        if who not in seen
                    }
                    if new:
                        found = table.take_row_ids(list(new)).to_arrow()
                        seen.update(new.values())
                        yield found.select(table.schema.names).cast(table.schema)
            except Damaged:
                continue
