"""How a library is written: by one process at a time, in commits that a crash cannot halve.

A commit writes windows, then tracks, then files. What a crash leaves of one are windows without a
track, which the next writer removes, and tracks without a file, which are known when their file is
read again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout
from lancedb.index import FTS, BTree
from lancedb.table import Table

from muscall.errors import MuscallError
from muscall.library.ann import tend_vectors
from muscall.library.scan import text_path
from muscall.library.store import (
    FILES,
    ROOTS,
    File,
    Root,
    Store,
    is_indexed,
    one_of,
    reason,
    tracks_schema,
    windows_schema,
)

if TYPE_CHECKING:
    from lance.fragment import FragmentMetadata

_INDEXED_FROM = 100_000  # rows; below, a scan is as fast
_AT_WORK, _AT_REST = 64, 8  # files of a table, while commits follow each other and later
_SCANNED = 5_000  # rows that every search may look through, as they are in no index yet
_KEPT = timedelta(minutes=10)  # old versions, for readers that are in the middle of one
# The columns of tracks that tell of their files, not of what a model heard.
_OF_FILES = ("path", "root", "offline", "title", "artist", "album", "genre", "year", "bpm")


@dataclass(frozen=True, eq=False)
class Track:
    """A track to write."""

    row: dict[str, Any]
    """The columns of `store.tracks_schema`, but for `words`."""
    windows: list[tuple[float, float, np.ndarray]]
    """Start and length in seconds and vector (dim,) of each."""


@dataclass
class Batch:
    """What the next commit writes."""

    tracks: list[Track] = field(default_factory=list)
    fragments: list[FragmentMetadata] = field(default_factory=list)
    """Files with more windows of these tracks, which others have written beside the table's."""
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """New values in rows of tracks, by key. They are written in the tables of all pipelines."""
    files: dict[str, File] = field(default_factory=dict)


class Writer:
    """Writes tracks of one pipeline. To be had from `writing`.

    Every method raises MuscallError where the folder cannot be written: it is full, or read-only.
    """

    def __init__(self, store: Store, pipeline: str, dim: int) -> None:
        self._store, self._pipeline, self._dim = store, pipeline, dim
        create = store.database.create_table
        self._files = create("files", schema=FILES, exist_ok=True)
        self._roots = create("roots", schema=ROOTS, exist_ok=True)
        self.windows = create(f"windows_{pipeline}", schema=windows_schema(dim), exist_ok=True)
        """The table of windows, for those who write fragments of it."""
        self._tracks = create(f"tracks_{pipeline}", schema=tracks_schema(dim), exist_ok=True)
        self._remove_orphans()

    def commit(self, batch: Batch) -> None:
        """Write `batch`; rows of the same keys and paths are overwritten."""
        with _told(self._store):
            if batch.fragments:
                _append(self.windows, batch.fragments)
            if batch.tracks:
                windows = windows_table(batch.tracks, self._dim)
                if len(windows):
                    self.windows.add(windows)
                rows = [{**track.row, "words": words(track.row)} for track in batch.tracks]
                _upsert(self._tracks, pa.Table.from_pylist(rows, tracks_schema(self._dim)))
            for pipeline in self._store.pipelines():
                self._change(pipeline, batch)
            _upsert(self._files, _table(batch.files.values(), FILES))
            for table in (self.windows, self._tracks, self._files):
                _tend(table)

    def _change(self, pipeline: str, batch: Batch) -> None:
        """Write what is new of known tracks in the table of a pipeline."""
        changes = dict(batch.changes)
        if pipeline != self._pipeline:
            # What is a new track to this pipeline, another may know from before it was retagged.
            for track in batch.tracks:
                new = {name: track.row[name] for name in _OF_FILES}
                changes[track.row["key"]] = new | changes.get(track.row["key"], {})
        table = self._store.tracks(pipeline)
        if table is not None and changes:
            _upsert(table, _changed(self._store.rows(pipeline, changes), changes))

    def put_roots(self, roots: Iterable[Root]) -> None:
        """Write roots."""
        with _told(self._store):
            _upsert(self._roots, _table(roots, ROOTS))

    def forget(self, *, tracks: Iterable[str], files: Iterable[str], roots: Iterable[str]) -> None:
        """Delete tracks by key, those of all pipelines, and files and roots by path."""
        keys = list(tracks)
        with _told(self._store):
            for pipeline in self._store.pipelines():
                for table in (self._store.tracks(pipeline), self._store.windows(pipeline)):
                    if table is not None:
                        _delete(table, keys)
            _delete(self._files, files)
            _delete(self._roots, roots)

    def finish(self) -> None:
        """Make the tracks fast to find; to be called at the end of a run.

        Rows that come later are found too, before they are in an index.
        """
        with _told(self._store):
            if self._tracks.count_rows() and not is_indexed(self._tracks, "words"):
                self._tracks.create_index("words", config=FTS())
            for table in (self.windows, self._tracks, self._files):
                _tend(table, at_rest=True)
            tend_vectors(self._tracks)

    def _remove_orphans(self) -> None:
        """Remove the windows that a killed process committed without their tracks."""
        tracks = self._tracks.search().select(["key", "windows"]).to_arrow()
        if self.windows.count_rows() != (pc.sum(tracks["windows"]).as_py() or 0):
            keys = self.windows.search().select(["key"]).to_arrow()["key"]
            _delete(self.windows, set(keys.to_pylist()) - set(tracks["key"].to_pylist()))


