"""An index run beside the server can be paused and gone on with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from muscall.library.indexing.run import Progress
from muscall.library.indexing.writer import writing
from muscall.library.store import Store
from muscall.serving.indexing import Indexing


def wait(reached: Callable[[], object]) -> None:
    until = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_pause_keeps_what_is_done(fresh, sing, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(30):
        sing(fresh.folder / f"{seed}.flac", 300 + seed)
    indexing: Indexing = fresh.service.indexing
    indexing.resume()
    indexing.pause()
    assert indexing.state == "idle"  # there is nothing to pause or go on with
    begun, paused, listen = threading.Event(), threading.Event(), fresh.service.library.index

    def index(folders, *, progress, stopped):
        def show(now) -> None:
            progress(now)
            if now.done >= 2:  # waits for the pause, as this run is over in no time
                begun.set()
                assert paused.wait(120)

        return listen(folders, progress=show, stopped=stopped)

    with monkeypatch.context() as patched:
        patched.setattr(fresh.service.library, "index", index)
        indexing.start()
        indexing.start()
        assert begun.wait(120)
        indexing.pause()
        paused.set()
        progress = indexing.progress
        assert (indexing.state, progress.total) == ("paused", 30)
        assert progress.speed > 0
        assert progress.left is None  # nobody can tell yet
        indexing.close()
    kept = len(fresh.service.library.store.files())
    assert 3 + 2 <= kept < 3 + 30
    assert indexing.report is None
    bars = []
    with monkeypatch.context() as patched:
        patched.setattr(
            fresh.service.library,
            "index",
            lambda folders, *, progress, stopped: listen(
                folders,
                progress=lambda now: (progress(now), bars.append(indexing.progress)),
                stopped=stopped,
            ),
        )
        indexing.resume()
        wait(lambda: indexing.state == "idle")
    # The bar goes on from where it was.
    done = [bar.done for bar in [progress, *bars]]
    assert done == sorted(done)
    assert bars[0].done >= progress.done >= 2
    assert bars[0].total >= 30
    assert (indexing.progress, indexing.error) == (None, None)
    assert indexing.report == f"{33 - kept} added, {kept} unchanged"


def test_a_run_that_cannot_be_says_why(fresh) -> None:
    indexing: Indexing = fresh.service.indexing
    store: Store = fresh.service.library.store
    with writing(store, fresh.service.library.embedding_version, 16):
        indexing.start()
        wait(lambda: indexing.state == "idle")
    assert "another index run is at work" in indexing.error
    indexing.start([fresh.folder / "missing"])
    wait(lambda: indexing.state == "idle")
    assert indexing.error == f"{fresh.folder}/missing: no such folder"
    indexing.start()
    wait(lambda: indexing.state == "idle")
    assert (indexing.error, indexing.report) == (None, "0 added, 3 unchanged")


def test_folders_come_one_after_another_and_go(fresh, sing) -> None:
    indexing: Indexing = fresh.service.indexing
    store: Store = fresh.service.library.store
    others = [fresh.folder.parent / name for name in ("one", "two")]
    for seed, folder in enumerate(others):
        folder.mkdir()
        for number in range(3):
            sing(folder / f"{number}.flac", 400 + 10 * seed + number)
    indexing.start(others[:1])
    indexing.start(others)
    indexing.start(others)
    assert indexing.waiting == tuple(others)
    wait(lambda: indexing.state == "idle")
    assert indexing.report == "3 added, 3 unchanged"
    assert fresh.service.status().counts == {fresh.folder: 3, others[0]: 3, others[1]: 3}
    assert indexing.remove(others[0], keep_tracks=True) == (0, 0)
    assert str(others[0]) not in store.roots()
    assert len(store.files()) == 9
    indexing.start()
    indexing.start(others[:1])
    assert indexing.remove(others[1], keep_tracks=False) == (3, 3)
    wait(lambda: indexing.state == "idle")
    assert (len(store.files()), indexing.error) == (6, None)
    for folder in (fresh.folder, others[0]):
        indexing.remove(folder, keep_tracks=False)
    assert (store.roots(), indexing.state, indexing.progress) == ({}, "idle", None)


def test_what_waits_is_read_where_the_first_folder_was_wrong(fresh, sing) -> None:
    indexing: Indexing = fresh.service.indexing
    right = fresh.folder.parent / "right"
    right.mkdir()
    sing(right / "song.flac", 500)
    for seed in range(9):
        sing(fresh.folder / f"{seed}.flac", 510 + seed)
    indexing.start([fresh.folder])
    indexing.start([right])
    indexing.remove(fresh.folder, keep_tracks=False)
    wait(lambda: indexing.state == "idle")
    assert (indexing.waiting, fresh.service.status().counts) == ((), {right: 1})


def test_the_time_left_is_steady(fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of equal files, whatever time passes until the first of them is heard."""
    clock, left = [0.0], []
    indexing: Indexing = fresh.service.indexing
    monkeypatch.setattr(
        "muscall.serving.indexing.time", SimpleNamespace(monotonic=lambda: clock[0])
    )

    def index(_, *, progress, **__) -> str:
        for done in range(101):
            clock[0] += 2.0 if done else 60.0
            progress(Progress(done, 100, 180.0 * done))
            left.append((indexing.progress.left, 2.0 * (100 - done)))
        return "done"

    monkeypatch.setattr(fresh.service.library, "index", index)
    indexing.start()
    wait(lambda: indexing.state == "idle")
    told = [(told, true) for told, true in left if told is not None]
    assert len(told) > 95
    assert all(abs(told - true) < 1e-6 for told, true in told)
