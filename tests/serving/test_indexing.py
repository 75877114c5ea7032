"""An index run beside the server can be paused and gone on with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

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
        assert progress.left is not None
        indexing.close()
    kept = len(fresh.service.library.store.files())
    assert 3 + 2 <= kept < 3 + 30
    assert indexing.report is None
    indexing.resume()
    wait(lambda: indexing.state == "idle")
    assert (indexing.progress, indexing.error) == (None, None)
    assert indexing.report == f"{33 - kept} added, {kept} unchanged"


def test_a_run_that_cannot_be_says_why(fresh) -> None:
    indexing: Indexing = fresh.service.indexing
    store: Store = fresh.service.library.store
    with writing(store, fresh.service.library.pipeline, 16):
        indexing.start()
        wait(lambda: indexing.state == "idle")
    assert "another index run is at work" in indexing.error
    indexing.start([fresh.folder / "missing"])
    wait(lambda: indexing.state == "idle")
    assert indexing.error == f"{fresh.folder}/missing: no such folder"
    indexing.start()
    wait(lambda: indexing.state == "idle")
    assert (indexing.error, indexing.report) == (None, "0 added, 3 unchanged")
