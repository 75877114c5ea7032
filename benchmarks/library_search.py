"""Search in a large library: how fast, how exact, in how much memory; beside other engines.

    python benchmarks/library_search.py [--tracks 1000000] [--queries 200] [--only ...]
        [--cache .cache/library] [--quick]

The library is synthetic (`synthetic.py`), written and searched by `muscall.library` itself. The
first run makes it, the others take it from --cache; both go on where they were interrupted. Recall
is against an exact scan: of the 20 nearest, how many are among what was found. Each engine searches
in a process of its own, whose peak of memory is told. Exit code 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
from report import heading, memory, table
from rich.console import Console
from synthetic import CHUNK, WORDS, Synthetic, number_of, write_library

from muscall.processes import end_with_parent

# What an engine does not need is imported where it is needed: each is to show its own memory.

N = 20
SELECTIVITIES = (0.5, 0.1, 0.026, 0.01, 0.001)
P50, P99, RECALL, MEMORY = 20.0, 60.0, 0.99, 1536.0  # ms, ms, share, MiB
SLOWEST = 300.0  # seconds that the queries of one kind may take; the rest of them is left out

console = Console(stderr=True)
T = TypeVar("T")


@dataclass(frozen=True)
class Task:
    """What an engine is to do; picklable."""

    cache: Path
    drawn: Synthetic
    queries: int


@dataclass(frozen=True)
class Kind:
    """A kind of query: the vectors that are sought, (n, dim), or words; under a filter or none."""

    name: str
    vectors: np.ndarray | None
    bpm: float | None = None
    genre: int | None = None

    @property
    def where(self) -> str:
        if self.genre is not None:
            return f"genre = 'genre {self.genre}'"
        return "" if self.bpm is None else f"bpm < {self.bpm!r}"


@dataclass(frozen=True)
class Measured:
    """Milliseconds of each query, and the numbers of the tracks that were found."""

    engine: str
    kind: str
    milliseconds: list[float]
    processor: list[float]
    """Milliseconds of processor time of each, in all threads: the same on a busy machine."""
    found: list[list[int]]
    peak: float
    """MiB of the process, so far."""


def kinds(task: Task) -> list[Kind]:
    """Without a filter by examples and by sentences; by examples under filters."""
    examples = task.drawn.examples(task.queries)
    return [
        Kind("by example", examples),
        Kind("by sentence's vector", task.drawn.sentences(task.queries)),
        *(Kind(f"{share:.1%} of tracks", examples, 60 + 120 * share) for share in SELECTIVITIES),
        Kind("one genre, mostly not the example's", examples, genre=int(task.drawn.genre[0])),
        Kind("by words, all of it", None),
    ]


# Preparing, once for each --cache


def prepare(task: Task) -> float | None:
    """Make the library and the vectors in one file; seconds it took, None if they were there."""
    started, done = time.monotonic(), task.cache / "done"
    vectors = task.cache / "vectors.npy"
    if not vectors.exists():
        shape = (task.drawn.tracks, task.drawn.dim)
        part = vectors.with_suffix(".part")
        stored = np.lib.format.open_memmap(part, "w+", np.float32, shape)
        place = 0
        for chunk in task.drawn.chunks():
            stored[place : place + len(chunk.vectors)] = chunk.vectors
            place += len(chunk.vectors)
        stored.flush()
        part.rename(vectors)
    if done.exists():
        return None
    import muscall
    from muscall.library.embedding_version import embedding_version_of
    from muscall.library.store import Store

    embedding_version = embedding_version_of(muscall.load())
    with console.status("writing") as status:
        write_library(
            task.drawn,
            Store(task.cache / "library"),
            embedding_version,
            tell=lambda count: status.update(f"writing: {count:,} tracks"),
        )
    done.touch()
    return time.monotonic() - started


def exact(task: Task) -> dict[str, list[set[int]]]:
    """The nearest of each query, by the name of its kind."""
    asked = [kind for kind in kinds(task) if kind.vectors is not None]
    best: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    vectors = np.load(task.cache / "vectors.npy", mmap_mode="r")
    place = 0
    for chunk in task.drawn.chunks():
        block = np.array(vectors[place : place + len(chunk.bpm)])
        genres = task.drawn.genre[chunk.clusters]
        for kind in asked:
            fits = np.ones(len(block), bool)
            if kind.bpm is not None:
                fits = chunk.bpm.astype(np.float64) < kind.bpm
            if kind.genre is not None:
                fits = genres == kind.genre
            numbers = place + np.flatnonzero(fits)
            assert kind.vectors is not None
            scores = kind.vectors @ block[fits].T
            numbers = np.broadcast_to(numbers, scores.shape)
            if kind.name in best:
                scores = np.concatenate([best[kind.name][0], scores], axis=1)
                numbers = np.concatenate([best[kind.name][1], numbers], axis=1)
            order = np.argsort(-scores, axis=1)[:, :N]
            best[kind.name] = (
                np.take_along_axis(scores, order, 1),
                np.take_along_axis(numbers, order, 1),
            )
        place += len(block)
    return {name: [set(row.tolist()) for row in numbers] for name, (_, numbers) in best.items()}


# Engines, each in a process of its own


def library(task: Task) -> list[Measured]:
    """`Finder.find`, with the model of the package."""
    import muscall
    from muscall.library.embedding_version import embedding_version_of
    from muscall.library.search.examples import Sound
    from muscall.library.search.finder import Finder
    from muscall.library.search.query import SearchQuery
    from muscall.library.store import Store

    model = muscall.load()
    finder = Finder(Store(task.cache / "library"), embedding_version_of(model), model)
    finder.warm()
    draw = np.random.default_rng(task.drawn.seed)
    measured = []
    for kind in kinds(task):
        if kind.vectors is None:
            words = draw.choice(WORDS, size=(task.queries, 5))
            queries = [(SearchQuery(" ".join(row), n=N), []) for row in words]
        else:
            queries = [
                (SearchQuery(where=kind.where, n=N), [Sound("", one)]) for one in kind.vectors
            ]

        def find(place: int, queries: list[tuple[SearchQuery, list[Sound]]] = queries) -> list[int]:
            hits = finder.find(*queries[place])
            return [number_of(hit.key) for top in hits for hit in (top, *top.versions)]

        measured.append(measure("muscall", kind.name, find, task.queries))
    return measured


def plain(task: Task) -> list[Measured]:
    """All vectors in memory, in float32, and one product."""
    vectors = np.load(task.cache / "vectors.npy")

    def find(place: int) -> list[int]:
        scores = vectors @ queries[place]
        best = np.argpartition(-scores, N)[:N]
        return [int(number) for number in best]

    queries = task.drawn.examples(task.queries)
    return [measure("numpy", "by example", find, task.queries)]


def build_usearch(task: Task) -> None:
    from usearch.index import Index

    index = Index(ndim=task.drawn.dim, metric="ip", dtype="f16")
    for place, block in blocks(task):
        index.add(np.arange(place, place + len(block)), block)
    index.save(task.cache / "usearch.index")


def usearch(task: Task) -> list[Measured]:
    """Its graph over all tracks, in float16."""
    from usearch.index import Index

    index = Index.restore(task.cache / "usearch.index")
    queries = task.drawn.examples(task.queries)

    def find(place: int) -> list[int]:
        return [int(number) for number in index.search(queries[place], N).keys]

    return [measure("usearch, HNSW f16", "by example", find, task.queries)]


def build_faiss(task: Task) -> None:
    import faiss as engine

    kind = f"IVF{round(task.drawn.tracks**0.5)},SQ8"
    index = engine.index_factory(task.drawn.dim, kind, engine.METRIC_INNER_PRODUCT)
    vectors = np.load(task.cache / "vectors.npy", mmap_mode="r")
    index.train(np.array(vectors[:: max(1, len(vectors) // (50 * index.nlist))]))
    for _, block in blocks(task):
        index.add(block)
    engine.write_index(index, str(task.cache / "faiss.index"))


def faiss(task: Task) -> list[Measured]:
    """Partitions of bytes, as the library has them, of which a sixteenth is looked through."""
    import faiss as engine

    index = engine.read_index(str(task.cache / "faiss.index"))
    index.nprobe = max(1, index.nlist // 16)
    queries = task.drawn.examples(task.queries)

    def find(place: int) -> list[int]:
        return [int(number) for number in index.search(queries[place : place + 1], N)[1][0]]

    return [measure("faiss, IVF SQ8", "by example", find, task.queries)]


def blocks(task: Task) -> Iterator[tuple[int, np.ndarray]]:
    """The vectors of all tracks, and the number of the first of each block."""
    vectors = np.load(task.cache / "vectors.npy", mmap_mode="r")
    for place in range(0, len(vectors), CHUNK):
        yield place, np.array(vectors[place : place + CHUNK])


ENGINES: dict[str, Callable[[Task], list[Measured]]] = {
    "muscall": library,
    "numpy": plain,
    "usearch": usearch,
    "faiss": faiss,
}


BUILDERS = {"usearch": build_usearch, "faiss": build_faiss}


def measure(engine: str, kind: str, find: Callable[[int], list[int]], queries: int) -> Measured:
    """Ask each query once, after the first tenth of them for warming up."""
    for place in range(max(1, queries // 10)):
        find(place)
    taken, processor, found, started = [], [], [], time.monotonic()
    for place in range(queries):
        start, start_processor = time.perf_counter(), time.process_time()
        found.append(find(place))
        taken.append(1e3 * (time.perf_counter() - start))
        processor.append(1e3 * (time.process_time() - start_processor))
        if time.monotonic() - started > SLOWEST:
            break
    return Measured(engine, kind, taken, processor, found, memory(peak=True))


def apart(work: Callable[[Task], T], task: Task) -> T:
    """Run something in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn"), end_with_parent) as pool:
        return pool.submit(work, task).result()


