"""Files are read in processes of their own, which may die of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from muscall.audio import decode
from muscall.audio.windows import stream_windows
from muscall.errors import AudioError, MuscallError
from muscall.library.audio_hash import audio_hash
from muscall.library.indexing.messages import Changed, Decoded, Identity, Window
from muscall.library.indexing.workers import Workers

LENGTH, RATE = 3200, 16000  # windows of 0.2 s

Children = Callable[[], list[int]]
Sing = Callable[..., Path]


def yes(*_: object) -> bool:
    return True


def test_a_decoder_starts_without_what_is_slow_to_import() -> None:
    # Each upload waits for one to start; scipy.signal alone takes as long as all the rest.
    program = "import sys, muscall.library.indexing.worker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = done.stdout.split()
    assert "av" in loaded
    assert not {"torch", "scipy.signal", "sklearn", "lancedb"} & set(loaded)


def test_nothing_that_a_decoder_says_is_run(
    songs: Path, take_over: Callable[[str], Path], children: Children
) -> None:
    mark = take_over("connection.send(Evil())")
    with pytest.raises(MuscallError, match="no decoder can be started"):
        list(Workers(1, LENGTH, RATE).read([songs / "a.flac"], yes))
    assert not mark.exists()
    assert not children()


@pytest.mark.parametrize(
    "says",
    [
        "connection.send(Evil())",
        "connection.send_bytes(b'[' * 100_000)",
        "connection.send_bytes(b'\\xff')",
        "send(connection, Wanted(True))",
        "send(connection, Decoded(1.0, Descriptors(), bytes(200)))",
        "send(connection, Window(0.0, 1.0, np.zeros(3200, np.float32)))",
        "heard(np.zeros(4, np.float32))",
        "heard(np.full(3200, np.nan, np.float32))",
    ],
)
def test_a_decoder_that_says_anything_else_has_failed(
    songs: Path, take_over: Callable[[str], Path], children: Children, says: str
) -> None:
    mark = take_over(
        f"""
def heard(samples):
    send(connection, Identity("0" * 40, Tags()))
    receive(connection)
    send(connection, Window(0.0, 1.0, samples))

send(connection, Ready())
receive(connection)
{says}
"""
    )
    paths = [songs / "a.flac", songs / "b.flac"]
    told = [result for result in Workers(1, LENGTH, RATE).read(paths, yes) if result]
    assert [str(error) for _, error in told if isinstance(error, AudioError)] == [
        f"{path}: the decoder said what no decoder says" for path in paths
    ]
    assert not mark.exists()
    assert not children()


def test_windows_are_those_of_the_track(songs: Path) -> None:
    paths = sorted(songs.iterdir())
    heard: dict[Path, list[Any]] = {path: [] for path in paths}
    for result in Workers(2, LENGTH, RATE).read(paths, yes):
        if result is not None:
            heard[result[0]].append(result[1])
    for path, (identity, *windows, last) in heard.items():
        assert identity.key == audio_hash(path)
        assert identity.tags.title == f"Song {path.stem}"
        expected = list(stream_windows(decode.stream(path), LENGTH))
        np.testing.assert_array_equal([window.samples for window in windows], expected)
        assert isinstance(last, Decoded)
        assert last.seconds == decode.probe(path).duration


def test_what_is_not_wanted_is_not_decoded(songs: Path) -> None:
    wanted = songs / "b.flac"
    paths = sorted(songs.iterdir())
    kinds: dict[Path, list[type]] = {path: [] for path in paths}
    for result in Workers(1, LENGTH, RATE).read(paths, lambda path, _: path == wanted):
        if result is not None:
            kinds[result[0]].append(type(result[1]))
    assert kinds.pop(wanted) == [Identity, *[Window] * 6, Decoded]
    assert list(kinds.values()) == [[Identity]] * 3


def test_a_file_that_kills_the_decoder_kills_nothing_else(
    songs: Path, sing: Sing, children: Children
) -> None:
    deadly = sing(songs.parent / "deadly.flac", 0, 60)
    good = songs / "c.flac"
    pids, kinds, errors, kills = set(), [], [], 0
    with closing(Workers(1, LENGTH, RATE, ahead=2).read([deadly, good, deadly], yes)) as results:
        for result in filter(None, results):
            pids.update(children())
            kinds.append((result[0], type(result[1])))
            if kinds[-1] == (deadly, Window) and len(errors) == kills:
                os.kill(children()[0], signal.SIGKILL if kills else signal.SIGSEGV)
                kills += 1
            if isinstance(result[1], AudioError):
                errors.append(result[1])
    assert [error.path for error in errors] == [deadly, deadly]
    assert [error.reason for error in errors] == [
        "the decoder died: signal 11",
        "the decoder died: signal 9",
    ]
    assert [kind for path, kind in kinds if path == good] == [Identity, *[Window] * 25, Decoded]
    assert len(pids) == 2
    assert not children()


def test_a_process_is_replaced_after_many_files(
    songs: Path, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muscall.library.indexing.workers._FILES", 2)
    paths, pids, decoded = 2 * sorted(songs.iterdir()), set(), []
    for path, result in filter(None, Workers(1, LENGTH, RATE, ahead=1).read(paths, yes)):
        pids.update(children())
        if isinstance(result, Decoded):
            decoded.append(path)
    assert decoded == paths
    assert len(pids) == 4
    assert not children()


def test_a_file_that_hangs_is_given_up(songs: Path, children: Children) -> None:
    hanging, good = songs / "a.flac", songs / "b.flac"

    def stop(path: Path, _: Identity) -> bool:
        if path == hanging:
            os.kill(children()[0], signal.SIGSTOP)
        return True

    results = Workers(1, LENGTH, RATE, patience=5).read([hanging, good], stop)
    told = [result for result in results if result is not None]
    assert [str(error) for path, error in told if path == hanging][1:] == [
        f"{hanging}: the decoder timed out after 5 s"
    ]
    assert isinstance(told[-1][1], Decoded)
    assert not children()


@pytest.mark.parametrize("how", ["replaced", "removed", "written to"])
def test_a_file_that_changes_while_it_is_read(
    songs: Path, sing: Sing, tmp_path: Path, how: str
) -> None:
    path = sing(tmp_path / "long.wav", 0, 60)
    kinds = []
    for result in Workers(1, LENGTH, RATE, ahead=1).read([path], yes):
        if result is not None:
            kinds.append(type(result[1]))
            if kinds == [Identity, Window]:
                if how == "replaced":
                    (songs / "a.flac").rename(path)
                elif how == "removed":
                    path.unlink()
                else:
                    with path.open("ab") as file:
                        file.write(bytes(1000))
    assert kinds[-1] is Changed
    assert kinds.count(Changed) == 1


def test_leaving_early_ends_all_processes(songs: Path, sing: Sing, children: Children) -> None:
    paths = [sing(songs / f"{seed}.wav", seed, 30) for seed in range(3)]
    with closing(Workers(2, LENGTH, RATE, ahead=1).read(paths, yes)) as results:
        next(filter(None, results))
        assert children()
    assert not children()


def test_a_failure_of_the_caller_is_no_silence(songs: Path) -> None:
    def fail(*_: object) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(Workers(1, LENGTH, RATE).read([songs / "a.flac"], fail))
