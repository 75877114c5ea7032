"""Indexing: how fast beside decoding and model alone, in how much memory; and what comes after it.

    python benchmarks/library_index.py [--music FOLDER] [--tracks 20000] [--files 100000]
        [--only speed processor memory rescan cold text] [--cache .cache/library] [--quick]

`speed` and `processor` need real music: --music, or the tracks of the demo. The others make what
they need in --cache, once. Exit code 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from immich_memories_music import tracks_dir
from report import children, heading, memory, table
from rich.console import Console
from synthetic import WORDS, Synthetic, write_library

import muscall
from muscall import Library
from muscall.audio import decode
from muscall.audio.files import find_audio
from muscall.audio.windows import stream_windows
from muscall.library.embedding_version import embedding_version_of
from muscall.library.indexing.batch import Batch
from muscall.library.indexing.messages import Decoded, Window
from muscall.library.indexing.run import Progress
from muscall.library.indexing.workers import Workers
from muscall.library.indexing.writer import writing
from muscall.library.scan import scan
from muscall.library.store import File, Root, Store
from muscall.models.inference import StreamingEmbedder, TrackEmbedding
from muscall.models.memory import keep_freed_memory
from muscall.models.muscall import MusCALL
from muscall.processes import run

RATE = 16000
OVERHEAD, GROWTH = 1.25, 1.1  # times the slower part; times the memory after a tenth of a run
PROCESSOR = 1.05  # times the processor time of both parts
RESCAN, COLD, TEXT = 15.0, 0.8, 0.015  # seconds

console = Console(stderr=True)
Row = tuple[str, float | None, str, str, bool | None]
"""What, the number, its unit, what is asked for, and whether that is reached."""


@dataclass(frozen=True)
class Setting:
    """What is measured, and where what it needs is kept."""

    music: Path
    cache: Path
    tracks: int
    files: int
    rounds: int


# Speed of a run


def speed(setting: Setting) -> list[Row]:
    """A run, its decoding alone and its model alone, in turn."""
    keep_freed_memory()
    model, files = muscall.load(), find_audio([setting.music])
    runs: dict[str, list[float]] = {"decoding": [], "model": [], "run": []}
    seconds = windows = 0.0
    for _ in range(setting.rounds):
        took, seconds, windows = decoding(model, files)
        runs["decoding"].append(took)
        runs["model"].append(listening(model, round(windows)))
        runs["run"].append(indexing(model, setting))
    decode, listen, run = (statistics.median(taken) for taken in runs.values())
    what = f"{len(files)} files of {seconds / 60:,.0f} min, {windows:,.0f} windows"
    ratio = run / max(decode, listen)
    return [
        (f"decoding alone, {what}", decode, "s", "", None),
        ("model alone, the same windows", listen, "s", "", None),
        (f"index run, {seconds / run:,.0f} times real time", run, "s", "", None),
        (
            "index run / the slower of both",
            ratio,
            "",
            f"at most {OVERHEAD:g}",
            ratio <= OVERHEAD,
        ),
        ("both one after the other / the slower", (decode + listen) / max(decode, listen), "",
         "", None),
    ]  # fmt: skip


def decoding(model: MusCALL, files: list[Path]) -> tuple[float, float, int]:
    """Seconds that decoding takes, done as a run does it; seconds of sound, and windows."""
    audio = model.config.audio
    workers = Workers(
        min(torch.get_num_threads(), len(files)), audio.window_samples, audio.sample_rate
    )
    started, seconds, windows = time.monotonic(), 0.0, 0
    with closing(workers.read(files, lambda *_: True)) as results:
        for _, result in filter(None, results):
            seconds += result.seconds if isinstance(result, Decoded) else 0
            windows += isinstance(result, Window)
    return time.monotonic() - started, seconds, windows


def listening(model: MusCALL, windows: int) -> float:
    """Seconds that the model takes for so many windows."""
    samples = 0.1 * np.random.default_rng(0).standard_normal(model.config.audio.window_samples)
    streaming, track = StreamingEmbedder(model.audio_embedder()), TrackEmbedding()
    window = samples.astype(np.float32)
    started = time.monotonic()
    for _ in range(windows):
        streaming.add(track, window)
    streaming.flush()
    return time.monotonic() - started


def indexing(model: MusCALL, setting: Setting, workers: int | None = None) -> float:
    """Seconds of an index run into a new library."""
    with tempfile.TemporaryDirectory(dir=setting.cache) as folder:
        started = time.monotonic()
        Library(folder, model).index([setting.music], workers=workers)
        return time.monotonic() - started


def processor(setting: Setting) -> list[Row]:
    """Processor time of a run, and of its decoding and its model alone, in turn; float32.

    All on one core: what runs beside each other on two takes longer, as they share caches.
    """
    torch.set_num_threads(1)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    keep_freed_memory()
    model, files = muscall.load(), find_audio([setting.music])
    model.precision = torch.float32
    audio = model.config.audio
    runs: dict[str, list[float]] = {"decoding": [], "model": [], "run": []}
    windows = 0
    for _ in range(setting.rounds):
        began, windows = processor_time(), 0
        for file in files:
            blocks = decode.stream(file, sample_rate=audio.sample_rate)
            windows += sum(1 for _ in stream_windows(blocks, audio.window_samples))
        runs["decoding"].append(processor_time() - began)
        began = processor_time()
        listening(model, windows)
        runs["model"].append(processor_time() - began)
        began = processor_time()
        indexing(model, setting, workers=1)
        runs["run"].append(processor_time() - began)
    alone, listen, run = (statistics.median(taken) for taken in runs.values())
    ratio = run / (alone + listen)
    return [
        (f"decoding alone, {len(files)} files, {windows:,} windows", alone, "s", "", None),
        ("model alone, the same windows", listen, "s", "", None),
        ("index run, one worker", run, "s", "", None),
        ("index run / both", ratio, "", f"at most {PROCESSOR:g}", ratio <= PROCESSOR),
    ]


def processor_time() -> float:
    """Seconds of this process and of those that it started and that have ended."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


