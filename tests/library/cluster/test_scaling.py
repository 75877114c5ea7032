"""A library is the same, whether one machine makes it or three."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from muscall import Library
from muscall.errors import MuscallError
from muscall.library.indexing import run as indexing
from muscall.library.indexing.batch import Batch, Track, windows_table
from muscall.library.indexing.report import Report
from muscall.library.indexing.run import Progress
from muscall.library.indexing.writer import writing
from muscall.library.store import Store

Sing = Callable[..., Path]

# In a process of its own, because Ray forks. The head only coordinates, as on a large cluster; one
# of the two others pretends to have a GPU.
CLUSTER = """
import sys
from ray.cluster_utils import Cluster

node = {"object_store_memory": 100 * 2**20, "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args={**node, "num_cpus": 0})
for gpus in (0, 1):
    cluster.add_node(num_cpus=1, num_gpus=gpus, **node)
cluster.wait_for_nodes()
print(cluster.address, flush=True)
sys.stdin.read()
cluster.shutdown()
"""

RUN = """
import os, sys
import muscall
from muscall.library.indexing import run as indexing
from muscall.library import library

songs, folder, checkpoint, address = sys.argv[1:]
indexing._COMMIT_SECONDS = 0
def tell(progress):
    print(progress.done, flush=True)
library.Library(folder, muscall.load(checkpoint)).index(
    [songs], engine="ray", ray_address=address, progress=tell
)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Of a cluster of three nodes on this machine."""
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        text=True,
    ) as process:
        assert process.stdout is not None
        found = process.stdout.readline().strip()
        if not found:
            _, told = process.communicate()
            pytest.skip(f"Ray cannot be started here: {told.strip().splitlines()[-1]}")
        yield found
        process.communicate()


@pytest.fixture(scope="module")
def address(cluster: str) -> Iterator[str]:
    """Of the same cluster. This process stays connected, which saves each run some seconds."""
    from muscall.library.cluster.scaling import connected

    with connected(cluster):
        yield cluster


@pytest.fixture
def many_songs(songs: Path, sing: Sing) -> Path:
    """Fourteen files: three cannot be read, one is damaged, two are equal."""
    for seed in range(5):
        sing(songs / "more" / f"{seed}.flac", 300 + seed, 1 + seed)
    shutil.copyfile(songs / "c.flac", songs / "more" / "copy.flac")
    (songs / "text.mp3").write_bytes(b"no")
    (songs / "empty.wav").touch()
    (songs / "gone.mp3").symlink_to("nowhere")
    damaged = sing(songs / "damaged.wav", 9, 4)
    damaged.write_bytes(damaged.read_bytes()[:90_000])
    return songs


def assert_same(library: Any, other: Any) -> None:
    assert library.store.files() == other.store.files()
    tracks, others = ({row["key"]: row for row in one.all_tracks()} for one in (library, other))
    assert tracks.keys() == others.keys()
    for key, row in others.items():
        np.testing.assert_allclose(tracks[key].pop("vector"), row.pop("vector"), atol=1e-5)
        del tracks[key]["added"], row["added"]
    # Whichever of two equal files was read first is the one that the track points to.
    copies = [key for key, row in others.items() if row["path"] != tracks[key]["path"]]
    assert all(Path(others[key]["path"]).name in ("c.flac", "copy.flac") for key in copies)
    same = [key for key in others if key not in copies]
    assert [tracks[key] for key in same] == [others[key] for key in same]
    heard, expected = library.windows(), other.windows()
    assert heard.keys() == expected.keys()
    for key, windows in expected.items():
        assert len(heard[key]) == len(windows)
        for window, right in zip(heard[key], windows, strict=True):
            np.testing.assert_allclose(window.pop("vector"), right.pop("vector"), atol=1e-5)
            assert window == right


def test_a_cluster_that_is_not_there_is_one_line(library: Any, songs: Path) -> None:
    # The first test, as this process is connected from the second on.
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    with pytest.raises(MuscallError) as caught:
        library.index([songs], engine="ray", ray_address="127.0.0.1:1")
    assert str(caught.value) == "ray 127.0.0.1:1: [Errno 111] Connection refused"
    assert library.store.files() == {}


def test_three_nodes_make_the_library_of_one_machine(
    library: Any, many_songs: Path, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    alone = type(library)(library.store.folder.parent / "alone", library.model)
    with caplog.at_level(logging.WARNING, "muscall"):
        expected = alone.index([many_songs], workers=2)
        told = sorted(caplog.messages)
        caplog.clear()
        assert library.index([many_songs], engine="ray", ray_address=address) == expected
    assert (expected.added, expected.copies, expected.failed) == (10, 1, 3)
    assert sorted(caplog.messages) == told
    assert_same(library, alone)

    again = library.index(engine="ray", ray_address=address)
    assert again == Report(unchanged=14)
    # What is known by its sound is not listened to again, wherever it is.
    (many_songs / "a.flac").rename(many_songs / "z.flac")
    assert library.index(engine="ray", ray_address=address) == Report(moved=1, unchanged=13)
    assert len(library.all_tracks()) == 10


def test_a_dry_run_on_a_cluster_writes_nothing(
    library: Any, many_songs: Path, address: str
) -> None:
    report = library.index([many_songs], engine="ray", ray_address=address, workers=1, dry_run=True)
    assert report == library.index([many_songs], dry_run=True)
    assert not library.store.exists()


def test_a_killed_run_is_taken_up(
    library: Any, many_songs: Path, address: str, tiny_checkpoint: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUN, many_songs, library.store.folder, tiny_checkpoint, address],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stdout is not None
        while run.stdout.readline() not in ("4\n", "5\n", "6\n", "7\n", ""):
            pass
        run.kill()
    done = library.store.files()
    assert 0 < len(done) < 14
    report = library.index([many_songs], engine="ray", ray_address=address)
    assert report.unchanged == len(done)
    assert report.added + report.copies + report.failed == 14 - len(done)
    alone = type(library)(library.store.folder.parent / "alone", library.model)
    alone.index([many_songs], workers=2)
    assert_same(library, alone)


def test_a_listener_that_dies_loses_nothing(
    library: Any, many_songs: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_COMMIT_SECONDS", 0)
    killed = set()

    def kill(progress: Progress) -> None:
        if not killed and progress.done:
            killed.update(workers())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    report = library.index(
        [many_songs], engine="ray", ray_address=address, workers=1, progress=kill
    )
    assert killed
    assert (report.added, report.copies, report.failed) == (10, 1, 3)
    alone = type(library)(library.store.folder.parent / "alone", library.model)
    alone.index([many_songs], workers=2)
    assert_same(library, alone)


def workers() -> set[int]:
    """The processes of this machine that listen in a cluster."""
    found = set()
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and b"(FileWorker)" in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
        except OSError:
            continue  # it has ended
    return found


def test_windows_that_a_node_wrote_to_a_folder_of_its_own_are_refused(tmp_path: Path) -> None:
    lance_ray = pytest.importorskip("lance_ray", reason="the extra `ray` is not installed")
    windows = windows_table([Track({"key": "0"}, [(0, 1, np.ones(8, np.float32))])], 8)
    store = Store(tmp_path / "library")
    with writing(store, "0123456789ab", 8) as writer:
        for folder in (tmp_path / "elsewhere", Path(writer.windows.to_lance().uri)):
            written = lance_ray.fragment.write_fragment(
                [windows], str(folder), data_storage_version="2.2"
            )
            batch = Batch(fragments=[fragment for fragment, _ in written])
            if folder.name == "elsewhere":
                with pytest.raises(MuscallError, match="not one folder for all nodes"):
                    writer.commit(batch)
                assert writer.windows.count_rows() == 0
            else:
                writer.commit(batch)
        assert writer.windows.to_arrow().equals(windows)


def test_a_missing_extra_is_one_line(
    library: Library, songs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "muscall.library.cluster.scaling", raising=False)
    monkeypatch.delattr(
        "muscall.library.cluster.scaling", raising=False
    )  # if it was imported before
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MuscallError) as caught:
        library.index([songs], engine="ray")
    assert str(caught.value) == 'the engine ray needs pip install "muscall[ray]": no module ray'
    assert not library.store.exists()
