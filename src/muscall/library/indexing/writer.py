"""How a library is written: by one process at a time, in commits that a crash cannot halve.

A commit writes windows, then tracks, then files. What a crash leaves of one are windows without a
track, which the next writer removes, and tracks without a file, which are known when their file is
read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from lancedb.index import FTS, BTree
from lancedb.table import Table

from muscall.errors import MuscallError
from muscall.library.indexing.batch import Batch, windows_table, words
from muscall.library.indexing.locking import locked, written
from muscall.library.schema import FILES, ROOTS, tracks_schema, windows_schema
from muscall.library.search.ann import compact_vectors
from muscall.library.store import File, Root, Store, add_missing, is_indexed, one_of

if TYPE_CHECKING:
    from lance.fragment import FragmentMetadata

_WORDS_INDEX = "names_3"  # to be called otherwise with every change of `words`
_REWRITTEN = 10_000  # rows at once
_INDEXED_FROM = 10_000  # rows; of 50,000 a scan takes three times as long
_AT_WORK, _AT_REST = 64, 8  # files of a table, while commits follow each other and later
_SCANNED = 5_000  # rows that every search may look through, as they are in no index yet
_KEPT = timedelta(minutes=10)  # old versions, for readers that are in the middle of one
# The columns of tracks that describe their files, not their sound.
_OF_FILES = (
    *("path", "root", "offline", "title", "artist", "albumartist", "composer", "album", "genre"),
    *("year", "bpm", "rating", "chapters"),
)


class Writer:
    """Writes tracks of one embedding version. `writing` makes one.

    Every method raises MuscallError where the folder cannot be written: it is full, or read-only.
    """

    def __init__(self, store: Store, embedding_version: str, dim: int) -> None:
        self._store, self._embedding_version, self._dim = store, embedding_version, dim
        self._files = made_table(store, "files", FILES)
        self._roots = made_table(store, "roots", ROOTS)
        self.windows = made_table(store, f"windows_{embedding_version}", windows_schema(dim))
        """The table of windows, for those who write fragments of it."""
        self._tracks = made_table(store, f"tracks_{embedding_version}", tracks_schema(dim))
        remove_orphans(self._tracks, self.windows)

    def commit(self, batch: Batch) -> None:
        """Write `batch`; rows of the same keys and paths are overwritten."""
        with written(self._store):
            if batch.fragments:
                _append(self.windows, batch.fragments)
            if batch.tracks:
                windows = windows_table(batch.tracks, self._dim)
                if len(windows):
                    self.windows.add(windows)
                rows = [{**track.row, "words": words(track.row)} for track in batch.tracks]
                _upsert(self._tracks, pa.Table.from_pylist(rows, tracks_schema(self._dim)))
            for embedding_version in self._store.embedding_versions():
                self._change(embedding_version, batch)
            _upsert(self._files, _table(batch.files.values(), FILES))
            for table in (self.windows, self._tracks, self._files):
                compact(table)
            self._index_words()

    def _change(self, embedding_version: str, batch: Batch) -> None:
        """Write what is new of known tracks in the table of an embedding version."""
        changes = dict(batch.changes)
        if embedding_version != self._embedding_version:
            # Another embedding version may know a new track from before it was retagged.
            for track in batch.tracks:
                new = {name: track.row[name] for name in _OF_FILES}
                changes[track.row["key"]] = new | changes.get(track.row["key"], {})
        table = self._store.tracks(embedding_version)
        if table is not None and changes:
            _upsert(table, _changed(self._store.rows(embedding_version, changes), changes))

    def put_roots(self, roots: Iterable[Root]) -> None:
        """Write roots."""
        with written(self._store):
            _upsert(self._roots, _table(roots, ROOTS))

    def forget(self, *, tracks: Iterable[str], files: Iterable[str], roots: Iterable[str]) -> None:
        """Delete tracks by key, those of all embedding versions, and files and roots by path."""
        keys = list(tracks)
        with written(self._store):
            for embedding_version in self._store.embedding_versions():
                for table in (
                    self._store.tracks(embedding_version),
                    self._store.windows(embedding_version),
                ):
                    if table is not None:
                        _delete(table, keys)
            _delete(self._files, files)
            _delete(self._roots, roots)

    def finish(self) -> None:
        """Make the tracks fast to find; to be called at the end of a run.

        Rows that come later are found too, before they are in an index.
        """
        with written(self._store):
            self._index_words()
            for table in (self.windows, self._tracks, self._files):
                compact(table, at_rest=True)
            compact_vectors(self._tracks)

    def _index_words(self) -> None:
        """Let words be found from the first commit on; later rows are found beside the index."""
        there = [index.name for index in self._tracks.list_indices() if index.columns == ["words"]]
        if there == [_WORDS_INDEX] or not self._tracks.count_rows():
            return
        if there:  # of an earlier version, which split words in another way
            keys = self._tracks.search().select(["key"]).limit(None).to_arrow()["key"].to_pylist()
            for start in range(0, len(keys), _REWRITTEN):
                some: dict[str, dict[str, Any]] = {
                    key: {} for key in keys[start : start + _REWRITTEN]
                }
                _upsert(
                    self._tracks, _changed(self._store.rows(self._embedding_version, some), some)
                )
        # The words are split and folded when they are written.
        settings = FTS(
            base_tokenizer="whitespace", max_token_length=None, lower_case=False,
            stem=False, remove_stop_words=False, ascii_folding=False,
        )  # fmt: skip
        self._tracks.create_index("words", config=settings, name=_WORDS_INDEX)
        for name in there:
            self._tracks.drop_index(name)


@contextmanager
def writing(store: Store, embedding_version: str, dim: int) -> Iterator[Writer]:
    """The writer of a library, which is made where it does not exist.

    Raises:
        MuscallError: another process writes to the library, or the folder cannot be written.
    """
    with locked(store):
        with written(store):
            writer = Writer(store, embedding_version, dim)
        yield writer


def made_table(store: Store, name: str, schema: pa.Schema) -> Table:
    """A table, made where there is none, with columns that it lacks where it is older."""
    table = store.table(name)
    if table is None:
        return store.database.create_table(name, schema=schema, exist_ok=True)
    add_missing(table, schema)
    return table


def forget(store: Store, folder: str, *, keep_tracks: bool = False) -> tuple[int, int]:
    """Delete a folder, its files and tracks that no other file holds; how many of both.

    Only rows of the library: nothing in the folder is touched. With `keep_tracks` the folder is
    only looked through no more, and what it held can still be found.

    Raises:
        MuscallError: nothing in it is known; another run is at work, or the library cannot be
            written.
    """
    with locked(store), written(store):
        every = store.files()
        below = folder.rstrip("/") + "/"
        inside = {path for path in every if path == folder or path.startswith(below)}
        gone = set() if keep_tracks else inside
        roots = [path for path in store.roots() if path == folder or path.startswith(below)]
        if not inside and not roots:
            raise MuscallError(f"{folder}: not in the library; `muscall status` lists its folders")
        kept: dict[str, File] = {}
        for path in sorted(every.keys() - gone):
            row = every[path]
            if row.key and (row.key not in kept or kept[row.key].state == "offline"):
                kept[row.key] = row
        keys = {key for path in gone if (key := every[path].key) is not None}
        orphans = [key for key in keys if key not in kept]
        for embedding_version in store.embedding_versions():
            tracks, windows = store.tracks(embedding_version), store.windows(embedding_version)
            if tracks is not None and windows is not None:
                _delete(tracks, orphans)
                _delete(windows, orphans)
                rows = store.rows(embedding_version, keys & kept.keys())
                moved = {
                    row["key"]: {
                        "path": kept[row["key"]].path,
                        "root": kept[row["key"]].root,
                        "offline": kept[row["key"]].state == "offline",
                    }
                    for row in rows.select(["key", "path"]).to_pylist()
                    if row["path"] in gone
                }
                if moved:
                    _upsert(tracks, _changed(rows.filter(pc.field("path").isin(gone)), moved))
        files = store.table("files")
        if files is not None:
            # What such a track has of tags is of the other file: they are read anew.
            again = [kept[key].path for key in keys & kept.keys()]
            for condition in one_of("path", again):
                files.update(where=condition, values={"mtime_ns": -1})
            _delete(files, gone)
        if (table := store.table("roots")) is not None:
            _delete(table, roots)
    return len(gone), len(orphans)


def remove_orphans(tracks: Table, windows: Table) -> int:
    """Remove windows without their track, and tracks without all of their windows; how many tracks.

    A killed process leaves the former, a damaged library the latter, which are listened to again.
    """
    expected = tracks.search().select(["key", "windows"]).limit(None).to_arrow()
    if windows.count_rows() == (pc.sum(expected["windows"]).as_py() or 0):
        return 0
    keys = windows.search().select(["key"]).limit(None).to_arrow()["key"].to_pylist()
    held = Counter(keys)
    counts = dict(zip(*(column.to_pylist() for column in expected.columns), strict=True))
    halved = [key for key, count in counts.items() if held[key] != count]
    _delete(tracks, halved)
    _delete(windows, [*(held.keys() - counts.keys()), *halved])
    return len(halved)


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


def _table(records: Iterable[Any], schema: pa.Schema) -> pa.Table:
    rows = list(records)
    columns = {name: [getattr(row, name) for row in rows] for name in schema.names}
    return pa.table(columns, schema=schema)


def _key(table: Table | pa.Table) -> str:
    """The first column of every table identifies its rows."""
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


def compact(table: Table, *, at_rest: bool = False) -> None:
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