# Memory of a long run


def long_run(setting: Setting) -> list[Row]:
    """An index run over many short files, with what its processes hold every 500 tracks."""
    music = setting.cache / f"short-{setting.tracks}"
    short_files(music, setting.tracks)
    seen: list[tuple[int, float, float]] = []
    every = max(1, min(500, setting.tracks // 10))

    def look(progress: Progress) -> None:
        if progress.done >= (len(seen) + 1) * every:
            held = [memory(pid) for pid in children()]
            seen.append((progress.done, memory(), sum(held)))
            done, parent, workers = seen[-1]
            console.print(f"{done:,} tracks: {parent:,.0f} MiB, workers {workers:,.0f} MiB")

    library = setting.cache / "long run"
    shutil.rmtree(library, ignore_errors=True)
    keep_freed_memory()
    started = time.monotonic()
    report = Library(library, muscall.load()).index([music], workers=2, progress=look)
    took = time.monotonic() - started
    shutil.rmtree(library)
    assert report.added == setting.tracks, report
    early = seen[len(seen) // 10]
    rows: list[Row] = []
    for who, place in (("the process itself", 1), ("its workers", 2)):
        last = max(look[place] for look in seen[-max(2, len(seen) // 10) :])
        growth = last / early[place]
        what = f"{who}: {early[place]:,.0f} MiB after {early[0]:,} tracks, at the end"
        rows.append((what, last, "MiB", f"at most {GROWTH:g} of it", growth <= GROWTH))
    rows.append((f"{setting.tracks:,} tracks of a second", took, "s", "", None))
    return rows


def short_files(folder: Path, count: int) -> None:
    """`count` FLAC files of a second, each with a sound of its own; what is there stays."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    for number in range(count):
        path = folder / f"{number // 500:03}" / f"{number}.flac"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            soundfile.write(part, np.roll(noise, number % RATE) * (1 + number / count), RATE,
                            format="FLAC")  # fmt: skip
            part.rename(path)


# What comes after a run


def rescan(setting: Setting) -> list[Row]:
    """A run over files that it all knows."""
    music = setting.cache / f"tiny-{setting.files}"
    if not (music / "done").exists():
        for number in range(setting.files):
            path = music / f"{number // 200:04}" / f"{number}.mp3"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"no")
        (music / "done").touch()
    store, model = Store(setting.cache / f"tiny-{setting.files}-library"), muscall.load()
    if len(store.files()) < setting.files:
        know(store, embedding_version_of(model), model.config.dim, music)
    library = Library(store.folder, model)
    taken = []
    for _ in range(setting.rounds):
        started = time.monotonic()
        report = library.index([music])
        taken.append(time.monotonic() - started)
        assert (report.unchanged, report.is_news) == (setting.files, False), report
    command = timed("index", str(music), "--library", str(store.folder))
    took = statistics.median(taken)
    return [
        (f"rescan of {setting.files:,} files", took, "s", f"under {RESCAN:g} s", took < RESCAN),
        ("the same as a command", command, "s", f"under {RESCAN:g} s", command < RESCAN),
    ]


def know(store: Store, embedding_version: str, dim: int, music: Path) -> None:
    """Write what a run over `music` would leave, had it tracks in its files."""
    drawn = Synthetic(sum(1 for _ in music.rglob("*.mp3")), dim=dim)
    write_library(drawn, store, embedding_version, windows=1, files=False)
    table_ = store.tracks(embedding_version)
    assert table_ is not None
    keys = sorted(table_.search().select(["key"]).limit(None).to_arrow()["key"].to_pylist())
    found = scan(music)
    with writing(store, embedding_version, dim) as writer:
        writer.put_roots([Root(str(music), [], datetime.now(UTC))])
        files = [
            File(path, file.root, file.size, file.mtime_ns, key, None, "present")
            for (path, file), key in zip(found.items(), keys, strict=True)
        ]
        writer.commit(
            Batch(
                changes={file.key: {"path": file.path, "root": file.root} for file in files},
                files={file.path: file for file in files},
            )
        )
        writer.finish()


def cold(setting: Setting) -> list[Row]:
    """`muscall search` as a command, on a library of 10,000 tracks."""
    store, model = Store(setting.cache / "cold-10000"), muscall.load()
    write_library(Synthetic(10_000, dim=model.config.dim), store, embedding_version_of(model))
    request = ("search", "calm acoustic guitar", "--library", str(store.folder))
    taken = [timed(*request) for _ in range(2 * setting.rounds + 1)]
    took = statistics.median(taken[1:])
    return [
        ("`muscall search`, 10,000 tracks", took, "s", f"under {COLD:g} s", took < COLD),
        ("the first of them", taken[0], "s", "", None),
    ]


def text(setting: Setting) -> list[Row]:
    """Encoding a sentence, one at a time, once warm."""
    model, taken = muscall.load(), []
    draw = np.random.default_rng(0)
    for _ in range(20 + 50 * setting.rounds):
        sentence = " ".join(draw.choice(WORDS, size=int(draw.integers(3, 13))))
        started = time.perf_counter()
        model.encode_text([sentence])
        taken.append(time.perf_counter() - started)
    p50, p99 = np.quantile(taken[20:], [0.5, 0.99])
    asked = f"under {1e3 * TEXT:g} ms"
    return [
        ("encoding a sentence, p50", 1e3 * p50, "ms", asked, bool(p50 < TEXT)),
        ("encoding a sentence, p99", 1e3 * p99, "ms", "", None),
    ]


def timed(*arguments: str) -> float:
    """Seconds of a muscall command.

    Raises:
        RuntimeError: it fails.
    """
    started = time.monotonic()
    command: list[Any] = [sys.executable, "-m", "muscall", *arguments]
    done = run(command, capture_output=True, text=True, env=os.environ)
    if done.returncode:
        raise RuntimeError(f"muscall {arguments[0]}: {done.stderr.strip().splitlines()[-1]}")
    return time.monotonic() - started


PARTS: dict[str, Callable[[Setting], list[Row]]] = {
    "speed": speed,
    "memory": long_run,
    "rescan": rescan,
    "cold": cold,
    "text": text,
    "processor": processor,  # last, as it stays on one core
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Indexing: speed, memory, and what comes after it.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--music", type=Path, default=tracks_dir(), help="folder of real music")
    parser.add_argument("--tracks", type=int, default=20_000, help="of the long run")
    parser.add_argument("--files", type=int, default=100_000, help="of the rescan")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is told")
    parser.add_argument("--cache", type=Path, default=Path(".cache/library"), help="folder")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="1,000 tracks and files, one round")
    options = parser.parse_args()
    if options.quick:
        options.tracks = options.files = 1000
        options.rounds = 1
    cache = options.cache.absolute()
    cache.mkdir(parents=True, exist_ok=True)
    setting = Setting(options.music, cache, options.tracks, options.files, options.rounds)
    rows: list[tuple[object, ...]] = []
    failed = False
    for part in options.only:
        with console.status(part):
            try:
                found = PARTS[part](setting)
            except (AssertionError, RuntimeError) as error:  # the others shall be told as well
                found = [(f"{part}: {error}", None, "", "", False)]
        console.print(
            "\n".join(f"{part}: {what} {number} {unit}" for what, number, unit, *_ in found)
        )
        rows += [(part, *row) for row in found]
        failed |= any(row[-1] is False for row in found)
    print(heading("av", "soundfile", what="index runs"))
    print("\n" + table(["part", "what", "measured", "unit", "asked for", "reached"], rows))
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
