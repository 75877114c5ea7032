"""Runs meet broken files, other runs, readers and interruptions."""

from __future__ import annotations

import copy
import logging
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile
import torch

from muscall import Library, MusCALL
from muscall.errors import MuscallError
from muscall.library.embedding_version import embedding_version_of
from muscall.library.indexing.report import Report
from muscall.library.indexing.writer import writing
from muscall.library.store import Store

Sing = Callable[..., Path]


def retag(path: Path, title: str) -> None:
    file = mutagen.File(path, easy=True)
    file["title"] = title
    file.save()


def test_broken_files_are_listed_and_left_alone_until_they_change(
    library: Library, songs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flac = (songs / "c.flac").read_bytes()
    (songs / "empty.mp3").touch()
    (songs / "text.mp3").write_text("this is no music")
    (songs / "copy of text.wav").write_text("this is no music")
    (songs / "head.flac").write_bytes(flac[:60])
    (songs / "zeros.ogg").write_bytes(bytes(5000))
    (songs / "gone.mp3").symlink_to("nowhere")
    (songs / "tags.mp3").write_bytes(b"ID3\x04\x00\x00\x00\x00\x00\x7f" + bytes(127))
    os.mkfifo(songs / "pipe.wav")
    soundfile.write(songs / "nan.wav", np.full(16000, np.nan), 16000, subtype="FLOAT")
    (songs / "folder.mp3").mkdir()
    broken = 9
    with caplog.at_level(logging.WARNING, "muscall"):
        report = library.index([songs], workers=2)
    assert (report.added, report.failed) == (4, broken)
    errors = library.errors()
    assert [path.name for path, _ in errors] == sorted(path.name for path, _ in errors)
    assert sorted(caplog.messages) == sorted(f"{path}: {reason}" for path, reason in errors)
    reasons = {path.name: reason for path, reason in errors}
    assert reasons["empty.mp3"] == "empty file"
    assert reasons["pipe.wav"] == "is not a regular file"
    assert reasons["nan.wav"] == "contains NaN or infinite samples"
    assert "no such file" in reasons["gone.mp3"]
    assert reasons["copy of text.wav"] == reasons["text.mp3"]
    assert library.status().failed == broken

    assert library.index() == Report(unchanged=4 + broken)
    (songs / "empty.mp3").write_bytes((songs / "a.flac").read_bytes())
    (songs / "zeros.ogg").unlink()
    assert library.index(workers=1) == Report(copies=1, unchanged=2 + broken)
    assert len(library.errors()) == broken - 2
    (songs / "c.flac").write_bytes(b"broken now")
    report = library.index(workers=1, retry_failed=True)
    assert report == Report(unchanged=4, failed=broken - 1)
    assert "c.flac" not in library.tracks()


def test_a_damaged_file_is_used_as_far_as_it_goes(
    library: Library, songs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = songs / "c.flac"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with caplog.at_level(logging.WARNING, "muscall"):
        report = library.index([songs], workers=1)
    assert (report.added, report.failed) == (4, 0)
    (message,) = caplog.messages
    assert message.startswith(f"{path}: decoded only ")
    expected = library.model.encode_audio([path])[0]
    np.testing.assert_allclose(library.tracks()["c.flac"]["vector"], expected, atol=1e-6)


def test_odd_names(library: Library, songs: Path, sing: Sing) -> None:
    names = [b"new\nline.flac", b"\xff\xfe.flac", "🎵 'quoted'.flac".encode(), b"%ff.flac"]
    for seed, name in enumerate(names, start=50):
        sing(songs.parent / "good.flac", seed).rename(songs / os.fsdecode(name))
    (songs / os.fsdecode(b"\xff broken.mp3")).write_text("no")
    report = library.index([songs], workers=1)
    assert (report.added, report.failed) == (8, 1)
    assert {os.fsencode(name) for name in library.tracks()} >= set(names)
    ((path, _),) = library.errors()
    assert path.exists()
    assert library.index() == Report(unchanged=9)
    for name in names:
        (songs / os.fsdecode(name)).unlink()
    assert library.index(prune=True) == Report(unchanged=5, pruned=4)


def test_excluded_files_are_remembered(library: Library, songs: Path) -> None:
    assert library.index([songs], exclude=["[ab]*"], workers=1).added == 2
    assert library.index() == Report(unchanged=2)
    assert library.index([songs]) == Report(unchanged=2)
    assert library.index([songs], exclude=["a*"], workers=1).added == 1
    assert library.index([songs], exclude=["d*", "a*"]) == Report(unchanged=2, offline=1)
    assert library.index([songs], exclude=[""], workers=1).added == 1
    assert len(library.tracks()) == 4


def test_a_dry_run_changes_nothing(library: Library, songs: Path, sing: Sing) -> None:
    assert library.index([songs], workers=1, dry_run=True) == Report(added=4)
    assert not library.store.folder.exists()
    library.index([songs], workers=1)
    (songs / "a.flac").rename(songs / "e.flac")
    (songs / "b.flac").unlink()
    sing(songs / "f.flac", 60)
    before = library.all_tracks(), library.store.files(), library.store.roots()
    planned = library.index(workers=1, prune=True, dry_run=True)
    assert planned == Report(added=1, moved=1, unchanged=2, pruned=1)
    assert (library.all_tracks(), library.store.files(), library.store.roots()) == before
    done = library.index(workers=1, prune=True)
    assert (done.added, done.moved, done.pruned) == (1, 1, 1)


def test_two_models_do_not_mix(library: Library, songs: Path, tiny_model: MusCALL) -> None:
    model = copy.deepcopy(tiny_model)
    model.audio_projection.weight.data.neg_()
    other = type(library)(library.store.folder, model)
    library.index([songs], workers=1)
    before = library.tracks()
    assert other.index(workers=1).added == 4
    assert library.tracks() == before
    assert {name: row["key"] for name, row in other.tracks().items()} == {
        name: row["key"] for name, row in before.items()
    }
    np.testing.assert_allclose(
        [row["vector"] for row in other.tracks().values()],
        model.encode_audio([songs / name for name in other.tracks()]),
        atol=1e-6,
    )
    assert len(library.status().embedding_versions) == 2
    # What one run finds out about files holds for the tracks of all models.
    (songs / "a.flac").rename(songs / "z.flac")
    retag(songs / "b.flac", "New")
    other.index(workers=1)
    for each in (library, other):
        assert each.tracks()["z.flac"]["key"] == before["a.flac"]["key"]
        assert each.tracks()["b.flac"]["title"] == "New"
    assert library.index() == Report(unchanged=4)


def test_tags_that_another_model_has_read_are_known_to_all(
    library: Library, songs: Path, tiny_model: MusCALL
) -> None:
    model = copy.deepcopy(tiny_model)
    model.audio_projection.weight.data.neg_()
    library.index([songs], workers=1)
    retag(songs / "a.flac", "New")
    type(library)(library.store.folder, model).index(workers=1)
    assert library.tracks()["a.flac"]["title"] == "New"
    assert library.index() == Report(unchanged=4)


def test_everything_that_changes_vectors_changes_the_embedding_version(tiny_model: MusCALL) -> None:
    models = [copy.deepcopy(tiny_model) for _ in range(5)]
    models[1].audio_projection.weight.data[0, 0] += 1e-3
    models[2].text_projection.weight.data[0, 0] += 1e-3
    models[3].audio.backbone.bn1.running_mean.add_(1)
    models[4].config = models[4].config.model_copy(update={"temperature": 0.5})
    models[4].precision = torch.float32  # libraries move between devices
    same, *others, unused = map(embedding_version_of, models)
    assert same == unused == embedding_version_of(tiny_model)
    assert len({same, *others}) == 4
    assert len(same) == 12


def test_one_writer_at_a_time(library: Library, songs: Path) -> None:
    library.index([songs], workers=1)
    store = library.store
    with (
        writing(store, "0123456789ab", 16),
        pytest.raises(MuscallError, match="another index run is at work there"),
    ):
        library.index()
    assert library.index() == Report(unchanged=4)


def test_readers_see_whole_tracks_while_a_run_is_at_work(
    library: Library, songs: Path, sing: Sing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muscall.library.indexing.run._COMMIT_TRACKS", 1)
    for seed in range(10):
        sing(songs / f"{seed}.flac", 100 + seed, 2.5)
    embedding_version, done = library.embedding_version, threading.Event()
    counts, problems = [0], []

    def read() -> None:
        store = Store(library.store.folder)
        while not done.is_set():
            heard, parts = store.tracks(embedding_version), store.windows(embedding_version)
            if heard is None or parts is None:
                continue
            rows = heard.search().select(["key", "windows"]).to_list()
            keys = parts.search().select(["key"]).to_arrow()["key"].to_pylist()
            problems.extend(row for row in rows if keys.count(row["key"]) != row["windows"])
            counts.append(len(rows))

    reader = threading.Thread(target=read)
    reader.start()
    library.index([songs], workers=1)
    done.set()
    reader.join()
    assert not problems
    assert counts == sorted(counts)
    assert len(set(counts)) > 2


def test_an_interruption_commits_what_is_done(library: Library, songs: Path, sing: Sing) -> None:
    for seed in range(10):
        sing(songs / f"{seed}.flac", 200 + seed)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    reached = []

    def interrupt(progress: Any) -> None:
        if progress.done >= 3 and not reached:
            reached.append(progress.done)
            signal.raise_signal(signal.SIGINT)

    try:
        with pytest.raises(KeyboardInterrupt):
            library.index([songs], workers=1, progress=interrupt)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    kept = len(library.tracks())
    assert reached[0] <= kept < 14
    assert not [thread for thread in threading.enumerate() if thread.name == "decode"]
    report = library.index(workers=1)
    assert (report.added, report.unchanged) == (14 - kept, kept)
    assert len(library.tracks()) == 14


def test_another_thread_can_end_a_run(library: Library, songs: Path, sing: Sing) -> None:
    for seed in range(10):
        sing(songs / f"{seed}.flac", 250 + seed)
    stopped = threading.Event()

    def stop(progress: Any) -> None:
        if progress.done >= 3:
            stopped.set()

    report = library.index([songs], workers=1, progress=stop, stopped=stopped)
    kept = len(library.tracks())
    assert 3 <= kept == report.added < 14
    assert not [thread for thread in threading.enumerate() if thread.name == "decode"]
    report = library.index(workers=1)
    assert (report.added, report.unchanged) == (14 - kept, kept)


def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_run(
    library: Library,
    songs: Path,
    sing: Sing,
    children: Callable[[], list[int]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    # More windows than may wait to be taken: it is still being read when it is replaced.
    long = sing(songs / "0.flac", 300, 400)
    other = sing(songs.parent / "other.flac", 301, 1)

    def replace(_: Any) -> None:
        for pid in children() if other.exists() else ():
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                if descriptor.is_symlink() and descriptor.readlink() == long:
                    other.rename(long)

    with caplog.at_level(logging.WARNING, "muscall"):
        report = library.index([songs], workers=1, progress=replace)
    assert caplog.messages == [f"{long}: changed while it was read, left for the next run"]
    assert report == Report(added=4, seconds=pytest.approx(13.25))
    assert library.index(workers=1).added == 1
    expected = library.model.encode_audio([long])[0]
    np.testing.assert_allclose(library.tracks()["0.flac"]["vector"], expected, atol=1e-6)


def test_no_such_folder(library: Library, tmp_path: Path) -> None:
    with pytest.raises(MuscallError, match="no such folder"):
        library.index([tmp_path / "missing"])
    (tmp_path / "file").touch()
    with pytest.raises(MuscallError, match="no such folder"):
        library.index([tmp_path / "file"])
    with pytest.raises(MuscallError, match="no folder yet"):
        library.index()
    for ask in (library.status, library.errors):
        with pytest.raises(MuscallError, match="no library there"):
            ask()
    assert not library.store.folder.exists()


def test_a_library_that_cannot_be_written(songs: Path, tmp_path: Path, tiny_model: MusCALL) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MuscallError, match=r"file/library: cannot be written: Not a directory"):
        Library(tmp_path / "file" / "library", tiny_model).index([songs])
