"""Changes of folders are noticed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from muscall.library.indexing.watching import occasions


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
    monkeypatch.setattr("muscall.library.indexing.watching._LOOK_AGAIN", 1.0)
    seen = occasions([tmp_path], ignored=tmp_path / "library")
    started = time.monotonic()
    for _ in range(3):
        next(seen)
    assert time.monotonic() - started >= 2


def test_without_enough_watches_folders_are_looked_through_now_and_then(tmp_path: Path) -> None:
    (tmp_path / "music" / "deep" / "er").mkdir(parents=True)
    limited = ["unshare", "--user", "--map-root-user", "sh", "-c"]
    limit = "echo 1 > /proc/sys/user/max_inotify_watches"
    if not shutil.which("unshare") or subprocess.run([*limited, limit], check=False).returncode:
        pytest.skip("this system gives no user namespace, whose watches can be limited")
    code = (
        "import sys; from pathlib import Path; from muscall.library.indexing import watching\n"
        "watching._LOOK_AGAIN = 0.5\n"
        "seen = watching.occasions([Path(sys.argv[1])], ignored=Path('/none'))\n"
        "for _ in range(3): next(seen); print('look', flush=True)\n"
    )
    script = f'{limit}; exec {sys.executable} -c "$1" "$2"'
    done = subprocess.run(
        [*limited, script, "sh", code, tmp_path / "music"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout == "look\n" * 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("changes are not noticed, but looked for every ")
    assert "OS file watch limit reached" in line
    assert "sysctl fs.inotify.max_user_watches=" in line