# The table


def row(measured: Measured, truth: list[set[int]] | None) -> list[object]:
    """A row of HEADER; its last cell says whether it is as good as asked for, None for others."""
    p50, p99 = (float(value) for value in np.quantile(measured.milliseconds, [0.5, 0.99]))
    recall = lacking = None
    if truth is not None:
        pairs = list(zip(measured.found, truth, strict=False))
        recall = float(np.mean([len(set(got) & want) / max(1, len(want)) for got, want in pairs]))
        lacking = sum(len(got) < len(want) for got, want in pairs)
    good = None
    if measured.engine == "muscall":
        good = (recall is None or recall >= RECALL) and not lacking and measured.peak <= MEMORY
        # The time is asked for without a filter; a sentence's words are encoded besides.
        if measured.kind.startswith("by ") and "words" not in measured.kind:
            good = good and p50 <= P50 and p99 <= P99
    return [
        measured.engine,
        measured.kind,
        len(measured.milliseconds),
        p50,
        p99,
        float(np.median(measured.processor)),
        None if recall is None else f"{recall:.4f}",
        lacking,
        measured.peak,
        good,
    ]


HEADER = ["engine", "query", "queries", "p50, ms", "p99, ms", "processor, ms"]
HEADER += [f"recall at {N}", "queries with too few rows", "peak, MiB", "as asked for"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Search in a large library: speed, recall, memory.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--tracks", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=200, help="of each kind")
    parser.add_argument("--clusters", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=Path(".cache/library"), help="folder")
    parser.add_argument("--only", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--quick", action="store_true", help="20,000 tracks, 20 queries")
    options = parser.parse_args()
    if options.quick:
        options.tracks, options.queries = 20_000, 20
    name = f"{options.tracks}-{options.clusters}-{options.seed}"
    drawn = Synthetic(options.tracks, clusters=options.clusters, seed=options.seed)
    task = Task(options.cache.absolute() / name, drawn, options.queries)
    task.cache.mkdir(parents=True, exist_ok=True)
    took = prepare(task)
    with console.status("exact scan"):
        truth = exact(task)
    rows = []
    for name in options.only:
        with console.status(name):
            if name in BUILDERS and not (task.cache / f"{name}.index").exists():
                apart(BUILDERS[name], task)
            for measured in apart(ENGINES[name], task):
                rows.append(row(measured, truth.get(measured.kind)))
                console.print(table(HEADER, rows[-1:]).splitlines()[-1])
    what = f"{options.tracks:,} tracks of {drawn.dim} numbers in {options.clusters:,} clusters"
    what += "" if took is None else f", written in {took:,.0f} s"
    print(heading("usearch", "faiss-cpu", what=what))
    print(
        f"\nAsked for without a filter: p50 {P50:g} ms, p99 {P99:g} ms; always: recall at {N} of"
        f" {RECALL:g}, as many rows as exist, {MEMORY:g} MiB.\n"
    )
    print(table(HEADER, rows))
    raise SystemExit(any(cells[-1] is False for cells in rows))


if __name__ == "__main__":
    main()
