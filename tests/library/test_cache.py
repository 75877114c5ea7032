"""What can be made again is made once, and takes so much room at most."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from muscall.library.cache import Cache, NoRoom


@contextmanager
def full_disk(most: int) -> Iterator[None]:
    """No file can have more than `most` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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
    with pytest.raises(NoRoom, match="no room to work in: "):
        Cache(tmp_path / "file" / "cache", 100).get("a", Path.touch)


@pytest.mark.parametrize("most", [0, 100])
def test_a_full_disk_keeps_nothing_and_spoils_nothing(tmp_path: Path, most: int) -> None:
    cache, array = Cache(tmp_path, 1 << 20), np.arange(200, dtype=np.float32).reshape(100, 2)
    with full_disk(most):
        np.testing.assert_array_equal(cache.array("a", (100, 2), lambda: array), array)
        with pytest.raises(NoRoom, match="no room to work in: File too large"):
            cache.get("b", lambda path: path.write_bytes(bytes(200)))
    assert not list(tmp_path.iterdir())
    for make in (lambda: array, None):
        np.testing.assert_array_equal(cache.array("a", (100, 2), make), array)


@pytest.mark.parametrize("size", [0, 100, 1000])
def test_what_a_full_disk_once_left_is_made_anew(tmp_path: Path, size: int) -> None:
    (tmp_path / "a").write_bytes(bytes(size))
    array = np.arange(200, dtype=np.float32)
    cache = Cache(tmp_path, 1 << 20)
    np.testing.assert_array_equal(cache.array("a", (200,), lambda: array), array)
    (tmp_path / "b").touch()
    assert cache.get("b", lambda path: path.write_bytes(b"sound")).read_bytes() == b"sound"


def test_without_a_folder_to_work_in_arrays_are_made_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache = Cache(Path("/proc/no/such/place"), 100)
    for number in range(3):
        made = cache.array(str(number), (2,), lambda: np.ones(2, np.float32))
        assert made.tolist() == [1, 1]
    (record,) = caplog.records
    assert "no room to work in" in record.getMessage()


def test_an_array_that_a_full_disk_cut_off_is_made_anew(tmp_path: Path) -> None:
    cache, numbers = Cache(tmp_path, 1 << 20), np.arange(30, dtype=np.float32)
    for size in (None, 0, 100):
        if size is not None:
            os.truncate(tmp_path / "a", size)
        np.testing.assert_array_equal(cache.array("a", (30,), lambda: numbers), numbers)
