"""What the music library survives: kills, broken files, other runs, full disks, busy folders.

    python benchmarks/library_reliability.py [--kills 100] [--files 10000] [--only kills broken ...]
        [--folder FOLDER] [--quick]

Everything happens in a new folder inside --folder, with short files that are made there and a tiny
model whose weights mean nothing: what is tested is what is kept. One line for each scenario; exit
code 1 if any failed. Scenarios that need to mount a small disk are left out where that is refused.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
import mutagen.id3
import numpy as np
import soundfile
import torch
from report import heading, table
from rich.console import Console

from muscall import Library, MusCALL
from muscall.errors import MuscallError
from muscall.library.indexing.report import Report
from muscall.library.search.finder import Finder
from muscall.library.search.query import SearchQuery
from muscall.models.config import ModelConfig, ResNetConfig, TransformerConfig

RATE = 16000
TINY = ModelConfig(
    dim=16,
    audio=ResNetConfig(width=4, blocks=(1, 1, 1, 1), heads=2, features=16, window_seconds=2),
    text=TransformerConfig(width=32, layers=1, heads=2),
)
# Of the good files; libsndfile writes them all.
KINDS = {".flac": "FLAC", ".wav": "WAV", ".ogg": "OGG", ".mp3": "MP3", ".aiff": "AIFF"}

console = Console(stderr=True)


class Failure(Exception):
    """What should have held and did not."""


class NotHere(Exception):
    """This machine does not allow a scenario."""


def expect(condition: bool, what: str) -> None:
    if not condition:
        raise Failure(what)


@dataclass(frozen=True)
class Setting:
    """Where a scenario is at work, with which model, and how much is to be done."""

    folder: Path
    checkpoint: Path
    model: MusCALL
    files: int
    kills: int
    seed: int

    def library(self, name: str = "library") -> Library:
        return Library(self.folder / name, self.model)


# Files


def sing(path: Path, seed: int, seconds: float = 0.5) -> Path:
    """Write noise of its own for each seed, in the format of the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    soundfile.write(path, noise, RATE, format=KINDS[path.suffix])
    return path


def songs(folder: Path, count: int, *, first: int = 0) -> list[Path]:
    """`count` short songs of all KINDS, fifty a folder."""
    suffixes = list(KINDS)
    return [
        sing(folder / f"{n // 50:03}" / f"{n}{suffixes[n % len(suffixes)]}", n, 0.3 + n % 9 / 5)
        for n in range(first, first + count)
    ]


def retag(path: Path, title: str) -> None:
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    if isinstance(file.tags, mutagen.id3.ID3):  # of WAV and AIFF, which have no easy tags
        file.tags.setall("TIT2", [mutagen.id3.TIT2(text=title)])
    else:
        file["title"] = title
    file.save()


def broken_ways() -> dict[str, Callable[[Path, np.random.Generator], None]]:
    """Ways in which a file can be no sound file, by name: each writes one."""

    def content(make: Callable[[np.random.Generator], bytes]) -> Callable[..., None]:
        return lambda path, generator: path.write_bytes(make(generator)) and None

    def sound(kind: str, change: Callable[[bytearray, np.random.Generator], bytes]) -> Any:
        def write(path: Path, generator: np.random.Generator) -> None:
            with tempfile.NamedTemporaryFile(suffix=kind) as file:
                seed = int(generator.integers(1 << 40))
                data = bytearray(sing(Path(file.name), seed).read_bytes())
            path.write_bytes(change(data, generator))

        return write

    def not_a_number(path: Path, generator: np.random.Generator) -> None:
        samples = generator.standard_normal(4000)
        samples[generator.integers(4000)] = np.nan
        soundfile.write(path, samples, RATE, format="WAV", subtype="FLOAT")

    def no_samples(path: Path, _: np.random.Generator) -> None:
        soundfile.write(path, np.zeros(0), RATE, format="WAV")

    def overwritten(data: bytearray, generator: np.random.Generator) -> bytes:
        return generator.bytes(len(data))

    return {
        "empty": content(lambda _: b""),
        "text": content(lambda g: b"this is no music " * int(g.integers(1, 99))),
        "noise": content(lambda g: g.bytes(int(g.integers(1, 20_000)))),
        "zeros": content(lambda g: bytes(int(g.integers(1, 20_000)))),
        "a picture": content(lambda g: b"\x89PNG\r\n\x1a\n" + g.bytes(3000)),
        "nothing but tags": content(
            lambda g: b"ID3\x04\0\0\0\0\0\x7f" + bytes(g.integers(99, 128))
        ),
        "a FLAC's first bytes": sound(".flac", lambda data, _: bytes(data[:60])),
        "an Ogg's first bytes": sound(".ogg", lambda data, _: bytes(data[:90])),
        "a WAV's first bytes": sound(".wav", lambda data, _: bytes(data[:30])),
        "overwritten": sound(".flac", overwritten),
        "without a head": sound(".ogg", lambda data, _: bytes(data[4000:])),
        "not a number": not_a_number,
        "no samples": no_samples,
        "a link to nowhere": lambda path, _: path.symlink_to("nowhere"),
        "a link to itself": lambda path, _: path.symlink_to(path.name),
        "a pipe": lambda path, _: os.mkfifo(path),
    }


