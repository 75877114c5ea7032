"""A library as an object: what it answers after a real index run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from muscall import Library, MusCALL
from muscall.errors import AudioError, MuscallError
from muscall.library.indexing.writer import writing
from muscall.library.search.examples import Example
from muscall.library.search.filters import FilterError
from muscall.library.store import NothingIndexed, Store

Sing = Callable[..., Path]


@pytest.fixture(scope="module")
def library(
    tagged_songs: Path, tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory
) -> Library:
    """What is in `tagged_songs`, and a file that is gone."""
    library = Library(tmp_path_factory.mktemp("library") / "library", tiny_model)
    gone = tmp_path_factory.mktemp("gone")
    shutil.copy(tagged_songs / "a.flac", gone / "same.flac")
    library.index([tagged_songs, gone], workers=1)
    (gone / "same.flac").unlink()
    return library


def test_a_sentence_finds_tracks(library: Library, tagged_songs: Path) -> None:
    hits = library.search("calm", n=3)
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert all(hit.path in set(tagged_songs.iterdir()) and hit.passage for hit in hits)
    relative = [hit.relative_score for hit in hits]
    assert relative[0] == 1
    assert relative == sorted(relative, reverse=True)
    assert library.search("calm", avoid=["drums"]) != library.search("calm")


def test_an_example_finds_others_and_not_itself(library: Library, tagged_songs: Path) -> None:
    path = tagged_songs / "c.flac"
    for example in (path, str(path), f"{path}@0:01-0:03", Example(path, 2, 4)):
        hits = library.similar(example)
        found = [hit.path for hit in hits] + [v.path for hit in hits for v in hit.versions]
        assert sorted(found) == sorted(set(tagged_songs.iterdir()) - {path})
        assert hits == library.search(like=[example])
    vector = library.embedding(path)
    scores = {hit.path: hit.score for hit in library.similar(path)}
    for other, score in scores.items():
        assert score == pytest.approx(float(vector @ library.embedding(other)), abs=1e-5)
    both = library.search(like=[path], unlike=[tagged_songs / "a.flac"])
    assert {hit.path.name for hit in both} <= {"b.flac", "d.flac"}


def test_it_walks_on_and_leads_from_one_to_another(library: Library, tagged_songs: Path) -> None:
    first, last = tagged_songs / "a.flac", tagged_songs / "c.flac"
    walk = library.walk(first, n=9)
    paths = [hit.path for hit in walk]
    assert paths
    assert first not in paths
    assert len(set(paths)) == len(paths)
    vectors = [library.embedding(path) for path in (first, *paths)]
    steps = [float(one @ other) for one, other in pairwise(vectors)]
    assert [hit.score for hit in walk] == pytest.approx(steps, abs=1e-5)
    path = library.path(f"{first}@0:01-0:02", last, n=3)
    assert [path[0].path, path[-1].path] == [first, last]


def test_one_folder_example_or_pattern_needs_no_list(
    library: Library, tagged_songs: Path, tiny_model: MusCALL, tmp_path: Path
) -> None:
    path = tagged_songs / "c.flac"
    for one in (path, str(path), f"{path}@0:01-0:03", Example(path, 2, 4)):
        hits = library.search(like=one)
        assert hits == library.search(like=[one])
        assert library.search("calm", unlike=one) == library.search("calm", unlike=[one])
    assert library.search("calm", avoid="drums") == library.search("calm", avoid=["drums"])
    other = Library(tmp_path / "library", tiny_model)
    for folder in (tagged_songs, str(tagged_songs)):
        assert other.index(folder, exclude="[ab].flac", workers=1, dry_run=True).added == 2
        next(other.changes(folder))
        assert dict(library.tags(folder)) == dict(library.tags([folder]))


def test_filters_go_with_examples_and_alone(library: Library, tagged_songs: Path) -> None:
    where = "duration < 2 and year = 1999"
    for hits in (
        library.search(where=where),
        library.similar(tagged_songs / "a.flac", where=where),
    ):
        assert [hit.path.name for hit in hits] == ["b.flac"]
    assert library.search(where="year > 1999") == []
    assert library.search("calm", where="year > 1999") == []


def test_a_slip_in_a_filter_is_told_before_a_model_is_loaded(library: Library) -> None:
    with pytest.raises(FilterError):
        Library(library.store.folder, "no/such/model").search("calm", where="yeer > 1")
    with pytest.raises(FilterError):
        Library(library.store.folder, "no/such/model").walk("a.flac", where="yeer > 1")


def test_so_are_files_folders_and_labels_that_are_not_there(
    library: Library, tagged_songs: Path, tmp_path: Path
) -> None:
    unloaded, none = Library(library.store.folder, "no/such/model"), tmp_path / "none"
    for ask, says in (
        (lambda: unloaded.similar(none), "none: no such file"),
        (lambda: unloaded.search("calm", like=[tagged_songs / "a.flac"], unlike=[none]), "none: "),
        (lambda: unloaded.walk(none), "none: no such file"),
        (lambda: unloaded.path(tagged_songs / "a.flac", none), "none: no such file"),
        (lambda: unloaded.embedding(f"{none}@0:10"), "none: no such file"),
        (lambda: unloaded.describe(none), "none: no such file"),
        (lambda: unloaded.describe(tagged_songs / "a.flac", labels=none), "none: no labels"),
        (lambda: list(unloaded.tags([none])), "none: no such file"),
        (lambda: list(unloaded.tags([tagged_songs], labels=none)), "none: no labels"),
        (lambda: unloaded.index([none]), "none: no such folder"),
    ):
        with pytest.raises(MuscallError, match=says):
            ask()


def test_where_labels_lie_is_remembered(
    library: Library, tagged_songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, song = tmp_path / "own.txt", tagged_songs / "a.flac"
    own.write_text("calm\nwild\n")
    before = [library.describe(song), library.describe(song, labels=own)]
    monkeypatch.setattr(MusCALL, "encode_text", None)
    again = Library(library.store.folder, library.model)
    assert [again.describe(song), again.describe(song, labels=own)] == before
    own.write_text("calm\nwilder\n")
    with pytest.raises(TypeError):
        again.describe(song, labels=own)


def test_a_track_is_described(library: Library, tagged_songs: Path, tmp_path: Path) -> None:
    labels = library.describe(tagged_songs / "a.flac", n=2)
    kinds = [label.kind for label in labels]
    assert kinds == ["genre"] * 2 + ["mood"] * 2 + ["instrument"] * 2 + ["sound"] * 2
    (tmp_path / "own.txt").write_text("calm\nwild\n")
    own = library.describe(f"{tagged_songs / 'a.flac'}@0-2", labels=tmp_path / "own.txt")
    assert {label.text for label in own} == {"calm", "wild"}
    assert own[0].strength > 0 > own[1].strength


def test_every_file_is_labelled(
    library: Library, tagged_songs: Path, sing: Sing, tmp_path: Path
) -> None:
    own = tmp_path / "own.txt"
    own.write_text("calm\nwild\nloud\n")
    (tmp_path / "bad.flac").write_text("no sound")
    new = sing(tmp_path / "new.flac", 9)
    seen: list[tuple[int, int]] = []
    found = dict(
        library.tags([tmp_path, tagged_songs], labels=own, progress=lambda *done: seen.append(done))
    )
    assert list(found) == [tmp_path / "bad.flac", new, *sorted(tagged_songs.iterdir())]
    assert isinstance(found.pop(tmp_path / "bad.flac"), AudioError)
    assert seen == [(done, 6) for done in range(1, 7)]
    for path, labels in found.items():
        assert not isinstance(labels, AudioError)
        expected = library.describe(path, labels=own)
        assert labels == [label for label in expected if label.strength > 0] != expected
    of_library = dict(library.tags(labels=own))
    assert {path.stem for path in of_library} == {*"abcd", "same"}
    assert of_library[tagged_songs / "a.flac"] == found[tagged_songs / "a.flac"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(MuscallError, match=f"no music in {empty}"):
        list(library.tags([empty], labels=own))


def test_tracks_are_exported(library: Library, tagged_songs: Path, tmp_path: Path) -> None:
    file = tmp_path / "tracks.parquet"
    assert library.export(file) == 4
    table = pq.read_table(file)
    assert table.schema.metadata[b"muscall.embedding_version"].decode() == library.embedding_version
    rows = {row["path"]: row for row in table.to_pylist()}
    assert set(rows) == {str(path) for path in tagged_songs.iterdir()}
    row = rows[str(tagged_songs / "b.flac")]
    assert (row["title"], row["year"], row["bpm"]) == ("Song b", 1999, None)
    assert row["duration"] == pytest.approx(1.2)
    np.testing.assert_array_equal(
        np.array(row["vector"], np.float32), library.embedding(tagged_songs / "b.flac")
    )
    with pytest.raises(MuscallError, match="cannot be written"):
        library.export(tmp_path / "none" / "tracks.parquet")


def test_copies_are_known_while_they_are_there(library: Library, tagged_songs: Path) -> None:
    found = library.duplicates()
    (copies,) = found.copies
    assert tagged_songs / "a.flac" in copies
    assert len(copies) == 2


def test_what_is_not_there_is_told(tmp_path: Path, tiny_model: MusCALL, music: Path) -> None:
    none = Library(tmp_path / "none", tiny_model)
    for ask in (
        lambda: none.search("calm"),
        lambda: none.similar(music / "0.wav"),
        none.duplicates,
        lambda: none.export(tmp_path / "file"),
    ):
        with pytest.raises(MuscallError, match=r"no library there; `muscall index` makes one"):
            ask()
    with pytest.raises(MuscallError, match="no library there"):
        Library(tmp_path, tiny_model).search("calm")
    with writing(Store(tmp_path / "other"), "0123456789ab", 16):
        pass  # what another model has heard
    empty = Library(tmp_path / "other", tiny_model)
    for ask in (lambda: empty.search("calm"), lambda: empty.export(tmp_path / "file")):
        with pytest.raises(NothingIndexed, match="muscall index FOLDER"):
            ask()
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
