"""What can be made again is made once, and takes so much room at most."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from muscall.errors import MuscallError
from muscall.serving.cache import Cache


def test_a_file_is_made_once_for_all_who_ask(tmp_path: Path) -> None:
    cache, made, got = Cache(tmp_path / "cache", 100), [], []

    def make(path: Path) -> None:
        made.append(path)
        time.sleep(0.1)
        path.write_bytes(b"x")

    asking = [threading.Thread(target=lambda: got.append(cache.get("a", make))) for _ in range(5)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert len(made) == 1
    assert {path.read_bytes() for path in got} == {b"x"}
    assert Cache(tmp_path / "cache", 100).get("a", make) == tmp_path / "cache" / "a"
    assert len(made) == 1


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 100)
    for number, name in enumerate("abc"):
        path = cache.get(name, lambda path: path.write_bytes(bytes(30)))
        os.utime(path, (number, number))
    cache.get("a", lambda path: path.unlink())  # it is used, not made
    cache.get("d", lambda path: path.write_bytes(bytes(50)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "d"]
    cache.get("large", lambda path: path.write_bytes(bytes(400)))
    assert [path.name for path in tmp_path.iterdir()] == ["large"]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Cache(tmp_path, 100).get("a", fail)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(MuscallError, match="no room to work in: "):
        Cache(tmp_path / "file" / "cache", 100).get("a", Path.touch)