# Runs in processes of their own

RUN = """
import json, os, signal, sys
import torch
import muscall

model = muscall.load(sys.argv[1])
torch.set_num_threads(1)
for line in sys.stdin:
    # Forked, so that torch is imported once; not after LanceDB was, which has threads.
    if not (child := os.fork()):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from muscall.errors import MuscallError
        from muscall.library.search import ann
        from muscall.library.indexing import run as indexing, writer
        from muscall.library import library
        indexing._COMMIT_TRACKS, writer._INDEXED_FROM, writer._AT_WORK = 3, 40, 20
        ann.INDEXED_FROM = 60
        try:
            songs, folder = json.loads(line)
            report = library.Library(folder, model).index([songs], workers=2)
            print(json.dumps(vars(report)), flush=True)
        except MuscallError as error:
            print(json.dumps(str(error)), flush=True)
        except BaseException as error:
            print(json.dumps(repr(error)), flush=True)
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


class Runs:
    """Index runs, one after the other, each in a process that may be killed.

    They commit every three tracks and keep their tables small early, so that all of what a run
    does is within reach of a kill.
    """

    def __init__(self, checkpoint: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", RUN, checkpoint],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def start(self, music: Path, library: Path) -> int:
        """Start a run: its process."""
        assert self._process.stdin is not None
        print(json.dumps([str(music), str(library)]), file=self._process.stdin, flush=True)
        return int(self._line())

    def wait(self) -> Report | str | None:
        """What the run reports, or its error; None if it was killed."""
        told = self._line()
        if told == "ended":
            return None
        if self._line() != "ended":
            raise Failure("a run that says more than its report")
        report = json.loads(told)
        return Report(**report) if isinstance(report, dict) else str(report)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        expect(bool(line), "a run that says nothing")
        return line


# What holds at any time


@dataclass(frozen=True)
class Contents:
    """Vectors of tracks by key, windows of each by start, and the files that are done."""

    tracks: dict[str, list[float]]
    windows: dict[str, dict[float, list[float]]]
    files: dict[str, str | None]


def contents(library: Library) -> Contents:
    """What is in a library; it is whole, and nothing is there twice.

    Windows first: a run that is at work writes them before their tracks.
    """
    store, embedding_version = library.store, library.embedding_version
    tracks, windows = store.tracks(embedding_version), store.windows(embedding_version)
    files = {path: row.key for path, row in store.files().items()}
    if tracks is None or windows is None:
        expect(not any(files.values()), "files that are done, and no tracks")
        return Contents({}, {}, files)
    rows = tracks.search().select(["key", "windows", "vector"]).limit(None).to_arrow().to_pylist()
    heard: dict[str, dict[float, list[float]]] = {}
    count = 0
    for row in windows.to_arrow().to_pylist():
        heard.setdefault(row["key"], {})[row["start"]] = row["vector"]
        count += 1
    vectors = {row["key"]: row["vector"] for row in rows}
    expect(len(vectors) == len(rows), "a track is there twice")
    expect(sum(map(len, heard.values())) == count, "a window is there twice")
    expect(all(len(heard.get(r["key"], ())) == r["windows"] for r in rows), "windows are missing")
    expect(set(files.values()) - {None} <= vectors.keys(), "a file is done without its track")
    return Contents(vectors, heard, files)


def same(one: Contents, other: Contents) -> None:
    """Two libraries hold the same sound."""
    expect(one.tracks.keys() == other.tracks.keys(), "not the same tracks")
    expect(one.windows.keys() == other.windows.keys(), "windows without a track")
    for key, vector in one.tracks.items():
        expect(np.allclose(vector, other.tracks[key], atol=1e-5), "not the same vectors")
        expect(one.windows[key].keys() == other.windows[key].keys(), "not the same windows")


def there(library: Library) -> dict[str, str]:
    """The path of each track that is there, by its key; each path once."""
    found = library.store.tracks(library.embedding_version)
    assert found is not None
    rows = found.search().where("offline = false").select(["key", "path"]).limit(None).to_list()
    expect(len({row["path"] for row in rows}) == len(rows), "two tracks at one path")
    return {row["key"]: row["path"] for row in rows}


# Scenarios: each tells its numbers


def kills(setting: Setting) -> str:
    """kill -9 at random moments; the rerun does only the rest, until a run comes to its end."""
    count = max(80, setting.files // 50)
    music = setting.folder / "music"
    songs(music, count)
    (music / "broken.mp3").write_bytes(b"no")
    straight = setting.library("straight")
    straight.index([music], workers=2)
    whole = contents(straight)
    library, draw = setting.library("0"), random.Random(setting.seed)
    killed = finished = 0
    known, span = Contents({}, {}, {}), 0.0
    with closing(Runs(setting.checkpoint)) as process:
        while killed < setting.kills or known.files:
            started, pid = time.monotonic(), process.start(music, library.store.folder)
            # The first run of all shows how long one takes, the last one does what is left.
            killer = threading.Timer(draw.uniform(0, span), _kill, [pid])
            if span and killed < setting.kills:
                killer.start()
            report = process.wait()
            killer.cancel()
            now = contents(library)
            expect(now.tracks.items() >= known.tracks.items(), "a committed track is lost")
            expect(now.files.items() >= known.files.items(), "a committed file is lost")
            if report is None:
                killed, known = killed + 1, now
                continue
            expect(isinstance(report, Report), f"a run failed: {report}")
            assert isinstance(report, Report)
            rest = count + 1 - len(known.files)
            expect(report.unchanged == len(known.files), "what was done is done again")
            expect(report.added + report.failed == rest, "the rest is not done")
            same(now, whole)
            finished, known = finished + 1, Contents({}, {}, {})
            span = span or 1.2 * (time.monotonic() - started)
            # Another folder: LanceDB remembers what it has read of a table by its path.
            shutil.rmtree(library.store.folder)
            library = setting.library(str(finished))
    return f"{killed} kills and {finished} runs to the end, of {count + 1} files: nothing lost"


def _kill(pid: int) -> None:
    # It may have ended by itself; then its number is not yet another's, so soon.
    if Path(f"/proc/{pid}").exists():
        os.kill(pid, signal.SIGKILL)


def broken(setting: Setting) -> str:
    """One file of twenty is broken, in every way; all others are indexed, each of it is listed."""
    music, ways = setting.folder / "music", broken_ways()
    bad_count = max(len(ways), setting.files // 20)
    good = songs(music, setting.files - bad_count)
    generator, suffixes = np.random.default_rng(setting.seed), list(KINDS)
    bad = set()
    for number, (name, write) in zip(range(bad_count), _around(ways.items()), strict=False):
        folder = music / f"{number % max(1, len(good) // 50):03}"
        path = folder / f"{name} {number}{suffixes[number % len(suffixes)]}"
        write(path, generator)
        bad.add(path)
    library = setting.library()
    started = time.monotonic()
    report = library.index([music], workers=2)
    took = time.monotonic() - started
    found = contents(library)
    expect(report.failed == len(bad), f"{report.failed} failed of {len(bad)} broken files")
    expect({path for path, _ in library.errors()} == bad, "other files are listed than are broken")
    expect(all("\n" not in reason for _, reason in library.errors()), "a reason of many lines")
    expect(report.added == len(good) == len(found.tracks), "a good file is missing")
    again = library.index()
    expect(again == Report(unchanged=setting.files), f"the next run: {again}")
    return (
        f"{len(good):,} good files indexed, {len(bad):,} broken in {len(ways)} ways listed, "
        f"{took:,.0f} s"
    )


def _around(items: Any) -> Iterator[Any]:
    listed = list(items)
    while True:
        yield from listed


def two_runs(setting: Setting) -> str:
    """A second run at the same time is refused in one line; the first one is unharmed."""
    music, library = setting.folder / "music", setting.library()
    count = max(300, setting.files // 10)
    songs(music, count)
    refused = 0
    with closing(Runs(setting.checkpoint)) as first, closing(Runs(setting.checkpoint)) as second:
        first.start(music, library.store.folder)
        while not (library.store.folder / ".lock").exists():
            time.sleep(0.01)
        for _ in range(5):
            second.start(music, library.store.folder)
            told = second.wait()
            expect(told is not None, "the second run died")
            if isinstance(told, str):
                expect("another index run is at work there" in told, f"it says: {told}")
                refused += 1
        report = first.wait()
    expect(isinstance(report, Report) and report.added == count, f"the first run: {report}")
    expect(refused > 0, "the second run was never refused")
    expect(len(contents(library).tracks) == count, "tracks are missing")
    return f"{refused} runs refused while one added {count:,}"


def searches(setting: Setting) -> str:
    """Searches while a run is at work find whole tracks, more and more of them."""
    music, library = setting.folder / "music", setting.library()
    count = max(60, setting.files // 20)
    songs(music, count)
    found, taken = [0], []
    with closing(Runs(setting.checkpoint)) as process:
        process.start(music, library.store.folder)
        result: list[Report | str | None] = []
        waiting = threading.Thread(target=lambda: result.append(process.wait()))
        waiting.start()
        while waiting.is_alive():
            # A finder of its own each time, as each command has.
            finder = Finder(library.store, library.embedding_version, setting.model)
            started = time.monotonic()
            try:
                hits = finder.find(SearchQuery("slow music", n=count))
            except MuscallError as error:
                expect("nothing is indexed" in str(error), str(error))
                continue
            taken.append(time.monotonic() - started)
            all_hits = [hit for top in hits for hit in (top, *top.versions)]
            expect(all(hit.passage for hit in hits), "a track without its windows")
            found.append(len(all_hits))
    expect(isinstance(result[0], Report) and result[0].added == count, f"the run: {result[0]}")
    expect(found == sorted(found), "a track was found and is no more")
    return (
        f"{len(taken):,} searches during a run of {count:,}, 0 errors, "
        f"median {1e3 * float(np.median(taken)):.0f} ms, slowest {max(taken):.1f} s"
    )


def full_disk(setting: Setting) -> str:
    """No space: one line, and what is committed is whole; with more space, the rest is done."""
    music, count = setting.folder / "music", max(120, setting.files // 20)
    songs(music, count)
    with mounted(setting.folder / "disk", "size=300k") as disk:
        library = Library(disk / "library", setting.model)
        with closing(Runs(setting.checkpoint)) as process:
            process.start(music, library.store.folder)
            told = process.wait()
            expect(isinstance(told, str), f"it fitted: {told}")
            expect("cannot be written: No space left" in str(told), f"it says: {told}")
            kept = contents(library)
            library.status()
            subprocess.run(["mount", "-o", "remount,size=500m", disk], check=True)
            process.start(music, library.store.folder)
            report = process.wait()
        expect(isinstance(report, Report), f"the next run: {report}")
        assert isinstance(report, Report)
        expect(report.added == count - len(kept.files), "not the rest is done")
        expect(len(contents(library).tracks) == count, "tracks are missing")
    return f"{len(kept.tracks):,} tracks of {count:,} fitted and stayed, the rest came later"


def read_only(setting: Setting) -> str:
    """A library on a read-only disk can be searched; a run says in one line why it cannot be."""
    music = setting.folder / "music"
    songs(music, 20)
    with mounted(setting.folder / "disk", "size=50m") as disk:
        Library(disk / "library", setting.model).index([music], workers=2)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        library = Library(disk / "library", setting.model)
        finder = Finder(library.store, library.embedding_version, setting.model)
        expect(len(finder.find(SearchQuery("slow music", n=20))) > 0, "nothing is found")
        expect(library.status().files == 20, "not all files")
        try:
            library.index([music])
        except MuscallError as error:
            expect("cannot be written" in str(error) and "\n" not in str(error), str(error))
            said = str(error).rpartition(": ")[2]
        else:
            raise Failure("it was written to")
    return f"20 tracks searched; a run says: {said}"


def moved(setting: Setting) -> str:
    """The library's folder is moved; nothing is listened to again."""
    music, library = setting.folder / "music", setting.library()
    songs(music, 30)
    library.index([music], workers=2)
    before = contents(library)
    (setting.folder / "elsewhere").mkdir()
    library.store.folder.rename(setting.folder / "elsewhere" / "library")
    there_now = setting.library("elsewhere/library")
    report = there_now.index()
    expect(report == Report(unchanged=30), f"the next run: {report}")
    expect(contents(there_now) == before, "it is not the same")
    hits = Finder(there_now.store, there_now.embedding_version, setting.model).find(
        SearchQuery("slow", n=30)
    )
    expect(len(hits) > 0, "nothing is found")
    return "30 tracks, the next run found all unchanged"


