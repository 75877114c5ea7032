"""Changes of folders are noticed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from muscall.library.watching import occasions


def some(change: Callable[[], object], seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, change)
    timer.start()
    return timer


def test_changes_are_occasions_but_not_those_of_the_library(tmp_path: Path) -> None:
    music, library = tmp_path / "music", tmp_path / "music" / "library"
    library.mkdir(parents=True)
    seen = occasions([music, tmp_path / "missing"], ignored=library)
    next(seen)
    # While the caller is at work.
    (music / "a.mp3").touch()
    next(seen)
    some((library / "table").touch, 0.2)
    late = some((music / "a.mp3").unlink, 4)
    next(seen)
    assert late.finished.is_set()
    seen.close()


def test_after_some_time_it_is_an_occasion_anyway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muscall.library.watching._LOOK_AGAIN", 1.0)
    seen = occasions([tmp_path], ignored=tmp_path / "library")
    started = time.monotonic()
    for _ in range(3):
        next(seen)
    assert time.monotonic() - started >= 2
