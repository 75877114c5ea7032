"""An index follows its folders, whatever happens to their files."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import mutagen
import numpy as np
import pytest

from muscall import Library
from muscall.audio.waveform import measure
from muscall.errors import MuscallError
from muscall.library.indexing.report import Report
from muscall.library.indexing.run import Progress

Sing = Callable[..., Path]


def retag(path: Path, title: str) -> None:
    file = mutagen.File(path, easy=True)
    file["title"] = title
    file.save()


def test_a_first_run_listens_to_everything(library: Library, songs: Path) -> None:
    report = library.index([songs], workers=2)
    assert report == Report(added=4, seconds=pytest.approx(13.25))
    rows = library.tracks()
    assert set(rows) == {"a.flac", "b.flac", "c.flac", "d.flac"}
    expected = library.model.encode_audio([songs / name for name in rows])
    np.testing.assert_allclose([row["vector"] for row in rows.values()], expected, atol=1e-6)
    heard = library.windows()
    for row in rows.values():
        vectors = np.array([window["vector"] for window in heard[row["key"]]], np.float32)
        assert len(vectors) == row["windows"]
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=2e-3)
        mean = vectors.mean(axis=0)
        np.testing.assert_allclose(mean / np.linalg.norm(mean), row["vector"], atol=2e-3)
    places = {
        name: [(window["start"], pytest.approx(window["seconds"])) for window in heard[row["key"]]]
        for name, row in rows.items()
    }
    assert places == {
        "a.flac": [(0, 2), (1, 2)],  # the last window ends with the track
        "b.flac": [(0, 1.2)],  # repeated to fill a window
        "c.flac": [(0, 2), (2, 2), (3, 2)],
        "d.flac": [(0, 2), (2, 2)],  # 0.05 s at the end are too little
    }
    rate = library.model.config.audio.sample_rate
    for name, row in rows.items():
        assert row["waveform"] == measure(songs / name, rate)
        assert row["musical_key"] is None or row["musical_key"].endswith(("major", "minor"))
        assert -70 < row["loudness"] < 3
    row = rows["c.flac"]
    assert (row["title"], row["year"], row["bpm"]) == ("Song c", 1999, None)
    assert row["root"] == str(songs)
    assert row["words"] == "song c c"
    assert row["duration"] == 5


def test_a_second_run_reads_nothing(library: Library, songs: Path) -> None:
    library.index([songs], workers=1)
    before = library.tracks()
    seen: list[Progress] = []
    assert library.index(progress=seen.append) == Report(unchanged=4)
    assert [progress.total for progress in seen] == [0]
    assert library.tracks() == before


def test_moved_renamed_retagged_and_copied_files_are_known(library: Library, songs: Path) -> None:
    library.index([songs], workers=1)
    before = library.tracks()
    (songs / "below").mkdir()
    (songs / "a.flac").rename(songs / "below" / "new a.flac")
    retag(songs / "b.flac", "Another title")
    shutil.copyfile(songs / "c.flac", songs / "z.flac")
    report = library.index(workers=1)
    assert report == Report(moved=1, retagged=1, copies=1, unchanged=2)
    assert str(report) == "0 added, 1 moved, 1 copy, 1 retagged, 2 unchanged"
    after = library.tracks()
    assert set(after) == {"new a.flac", "b.flac", "c.flac", "d.flac"}
    moved, retagged = after["new a.flac"], after["b.flac"]
    assert moved["key"] == before["a.flac"]["key"]
    assert moved["vector"] == before["a.flac"]["vector"]
    assert moved["words"] == "song a below new a"
    assert retagged["title"] == "Another title"
    assert retagged["vector"] == before["b.flac"]["vector"]
    # Where the file itself goes, the track points to the copy.
    (songs / "c.flac").unlink()
    assert library.index() == Report(unchanged=4)
    assert library.tracks()["z.flac"]["key"] == before["c.flac"]["key"]
    assert library.tracks()["z.flac"]["words"] == "song c z"
    assert library.status().files == 4


def test_a_track_has_the_tags_of_the_file_that_it_points_to(library: Library, songs: Path) -> None:
    for name in ("a", "b"):
        shutil.copyfile(songs / f"{name}.flac", songs / f"z{name}.flac")
        retag(songs / f"z{name}.flac", f"Copy {name}")
    library.index([songs], workers=1)
    assert library.tracks()["a.flac"]["title"] == "Song a"
    (songs / "a.flac").unlink()
    (songs / "c.flac").rename(songs / "b.flac")
    report = library.index(workers=1)
    assert report == Report(moved=1, unchanged=3)
    titles = {name: row["title"] for name, row in library.tracks().items()}
    assert titles == {
        "za.flac": "Copy a", "zb.flac": "Copy b", "b.flac": "Song c", "d.flac": "Song d",
    }  # fmt: skip
    (songs / "b.flac").rename(songs / "x")
    (songs / "d.flac").rename(songs / "b.flac")
    (songs / "x").rename(songs / "d.flac")
    retag(songs / "b.flac", "New d")
    retag(songs / "d.flac", "New c")
    assert library.index(workers=1) == Report(moved=2, unchanged=2)
    titles = {name: row["title"] for name, row in library.tracks().items()}
    assert (titles["b.flac"], titles["d.flac"]) == ("New d", "New c")
    assert library.index() == Report(unchanged=4)


def test_swapped_and_replaced_files_end_right(library: Library, songs: Path, sing: Sing) -> None:
    library.index([songs], workers=1)
    before = library.tracks()
    (songs / "a.flac").rename(songs / "x")
    (songs / "b.flac").rename(songs / "a.flac")
    (songs / "x").rename(songs / "b.flac")
    sing(songs / "c.flac", 99, 2.5)
    report = library.index(workers=1)
    assert (report.moved, report.added, report.unchanged, report.offline) == (2, 1, 1, 0)
    after = library.tracks()
    assert set(after) == {"a.flac", "b.flac", "c.flac", "d.flac"}
    assert after["a.flac"]["key"] == before["b.flac"]["key"]
    assert after["b.flac"]["key"] == before["a.flac"]["key"]
    assert after["a.flac"]["title"] == "Song b"
    expected = library.model.encode_audio([songs / name for name in after])
    np.testing.assert_allclose([row["vector"] for row in after.values()], expected, atol=1e-6)
    # What was replaced is kept until it is pruned.
    assert len(library.all_tracks()) == 5
    assert library.index(prune=True) == Report(unchanged=4)
    assert len(library.all_tracks()) == 4
    assert library.windows().keys() == {row["key"] for row in after.values()}


def test_equal_files_are_listened_to_once(library: Library, songs: Path) -> None:
    for name in ("1.flac", "2.flac", "below/3.flac"):
        (songs / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(songs / "c.flac", songs / name)
    report = library.index([songs], workers=2)
    assert report == Report(added=4, copies=3, seconds=pytest.approx(13.25))
    assert len(library.tracks()) == 4
    for name in ("1.flac", "2.flac", "c.flac"):
        (songs / name).unlink()
    assert library.index() == Report(unchanged=4)
    assert set(library.tracks()) == {"a.flac", "b.flac", "3.flac", "d.flac"}


def test_what_is_gone_is_kept_offline_until_pruned(library: Library, songs: Path) -> None:
    library.index([songs], workers=1)
    vector = library.tracks()["a.flac"]["vector"]
    (songs / "a.flac").rename(songs.parent / "a.flac")
    assert library.index() == Report(unchanged=3, offline=1)
    assert set(library.tracks()) == {"b.flac", "c.flac", "d.flac"}
    assert library.status().offline == 1
    assert library.index() == Report(unchanged=3)
    (songs.parent / "a.flac").rename(songs / "a.flac")
    assert library.index() == Report(unchanged=4)
    assert library.tracks()["a.flac"]["vector"] == vector

    (songs / "a.flac").unlink()
    assert library.index(prune=True) == Report(unchanged=3, pruned=1)
    assert len(library.all_tracks()) == 3
    assert len(library.windows()) == 3
    assert library.status().files == 3


@pytest.mark.parametrize("empty", [False, True])
def test_a_folder_that_vanished_deletes_nothing(
    library: Library, songs: Path, sing: Sing, caplog: pytest.LogCaptureFixture, empty: bool
) -> None:
    other = sing(songs.parent / "other" / "e.flac", 7).parent
    library.index([songs, other], workers=1)
    away = songs.rename(songs.parent / "away")
    if empty:
        songs.mkdir()  # where a drive is mounted
    with caplog.at_level(logging.WARNING, "muscall"):
        assert library.index() == Report(unchanged=1, offline=4)
    assert caplog.messages == [f"{songs}: gone, 4 files offline"]
    assert set(library.tracks()) == {"e.flac"}
    assert len(library.all_tracks()) == 5
    shutil.rmtree(songs, ignore_errors=True)
    away.rename(songs)
    assert library.index() == Report(unchanged=5)
    assert len(library.tracks()) == 5

    shutil.rmtree(songs)
    assert library.index(prune=True) == Report(unchanged=1, pruned=4)
    assert len(library.all_tracks()) == 1
    assert set(library.status().roots) == {other}


def test_what_is_merely_out_of_reach_is_not_pruned(library: Library, songs: Path) -> None:
    library.index([songs], workers=1)
    away = songs.rename(songs.parent / "away")
    songs.symlink_to(songs)  # the system refuses to look there, as on a failing drive
    assert library.index(prune=True) == Report(offline=4)
    songs.unlink()
    away.rename(songs)
    assert library.index(prune=True) == Report(unchanged=4)


def test_a_copy_elsewhere_is_no_move_while_a_drive_is_away(
    library: Library, songs: Path, tmp_path: Path
) -> None:
    library.index([songs], workers=1)
    other = shutil.copytree(songs, tmp_path / "other")
    away = songs.rename(tmp_path / "away")
    report = library.index([other], workers=1)
    assert (report.added, report.moved + report.copies) == (0, 4)
    library.index()
    assert {Path(row["path"]).parent for row in library.tracks().values()} == {other}
    away.rename(songs)
    assert library.index() == Report(unchanged=8)
    assert library.status().files == 8


def test_tags_that_were_written_without_a_new_date_are_read(library: Library, songs: Path) -> None:
    library.index([songs], workers=1)
    before = (songs / "a.flac").stat()
    retag(songs / "a.flac", title="Song b")  # of the same length
    os.utime(songs / "a.flac", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (songs / "a.flac").stat().st_size == before.st_size
    assert library.index(workers=1) == Report(unchanged=4)
    assert library.tracks()["a.flac"]["title"] == "Song b"


@pytest.mark.parametrize(
    "shift", [-1_234_567_890, 3_600_000_000_000, -3_600_000_000_000, 34_200_000_000_000]
)
def test_times_that_a_drive_rounds_or_shifts_are_no_change(
    library: Library, songs: Path, shift: int
) -> None:
    even = 1_600_000_000_000_000_000
    for path in songs.iterdir():
        os.utime(path, ns=(even, even - shift if abs(shift) < 2e9 else even))
    library.index([songs], workers=1)
    for path in songs.iterdir():
        os.utime(path, ns=(even, even if abs(shift) < 2e9 else even + shift))
    assert library.index(workers=1) == Report(unchanged=4)
    os.utime(songs / "a.flac", ns=(even, even + 7_000_000_000_000))
    assert library.index(workers=1) == Report(retagged=1, unchanged=3)


def test_a_folder_that_is_mounted_elsewhere_is_not_read_again(
    library: Library, songs: Path, tmp_path: Path
) -> None:
    library.index([songs], workers=1)
    before = library.windows()
    new = songs.rename(tmp_path / "new")
    songs.mkdir()  # where a drive is not mounted, an empty folder is left
    assert library.index([new], dry_run=True) == Report(moved=4)
    assert library.index([new], workers=1) == Report(moved=4)
    assert {Path(row["path"]).parent for row in library.tracks().values()} == {new}
    assert library.windows() == before
    assert list(library.status().roots) == [new]
    assert library.index(workers=1) == Report(unchanged=4)
    assert {row.root for row in library.store.files().values()} == {str(new)}


def test_links_are_one_track_and_roots_may_overlap(
    library: Library, songs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (songs / "inner").mkdir()
    (songs / "a.flac").rename(songs / "inner" / "a.flac")
    (songs / "link.flac").symlink_to("b.flac")
    os.link(songs / "c.flac", songs / "hard.flac")
    (songs.parent / "same").symlink_to(songs)
    roots = [songs, songs / "inner", songs.parent / "same"]
    assert library.index(roots, workers=1).added == 4
    assert sorted(library.tracks()) == ["a.flac", "b.flac", "c.flac", "d.flac"]
    assert library.duplicates().copies == []
    assert [line for line in caplog.messages if "read once" in line] != []
    assert library.index(workers=1) == Report(unchanged=4)
    assert library.store.files()[str(songs / "inner" / "a.flac")].root == str(songs / "inner")


def test_what_is_left_out_is_counted_and_can_be_taken_in(library: Library, songs: Path) -> None:
    (songs / "#recycle").mkdir()
    (songs / "a.flac").rename(songs / "#recycle" / "a.flac")
    report = library.index([songs], workers=1)
    assert str(report) == "3 added, 0 unchanged, 1 left out (#recycle: --include NAME)"
    again = library.index(workers=1)
    assert (again.left_out, again.is_news) == (["#recycle"], False)
    assert library.index([songs], exclude=["!#recycle"], workers=1).added == 1
    assert str(library.index(workers=1)) == "0 added, 4 unchanged"


def test_a_folder_is_forgotten_and_not_touched(library: Library, songs: Path) -> None:
    (songs / "inner").mkdir()
    (songs / "a.flac").rename(songs / "inner" / "a.flac")
    shutil.copy(songs / "b.flac", songs / "inner" / "b.flac")
    retag(songs / "b.flac", title="Outer")
    library.index([songs], workers=1)
    with pytest.raises(MuscallError, match="not in the library; `muscall status` lists"):
        library.forget(songs.parent / "other")
    with pytest.raises(MuscallError, match="not in the library"):
        library.forget(songs / "inn")
    before = sorted(path.stat().st_mtime_ns for path in songs.rglob("*"))
    assert library.forget(songs / "inner") == (2, 1)
    assert sorted(library.tracks()) == ["b.flac", "c.flac", "d.flac"]
    assert library.tracks()["b.flac"]["path"] == str(songs / "b.flac")
    assert library.windows().keys() == {row["key"] for row in library.all_tracks()}
    library.index([songs], exclude=["inner"], workers=1)
    assert library.tracks()["b.flac"]["title"] == "Outer"
    assert library.forget(songs) == (3, 3)
    assert (library.all_tracks(), library.store.files(), library.store.roots()) == ([], {}, {})
    assert sorted(path.stat().st_mtime_ns for path in songs.rglob("*")) == before


def test_names_are_found_from_the_first_commit_on(
    library: Library, songs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muscall.library.indexing.run._COMMIT_TRACKS", 1)
    monkeypatch.setattr("muscall.library.indexing.run._COMMIT_SECONDS", 0.0)
    stopped = threading.Event()

    def look(progress: Progress) -> None:
        if progress.done > 2:
            stopped.set()

    library.index([songs], workers=1, progress=look, stopped=stopped)
    assert library.all_tracks()
    assert all(hit.keyword_match for hit in library.search("song"))