def busy_folder(setting: Setting) -> str:
    """Files are deleted, replaced, retagged, renamed and swapped during runs; then all is right."""
    music, library = setting.folder / "music", setting.library()
    count = max(100, setting.files // 20)
    paths = songs(music, count)
    draw, done, changes = random.Random(setting.seed), threading.Event(), dict.fromkeys(WAYS, 0)
    problems: list[Exception] = []

    def meddle() -> None:
        seed = 1_000_000
        while not done.is_set():
            way = draw.choice(list(WAYS))
            here = [path for path in music.rglob("*") if path.suffix in KINDS]
            if len(here) > 20:
                seed += 1
                try:
                    WAYS[way](*draw.sample(here, 2), seed)
                except Exception as error:
                    problems.append(error)
                changes[way] += 1
            time.sleep(draw.uniform(0, 0.1))

    meddler = threading.Thread(target=meddle)
    meddler.start()
    try:
        for _ in range(3):
            library.index([music], workers=2)
            contents(library)
    finally:
        done.set()
        meddler.join()
    expect(not problems, f"this scenario is at fault: {problems[:1]}")
    library.index([music], workers=2, prune=True)
    straight = setting.library("straight")
    straight.index([music], workers=2)
    same(contents(library), contents(straight))
    expect(library.store.files().keys() == straight.store.files().keys(), "not the same files")
    expect(there(library).keys() == there(straight).keys(), "not the same tracks are there")
    expect(all(Path(path).exists() for path in there(library).values()), "a path leads nowhere")
    expect(_titles(library) == _titles(straight), "not the same tags")
    told = ", ".join(f"{number} {way}" for way, number in changes.items())
    return f"{len(paths):,} files, {told}; ends as a library made anew"


def _titles(library: Library) -> dict[str, str]:
    """By key, of tracks that have one file: of copies, each may have given its tags."""
    files = [row.key for row in library.store.files().values()]
    found = library.store.tracks(library.embedding_version)
    assert found is not None
    rows = found.search().select(["key", "title"]).limit(None).to_list()
    return {row["key"]: row["title"] for row in rows if files.count(row["key"]) == 1}


def _replace(path: Path, _: Path, seed: int) -> None:
    sing(path.with_name(f"new{path.suffix}"), seed).rename(path)


def _swap(one: Path, other: Path, _: int) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one.with_name(f"{one.stem}{other.suffix}"))
    aside.rename(other.with_name(f"{other.stem}{one.suffix}"))


