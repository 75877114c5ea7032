"""One run over the folders of a library: what changed is read, what is new is listened to."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal, TypedDict, Unpack

import torch

from muscall.errors import needs, one_line
from muscall.library.embedding_version import embedding_version_of
from muscall.library.indexing.batch import Batch
from muscall.library.indexing.ledger import Ledger, TrackFile
from muscall.library.indexing.listening import Listening
from muscall.library.indexing.report import Report
from muscall.library.indexing.writer import writing
from muscall.library.scan import SoundFile, choose_roots, scan, text_path
from muscall.library.store import Root, Store, reading
from muscall.models.muscall import MusCALL

Engine = Literal["local", "ray"]

_COMMIT_SECONDS, _COMMIT_TRACKS = 5.0, 64

log = logging.getLogger("muscall")


@dataclass(frozen=True)
class Progress:
    """How far a run is: `done` files of the `total` to be read, `seconds` of sound listened to."""

    done: int
    total: int
    seconds: float


class Options(TypedDict, total=False):
    """How `index` goes; what is left out is as None or False."""

    exclude: str | Sequence[str] | None
    """Patterns of what to leave out, or after a `!` to take in, see `search_folder`; remembered
    with the roots. None for those that are remembered."""
    workers: int | None
    """Processes that decode, at low priority; None for as many as torch has threads."""
    prune: bool
    """Delete what is gone from the folders, even where a whole folder has vanished. Without it, its
    tracks are kept and marked as offline."""
    retry_failed: bool
    """Read files again that could not be read."""
    dry_run: bool
    """Only report what a run would do: files are read but not listened to, nothing is written."""
    progress: Callable[[Progress], None] | None
    """Called again and again."""
    stopped: threading.Event | None
    """Another thread sets it to end the run early: what was done is committed and reported."""
    engine: Engine
    """"local", or "ray" to listen on a cluster, see `muscall.library.cluster.scaling`."""
    ray_address: str | None
    """Of the cluster; None for the one that RAY_ADDRESS names, or, without one, for a Ray on this
    machine alone."""


@reading()
def index(
    store: Store,
    model: MusCALL,
    roots: str | Path | Sequence[str | Path] = (),
    **options: Unpack[Options],
) -> Report:
    """Bring the library up to date with the folders `roots`; with all that it knows for none.

    A file is read where its size or one of its times changed. What it holds is known by its sound
    alone, so that what was moved, renamed or retagged is not listened to again. What is done is
    committed every few seconds: whatever ends a run, the next one does the rest.

    Args:
        options: see `Options`.

    Raises:
        MuscallError: there is no such folder, or none is known; another run is at work; the library
            cannot be written. What is committed stays.
        KeyboardInterrupt: on Ctrl-C, after what was done is committed.
    """
    prune, dry_run = options.get("prune", False), options.get("dry_run", False)
    workers, progress = options.get("workers"), options.get("progress")
    scaling = _scaling() if options.get("engine") == "ray" else None
    chosen = choose_roots(store.roots(), roots, options.get("exclude"))
    embedding_version = embedding_version_of(model)
    access = nullcontext() if dry_run else writing(store, embedding_version, model.config.dim)
    stopped = options.get("stopped") or threading.Event()
    with _interruptions() as interrupted, access as writer:
        ledger, vanished = _compared(
            store, embedding_version, chosen, options.get("retry_failed", False)
        )

        def commit() -> None:
            if writer is not None:
                writer.commit(ledger.batch)
            ledger.batch = Batch()

        if writer is not None:
            writer.put_roots(root for root in chosen.values() if root.path not in vanished)
        commit()
        total, committed, took = len(ledger.pending), time.monotonic(), 0.0
        if scaling is not None:
            address = options.get("ray_address")
            listen = scaling.listen(ledger, model, writer, address=address, workers=workers)
        else:
            embedder = model.audio_embedder()
            listening = Listening(ledger, model.config.audio, embedder, dry_run=dry_run)
            listen = listening.listen(workers or torch.get_num_threads())
        with closing(listen) as steps:
            for _ in steps:
                if stopped.is_set() or interrupted.is_set():
                    break
                if progress is not None:
                    progress(Progress(total - len(ledger.pending), total, ledger.report.seconds))
                started = time.monotonic()
                waited = started - committed
                due = waited > _COMMIT_SECONDS or len(ledger.batch.tracks) >= _COMMIT_TRACKS
                if due and waited > 9 * took:  # a tenth of the time, be storage ever so slow
                    commit()
                    committed = time.monotonic()
                    took = committed - started
        if stopped.is_set() or interrupted.is_set():
            commit()
            log.info("interrupted: %s", ledger.report)
            if interrupted.is_set():
                raise KeyboardInterrupt
            return ledger.report
        forgotten = ledger.settle(chosen, vanished, prune=prune) | ledger.followed
        commit()
        if writer is not None:
            orphans = ledger.orphans() if prune else ()
            gone = vanished | {row.root for row in store.files(ledger.followed).values()}
            writer.forget(tracks=orphans, files=forgotten, roots=gone - ledger.roots())
            writer.finish()
    return ledger.report


def _scaling() -> ModuleType:
    with needs("ray", "the engine ray"):
        from muscall.library.cluster import scaling
    return scaling


def _compared(
    store: Store, embedding_version: str, roots: dict[str, Root], retry_failed: bool
) -> tuple[Ledger, set[str]]:
    """The state of the library, compared with its folders, and the roots that vanished."""
    files = store.files()
    found: dict[str, SoundFile] = {}
    left_out: list[Path] = []
    seen: set[tuple[int, int]] = set()
    vanished = set()
    # Of roots within each other, what is in the inner one is the inner one's.
    for root in sorted(roots.values(), key=lambda root: root.path.count("/"), reverse=True):
        path = text_path(root.path)
        before = len(seen)
        there = scan(path, root.exclude, seen=seen, left_out=left_out)
        for name, file in there.items():
            found.setdefault(name, file)
        if there:
            continue
        if path.is_dir() and len(seen) == before:
            log.warning("%s: is in another folder of the library, and read once", one_line(path))
            continue
        gone = sum(row.root == root.path for row in files.values())
        kept = f"gone, {gone:,} files offline" if gone else "no music there"
        log.warning("%s: %s", one_line(path), kept)
        vanished.update([root.path] if gone else [])
    table = store.tracks(embedding_version)
    rows = [] if table is None else table.search().select(["key", "path", "offline"]).to_list()
    ledger = Ledger(files, {row["key"]: TrackFile(row["path"], row["offline"]) for row in rows})
    ledger.report.left_out = [path.name for path in left_out]
    for root in store.roots().values():
        if not _is_there(text_path(root.path)):
            ledger.follow(root, found)
    ledger.compare(found, roots, retry=retry_failed)
    return ledger, vanished


def _is_there(root: Path) -> bool:
    """Whether there is anything in a folder: where a drive is not mounted, nothing is."""
    try:
        return next(root.iterdir(), None) is not None
    except OSError:
        return False


@contextmanager
def _interruptions() -> Iterator[threading.Event]:
    """An event for the first Ctrl-C, which otherwise does nothing; the second is as ever."""
    stopped = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or before is not signal.default_int_handler:
        yield stopped  # interruptions are somebody else's business
        return

    def stop(*_: object) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