@contextmanager
def writing(store: Store, pipeline: str, dim: int) -> Iterator[Writer]:
    """The writer of a library, which is made where it does not exist.

    Raises:
        MuscallError: another process writes to the library, or the folder cannot be written.
    """
    with _told(store):
        lock = FileLock(_lock_path(store))
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            raise MuscallError(f"{store.folder}: another index run is at work there") from None
    with held:
        with _told(store):
            writer = Writer(store, pipeline, dim)
        yield writer


def _lock_path(store: Store) -> Path:
    if isinstance(store.folder, Path):
        store.folder.mkdir(parents=True, exist_ok=True)
        return store.folder / ".lock"
    # Nothing can be held in a bucket: runs of the same user on this machine exclude each other.
    folder = platformdirs.user_cache_path("muscall", ensure_exists=True)
    return folder / f"{blake2b(store.folder.encode(), digest_size=8).hexdigest()}.lock"


def words(row: Mapping[str, Any]) -> str:
    """What full-text search looks through: the tags of a track and the name of its file."""
    name = os.fsencode(text_path(row["path"]).stem).decode("utf-8", "replace")
    tags = (row[tag] for tag in ("title", "artist", "album", "genre"))
    return " ".join(filter(None, [*tags, name]))


def windows_table(tracks: Iterable[Track], dim: int) -> pa.Table:
    """The windows of tracks, a row each (`store.windows_schema`)."""
    windows = [(track.row["key"], *window) for track in tracks for window in track.windows]
    keys, starts, seconds, vectors = zip(*windows, strict=True) if windows else ([], [], [], [])
    flat = np.concatenate([*vectors, np.empty(0, np.float32)]).astype(np.float16)
    columns = {
        "key": keys,
        "start": starts,
        "seconds": seconds,
        "vector": pa.FixedSizeListArray.from_arrays(flat, dim),
    }
    return pa.table(columns, schema=windows_schema(dim))


def _append(table: Table, fragments: list[FragmentMetadata]) -> None:
    from lance import LanceDataset, LanceOperation  # comes with the extra `ray`

    there = table.to_lance()
    names = [file.path for fragment in fragments for file in fragment.files]
    if "://" not in there.uri and not all(Path(there.uri, "data", name).exists() for name in names):
        raise MuscallError(
            f"{Path(there.uri).parent}: not one folder for all nodes of the cluster: let the "
            "library be in a bucket, or in shared storage"
        )
    LanceDataset.commit(there.uri, LanceOperation.Append(fragments), read_version=there.version)


@contextmanager
def _told(store: Store) -> Iterator[None]:
    """Errors of the system and of LanceDB as one line."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise MuscallError(f"{store.folder}: cannot be written: {reason(error)}") from error


def _table(records: Iterable[Any], schema: pa.Schema) -> pa.Table:
    rows = list(records)
    columns = {name: [getattr(row, name) for row in rows] for name in schema.names}
    return pa.table(columns, schema=schema)


def _key(table: Table | pa.Table) -> str:
    """The first column of every table tells its rows apart."""
    name: str = table.schema.names[0]
    return name


def _upsert(table: Table, rows: pa.Table) -> None:
    if len(rows):
        merge = table.merge_insert(_key(table))
        merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)


def _delete(table: Table, values: Iterable[str]) -> None:
    for condition in one_of(_key(table), values):
        table.delete(condition)


def _changed(rows: pa.Table, changes: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """`rows` of tracks with the new values of `changes`, and their words anew."""
    columns = [name for name in rows.schema.names if name != "vector"]
    new = [{**row, **changes[row["key"]]} for row in rows.select(columns).to_pylist()]
    for row in new:
        row["words"] = words(row)
    table = pa.Table.from_pylist(new, rows.select(columns).schema)
    return table.append_column(rows.schema.field("vector"), rows["vector"])


def _tend(table: Table, *, at_rest: bool = False) -> None:
    """Put what many commits wrote into few files and into the indices, when that is worth while.

    Args:
        at_rest: no commit will follow soon.
    """
    rows = table.count_rows()
    if rows > _INDEXED_FROM and not is_indexed(table, _key(table)):
        table.create_index(_key(table), config=BTree())
    # Each time all is written anew, so the more there is, the more may come together before.
    statistics: Any = table.stats()  # a dictionary, whatever its annotation says
    files = statistics["fragment_stats"]["num_fragments"]
    worth = files > (_AT_REST if at_rest else _AT_WORK) + rows // 1024
    if at_rest and not worth:
        left = [index.num_unindexed_rows or 0 for index in table.list_indices()]
        worth = max(left, default=0) > max(_SCANNED, rows // 100)
    if worth:
        table.optimize(cleanup_older_than=_KEPT)