WAYS: dict[str, Callable[[Path, Path, int], object]] = {
    "deleted": lambda path, _, __: path.unlink(),
    "added": lambda path, _, seed: sing(path.with_name(f"{seed}.flac"), seed),
    "replaced": _replace,
    "retagged": lambda path, _, seed: retag(path, f"Title {seed}"),
    "renamed": lambda path, _, seed: path.rename(path.with_name(f"{seed}{path.suffix}")),
    "swapped": _swap,
    "copied": lambda path, _, seed: shutil.copyfile(path, path.with_name(f"{seed}{path.suffix}")),
}

SCENARIOS: dict[str, Callable[[Setting], str]] = {
    "kills": kills,
    "broken": broken,
    "two-runs": two_runs,
    "searches": searches,
    "full-disk": full_disk,
    "read-only": read_only,
    "moved": moved,
    "busy-folder": busy_folder,
}


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small disk of its own in `folder`."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True
    )
    if done.returncode:
        raise NotHere("no disk can be mounted")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="What the music library survives.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--files", type=int, default=10_000, help="others take a part of that")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--folder", type=Path, help="where to work, instead of the system's")
    parser.add_argument("--quick", action="store_true", help="5 kills, 100 files")
    options = parser.parse_args()
    if options.quick:
        options.kills, options.files = 5, 100
    torch.manual_seed(0)
    model = MusCALL(TINY).eval()
    rows, failed = [], False
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        checkpoint = Path(folder) / "checkpoint"
        model.save_pretrained(checkpoint)
        for name in options.only:
            inside = Path(folder) / name
            inside.mkdir()
            setting = Setting(inside, checkpoint, model, options.files, options.kills, options.seed)
            started = time.monotonic()
            with console.status(name):
                try:
                    told, good = SCENARIOS[name](setting), True
                except NotHere as reason:
                    told, good = f"left out: {reason}", True
                except Exception as error:  # the other scenarios shall be told as well
                    told, good = f"{type(error).__name__}: {error}", False
            console.print(f"{name}: {told}")
            rows.append([name, told, round(time.monotonic() - started), good])
            failed |= not good
            shutil.rmtree(inside, ignore_errors=True)
    print(heading("soundfile", "av", what=f"{options.files:,} files, {options.kills} kills"))
    print("\n" + table(["scenario", "what happened", "s", "passed"], rows))
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
