"""Large libraries have an index over their vectors; what is found is what an exact scan finds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from lancedb.table import Table

from muscall import MusCALL
from muscall.library.indexing.batch import Batch, Track
from muscall.library.indexing.writer import writing
from muscall.library.search.ann import INDEXED_FROM, nearest
from muscall.library.search.examples import Sound
from muscall.library.search.finder import Finder
from muscall.library.search.query import SearchQuery
from muscall.library.store import Store

PIPELINE, DIM, COUNT, N = "0123456789ab", 16, 2000, 20


def drawn(count: int, seed: int) -> np.ndarray:
    """(count, DIM) unit vectors in forty clusters that overlap."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(40, DIM))
    vectors = centres[generator.integers(40, size=count)] + generator.normal(size=(count, DIM)) / 2
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


VECTORS = drawn(2 * COUNT, 1)


def track(number: int, vector: np.ndarray, offline: bool) -> Track:
    row = {
        "key": f"{number:040x}", "path": f"/music/{number}.flac", "root": "/music", "title": "",
        "artist": "", "album": "", "genre": "", "year": 1000 + number % 1000, "bpm": None,
        "duration": 2.0, "offline": offline, "added": datetime.now(UTC), "windows": 1,
        "vector": vector,
    }  # fmt: skip
    return Track(row, [(0.0, 2.0, vector)])


def write(store: Store, first: int, last: int) -> None:
    with writing(store, PIPELINE, DIM) as writer:
        for start in range(first, last, 500):
            numbers = range(start, min(start + 500, last))
            writer.commit(Batch(tracks=[track(n, VECTORS[n], n % 50 == 0) for n in numbers]))
        writer.finish()


@pytest.fixture
def store(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr("muscall.library.search.ann.INDEXED_FROM", 300)
    monkeypatch.setattr("muscall.library.search.ann._LEAST", 200)
    return Store(tmp_path / "library")


def tracks(store: Store) -> Table:
    table = store.tracks(PIPELINE)
    assert table is not None
    return table


def unindexed(store: Store) -> list[int | None]:
    """Rows that each index over vectors lacks."""
    indices = tracks(store).list_indices()
    return [index.num_unindexed_rows for index in indices if index.columns == ["vector"]]


def recall(finder: Finder, count: int, fits: Callable[[int], bool], where: str = "") -> float:
    """The share of the N nearest of `count` tracks that is found; as many are as exist."""
    numbers = np.array([n for n in range(count) if fits(n) and n % 50])
    shares = []
    for query in drawn(30, 2):
        exact = set(numbers[np.argsort(-(VECTORS[numbers] @ query))[:N]].tolist())
        hits = finder.find(SearchQuery(where=where, n=N), [Sound("", query)])
        found = {int(hit.key, 16) for top in hits for hit in (top, *top.versions)}
        assert len(found) >= len(exact)
        shares.append(len(found & exact) / len(exact))
    return float(np.mean(shares))


def test_what_is_found_is_what_an_exact_scan_finds(store: Store, tiny_model: MusCALL) -> None:
    write(store, 0, COUNT)
    assert unindexed(store) == [0]
    finder = Finder(store, PIPELINE, tiny_model)
    assert recall(finder, COUNT, lambda _: True) >= 0.99
    for share in (500, 100, 26, 10, 2):
        where = f"year < {1000 + share}"
        assert recall(finder, COUNT, lambda n, share=share: n % 1000 < share, where) >= 0.99


@pytest.mark.parametrize("offline", [0, 0.02, 0.5, 0.99])
def test_the_first_answer_is_as_good_as_the_last(
    tmp_path, tiny_model: MusCALL, monkeypatch: pytest.MonkeyPatch, offline: float
) -> None:
    monkeypatch.setattr("muscall.library.indexing.writer._SCANNED", 0)
    generator = np.random.default_rng(3)
    vectors = generator.normal(size=(12_000, DIM)).astype(np.float32)  # nothing is alike
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    gone = generator.random(len(vectors)) < offline
    first = [track(n, vectors[n], bool(gone[n])) for n in range(len(vectors))]
    store = Store(tmp_path / "library")
    finder = Finder(store, PIPELINE, tiny_model)
    there = np.flatnonzero(~gone)
    for new in (first, [track(len(vectors), -vectors[0], False)]):
        with writing(store, PIPELINE, DIM) as writer:
            writer.commit(Batch(tracks=new))
            writer.finish()
        for query in drawn(10, 4):
            exact = there[np.argsort(-(vectors[there] @ query))[:N]]
            hits = finder.find(SearchQuery(n=N), [Sound("", query)])
            found = {int(hit.key, 16) for top in hits for hit in (top, *top.versions)}
            assert len(found & set(exact.tolist())) >= N - 1, query


def test_as_many_are_found_as_are_asked_for(store: Store, tiny_model: MusCALL) -> None:
    write(store, 0, COUNT)
    there = COUNT - COUNT // 50
    for n in (there // 10, there):
        hits = Finder(store, PIPELINE, tiny_model).find(SearchQuery(n=n), [Sound("", VECTORS[7])])
        assert sum(1 + len(hit.versions) for hit in hits) >= n


def test_later_tracks_are_found_before_and_after_the_index_has_them(
    store: Store, tiny_model: MusCALL, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, 0, COUNT)
    write(store, COUNT, COUNT + 100)
    finder = Finder(store, PIPELINE, tiny_model)
    assert unindexed(store) == [100]
    # A third of these are new.
    assert recall(finder, COUNT + 100, lambda n: n % 1000 < 100, "year < 1100") >= 0.99
    monkeypatch.setattr("muscall.library.indexing.writer._SCANNED", 50)
    write(store, COUNT + 100, COUNT + 101)
    assert unindexed(store) == [0]
    assert recall(finder, COUNT + 101, lambda n: n % 1000 < 101, "year < 1101") >= 0.99


def test_the_index_grows_with_the_library(store: Store, tiny_model: MusCALL) -> None:
    write(store, 0, 400)
    names = [index.name for index in tracks(store).list_indices()]
    assert "vector_20" in names
    write(store, 400, COUNT)
    names = [index.name for index in tracks(store).list_indices()]
    assert [name for name in names if name.startswith("vector")] == ["vector_45"]
    assert recall(Finder(store, PIPELINE, tiny_model), COUNT, lambda _: True) >= 0.99


def test_the_index_stays_in_partitions(store: Store) -> None:
    write(store, 0, COUNT)
    table = tracks(store)

    def partitions() -> int:
        (index,) = table.to_lance().stats.index_stats("vector_45")["indices"]
        return int(index["num_partitions"])

    assert partitions() == pytest.approx(45, abs=2)
    for _ in range(3):
        table.optimize()
    assert partitions() > 30  # the smallest may be put together


def test_a_small_library_is_looked_through(tmp_path) -> None:
    store = Store(tmp_path / "library")
    write(store, 0, 100)
    assert INDEXED_FROM > 100
    assert unindexed(store) == []
    rows = nearest(tracks(store), VECTORS[7], 1, 100, filtered=False).limit(1).to_list()
    assert rows[0]["key"] == f"{7:040x}"
