"""Groups of copies and of versions, in a library made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from muscall.library.duplicates import find_duplicates
from muscall.library.indexing.batch import Batch, Track
from muscall.library.indexing.writer import writing
from muscall.library.scan import path_text
from muscall.library.store import File, Store

PIPELINE, DIM = "0123456789ab", 8


def turned(degrees: float, axis: int = 0) -> np.ndarray:
    """A vector so far from another one of its axis, (DIM,)."""
    vector = np.zeros(DIM, np.float32)
    vector[axis], vector[axis + 1] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return vector


def track(name: str, vector: np.ndarray, duration: float, **columns: object) -> Track:
    row = {
        "key": f"{name:0>40}", "path": f"/music/{name}.flac", "root": "/music", "title": None,
        "artist": None, "album": None, "genre": None, "year": None, "bpm": None,
        "duration": duration, "offline": False, "added": datetime.now(UTC), "windows": 1,
        "vector": vector,
    }  # fmt: skip
    return Track(row | columns, [(0.0, 2.0, vector)])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "library")


def fill(store: Store, tracks: list[Track], files: list[File] = ()) -> None:
    with writing(store, PIPELINE, DIM) as writer:
        writer.commit(Batch(tracks=list(tracks), files={file.path: file for file in files}))


def versions(store: Store) -> list[list[str]]:
    found = find_duplicates(store, PIPELINE).versions
    return [[version.path.stem for version in group] for group in found]


def test_versions_are_near_in_sound_and_in_length(store: Store) -> None:
    fill(
        store,
        [
            track("a", turned(0), 100.0, title="Song", artist="Ann"),
            track("b", turned(5), 101.5),
            track("long", turned(0), 103.0),
            track("other", turned(20), 100.0),
            track("gone", turned(0), 100.0, offline=True),
            track("c", turned(0, axis=4), 30.0),
            track("d", turned(0, axis=4), 30.0),
        ],
    )
    # "long" is near "b" in both, but "b" is with "a" already.
    assert versions(store) == [["a", "b"], ["c", "d"]]
    first = find_duplicates(store, PIPELINE).versions[0][0]
    assert (first.title, first.artist, first.duration) == ("Song", "Ann", 100.0)


def test_a_group_does_not_grow_from_one_to_the_next(store: Store) -> None:
    fill(store, [track(f"{n}", turned(6 * n), 100.0 + n / 10) for n in range(6)])
    assert versions(store) == [["0", "1"], ["2", "3"], ["4", "5"]]


def test_all_pairs_of_many_tracks_are_compared(store: Store) -> None:
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(700, DIM)).astype(np.float32)
    vectors[350:] = vectors[:350]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    # Any two of a kind are of one length, and far from each other in the table.
    fill(store, [track(f"{n:03}", vectors[n], 100.0 + 3 * (n % 350)) for n in range(700)])
    groups = versions(store)
    assert {(f"{n:03}", f"{n + 350:03}") for n in range(350)} <= {
        (one, other) for group in groups for one in group for other in group
    }
    members = [name for group in groups for name in group]
    assert len(set(members)) == len(members) == 700


def test_copies_are_files_with_one_sound(store: Store) -> None:
    odd = Path("/music/\udcff.flac")

    def file(path: Path, key: str | None, state: str = "present") -> File:
        error = None if key else "no sound"
        return File(path_text(path), "/music", 1, 1, key, error, state)  # type: ignore[arg-type]

    fill(
        store,
        [track("k", turned(0), 100.0)],
        [
            file(Path("/music/z.flac"), "k"),
            file(odd, "k"),
            file(Path("/music/off.flac"), "k", "offline"),
            file(Path("/music/one.flac"), "l"),
            file(Path("/music/bad.flac"), None),
            file(Path("/music/worse.flac"), None),
        ],
    )
    found = find_duplicates(store, PIPELINE)
    assert found.copies == [sorted([Path("/music/z.flac"), odd])]
    assert found.versions == []


def test_an_empty_library_has_none(store: Store) -> None:
    fill(store, [])
    for embedding_version in (PIPELINE, "f" * 12):
        found = find_duplicates(store, embedding_version)
        assert (found.copies, found.versions) == ([], [])
