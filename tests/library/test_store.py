"""The tables: commits, what a crash leaves of them, and how they are kept small."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from muscall import Library, MusCALL
from muscall.errors import MuscallError
from muscall.library.indexing import writer as writer_module
from muscall.library.indexing.batch import Batch, Track
from muscall.library.indexing.report import Report
from muscall.library.indexing.writer import Writer, writing
from muscall.library.store import File, Root, Store, default_folder

PIPELINE, DIM = "0123456789ab", 8


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "library")


@pytest.fixture
def writer(store: Store) -> Iterator[Writer]:
    with writing(store, PIPELINE, DIM) as writer:
        yield writer


def track(number: int, windows: int = 2) -> Track:
    vector = np.eye(DIM, dtype=np.float32)[number % DIM]
    row = {
        "key": f"{number:040x}",
        "path": f"/music/{number}.flac",
        "root": "/music",
        "title": f"Song {number}",
        "artist": "",
        "albumartist": "",
        "composer": "",
        "chapters": "",
        "album": "It's an album",
        "genre": "",
        "year": None,
        "bpm": None,
        "rating": None,
        "duration": 40.0,
        "offline": False,
        "added": datetime.now(UTC),
        "windows": windows,
        "vector": vector,
    }
    return Track(row, [(20.0 * place, 20.0, vector) for place in range(windows)])


def file(number: int, **values: Any) -> File:
    row = {"root": "/music", "size": 1, "mtime_ns": 2, "key": f"{number:040x}", "error": None}
    return File(path=f"/music/{number}'s.flac", state="present", **{**row, **values})


def keys(table: Any) -> list[str]:
    return sorted(table.to_arrow()["key"].to_pylist())


def test_columns_that_an_earlier_version_did_not_have_are_added(
    store: Store, writer: Writer
) -> None:
    writer.commit(Batch(tracks=[track(1)]))
    table = store.tracks(PIPELINE)
    assert table is not None
    new = ["tempo", "musical_key", "loudness", "waveform"]
    table.drop_columns(new)
    again = Store(store.folder).tracks(PIPELINE)
    assert again is not None
    assert set(new) < set(again.schema.names)
    writer.commit(Batch(tracks=[track(2)]))
    rows = again.search().select(["title", *new]).to_list()
    assert sorted(row["title"] for row in rows) == ["Song 1", "Song 2"]
    assert all(row[name] is None for row in rows for name in new)


def test_an_empty_store(store: Store) -> None:
    assert (store.files(), store.roots(), store.embedding_versions()) == ({}, {}, [])
    assert store.tracks(PIPELINE) is None
    assert store.windows(PIPELINE) is None
    assert len(store.rows(PIPELINE, ["a"])) == 0
    assert not store.folder.exists()


def test_what_is_committed_is_read_again(store: Store, writer: Writer) -> None:
    tracks = [track(1), track(2, windows=3)]
    files = {row.path: row for row in (file(1), file(2), file(3, key=None, error="broken"))}
    writer.commit(Batch(tracks=tracks, files=files))
    root = Root("/music", ["*.m4b"], datetime.now(UTC))
    writer.put_roots([root])
    assert store.files() == files
    assert store.roots() == {"/music": root}
    assert store.embedding_versions() == [PIPELINE]
    (row,) = store.rows(PIPELINE, [f"{2:040x}", "unknown"]).to_pylist()
    assert row["words"] == "song 2 it s an album 2"
    assert row["vector"] == tracks[1].row["vector"].tolist()
    windows = store.windows(PIPELINE)
    assert windows is not None
    assert sorted(windows.to_arrow()["start"].to_pylist()) == [0, 0, 20, 20, 40]


def test_rows_are_overwritten_and_never_doubled(store: Store, writer: Writer) -> None:
    for size in (1, 2):
        writer.commit(Batch(files={row.path: row for row in (file(1, size=size), file(size))}))
    assert sorted(row.size for row in store.files().values()) == [1, 2]
    writer.commit(Batch(tracks=[track(1)]))
    change = {"path": "/music/new name.flac", "title": "New", "offline": True}
    writer.commit(Batch(changes={f"{1:040x}": change, "unknown": change}))
    (row,) = store.rows(PIPELINE, [f"{1:040x}"]).to_pylist()
    assert row["offline"]
    assert row["words"] == "new it s an album new name"
    assert row["vector"] == track(1).row["vector"].tolist()


def test_what_another_embedding_version_finds_out_of_a_file_holds_for_all(
    store: Store, writer: Writer
) -> None:
    writer.commit(Batch(tracks=[track(1), track(2)]))
    new = track(1, windows=3)
    new.row.update(title="New", path="/music/moved.flac")
    Writer(store, "ba9876543210", DIM).commit(Batch(tracks=[new]))
    (row,) = store.rows(PIPELINE, [f"{1:040x}"]).to_pylist()
    assert (row["title"], row["path"], row["windows"]) == ("New", "/music/moved.flac", 2)
    assert row["words"] == "new it s an album moved"
    assert len(keys(store.tracks("ba9876543210"))) == 1


def test_a_run_that_ends_leaves_few_files(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        writer.commit(Batch(tracks=[track(number)], files={file(number).path: file(number)}))
    writer.finish()
    for table in (store.tracks(PIPELINE), store.windows(PIPELINE), store.table("files")):
        assert table is not None
        statistics: Any = table.stats()
        assert statistics["fragment_stats"]["num_fragments"] <= 2  # in the index of words, and not
    monkeypatch.setattr(writer_module, "_SCANNED", 2)
    for number in range(20, 24):
        writer.commit(Batch(tracks=[track(number)]))
    writer.finish()
    table = store.tracks(PIPELINE)
    assert table is not None
    assert [index.num_unindexed_rows for index in table.list_indices()] == [0]


def test_forgotten_rows_are_gone_from_all_embedding_versions(store: Store, writer: Writer) -> None:
    writer.commit(Batch(tracks=[track(1), track(2)], files={file(1).path: file(1)}))
    writer.forget(tracks=[], files=[], roots=[])
    assert len(keys(store.tracks(PIPELINE))) == 2
    other = Writer(store, "ba9876543210", DIM)
    other.commit(Batch(tracks=[track(1)]))
    other.forget(tracks=[f"{1:040x}"], files=[file(1).path], roots=["/none"])
    assert store.files() == {}
    assert keys(store.tracks(PIPELINE)) == [f"{2:040x}"]
    assert keys(store.windows(PIPELINE)) == [f"{2:040x}"] * 2
    assert keys(store.tracks("ba9876543210")) == keys(store.windows("ba9876543210")) == []


def test_windows_that_lost_their_track_are_removed(store: Store, writer: Writer) -> None:
    writer.commit(Batch(tracks=[track(number) for number in range(3)]))
    tracks = store.tracks(PIPELINE)
    assert tracks is not None
    tracks.delete(f"key = '{1:040x}'")  # as if the process had been killed before it wrote it
    Writer(store, PIPELINE, DIM).commit(Batch(tracks=[track(3)]))
    assert keys(store.windows(PIPELINE)) == sorted(2 * [f"{n:040x}" for n in (0, 2, 3)])


def test_many_commits_end_in_few_files(
    store: Store, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_INDEXED_FROM", 10)
    for number in range(80):
        writer.commit(Batch(tracks=[track(number)], files={file(number).path: file(number)}))
    for table in (store.tracks(PIPELINE), store.windows(PIPELINE), store.table("files")):
        assert table is not None
        statistics: Any = table.stats()
        assert statistics["fragment_stats"]["num_fragments"] < 30
        names = [index.columns for index in table.list_indices() if index.columns != ["words"]]
        assert names == [table.schema.names[:1]]
    # Rows are found and overwritten whether the index has seen them or not.
    changes = {f"{number:040x}": {"title": "New"} for number in range(80)}
    writer.commit(Batch(changes=changes, files={file(n).path: file(n) for n in range(80)}))
    assert len(store.files()) == 80
    rows = store.rows(PIPELINE, changes).to_pylist()
    assert [row["title"] for row in rows] == ["New"] * 80


def test_a_full_disk_is_told_and_harms_nothing(store: Store, writer: Writer) -> None:
    writer.commit(Batch(files={file(1).path: file(1)}))
    large = {
        file(n).path: file(n, error=str(np.random.default_rng(n).bytes(20_000))) for n in range(9)
    }
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(MuscallError) as caught:
            writer.commit(Batch(files=large))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(caught.value) == f"{store.folder}: cannot be written: File too large"
    assert store.files() == {file(1).path: file(1)}
    writer.commit(Batch(files=large))
    assert len(store.files()) == 9


def test_a_table_that_was_only_begun_is_no_table(store: Store) -> None:
    (store.folder / "files.lance").mkdir(parents=True)
    (store.folder / f"tracks_{PIPELINE}.lance" / "data").mkdir(parents=True)
    assert store.files() == {}
    assert store.tracks(PIPELINE) is None
    with writing(store, PIPELINE, DIM) as writer:
        writer.commit(Batch(tracks=[track(1)]))
    assert len(keys(store.tracks(PIPELINE))) == 1


def test_where_the_library_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MUSCALL_LIBRARY", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("MUSCALL_LIBRARY")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "muscall" / "library"


def test_files_are_read_by_their_paths(store: Store, writer: Writer) -> None:
    assert store.files(["/music/a"]) == {}
    paths = ["/music/it's a.flac", "/music/b.flac", "/music/c.flac"]
    files = {path: File(path, "/music", 1, 2, None, "no sound", "present") for path in paths}
    writer.commit(Batch(files=files))
    assert store.files(paths[:2]) == {path: files[path] for path in paths[:2]}
    assert store.files([*paths, "/music/d.flac"]) == store.files() == files
    assert store.files([]) == {}


def test_a_library_in_object_storage_is_one_like_others(
    songs: Path, tmp_path: Path, tiny_model: MusCALL
) -> None:
    # Through the code for buckets, but on this disk.
    folder = f"file-object-store://{tmp_path}/bucket/library"
    library = Library(folder, tiny_model)
    with pytest.raises(MuscallError) as caught:
        library.status()
    assert str(caught.value) == f"{folder}: no library there; `muscall index` makes one"
    assert library.index([songs], workers=1).added == 4
    assert library.index(workers=1) == Report(unchanged=4)
    status = library.status()
    assert (status.path, status.files) == (folder, 4)
    assert status.bytes > 0
    with (
        writing(library.store, library.embedding_version, 16),
        pytest.raises(MuscallError) as caught,
    ):
        library.index()
    assert str(caught.value).startswith(f"{folder}: another index run is at work there: wait")
