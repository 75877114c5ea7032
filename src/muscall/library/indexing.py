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
from typing import Literal

import torch

from muscall.errors import MuscallError, one_line
from muscall.library.ledger import Ledger, Place, Report
from muscall.library.listening import Listening
from muscall.library.pipeline import pipeline_id
from muscall.library.scan import Found, choose_roots, scan, text_path
from muscall.library.store import Root, Store
from muscall.library.writer import Batch, writing
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


def index(
    store: Store,
    model: MusCALL,
    roots: str | Path | Sequence[str | Path] = (),
    *,
    exclude: str | Sequence[str] | None = None,
    workers: int | None = None,
    prune: bool = False,
    retry_failed: bool = False,
    dry_run: bool = False,
    progress: Callable[[Progress], None] | None = None,
    stopped: threading.Event | None = None,
    engine: Engine = "local",
    ray_address: str | None = None,
) -> Report:
    """Bring the library up to date with the folders `roots`; with all that it knows for none.

    A file is read where its size or its time changed. What it holds is known by its sound alone,
    so that what was moved, renamed or retagged is not listened to again. What is done is committed
    every few seconds: whatever ends a run, the next one does the rest.

    Args:
        exclude: patterns of what to leave out, see `search_folder`; remembered with `roots`. None
            for those that are remembered.
        workers: processes that decode, at low priority; None for as many as torch has threads.
        prune: delete what is gone from the folders, even where a whole folder has vanished. Without
            it, its tracks are kept and marked as offline.
        retry_failed: read files again that could not be read.
        dry_run: only tell what a run would do: files are read but not listened to, nothing is
            written.
        progress: called again and again.
        stopped: to be set by another thread to end the run early: what was done is committed, and
            the report tells of that.
        engine: "ray" listens on a cluster, see `muscall.library.scaling`.
        ray_address: of the cluster; None for the one that RAY_ADDRESS names, or, without one, for a
            Ray on this machine alone.

    Raises:
        MuscallError: there is no such folder, or none is known; another run is at work; the library
            cannot be written. What is committed stays.
        KeyboardInterrupt: on Ctrl-C, after what was done is committed.
    """
    scaling = _scaling() if engine == "ray" else None
    chosen = choose_roots(store.roots(), roots, exclude)
    pipeline = pipeline_id(model)
    access = nullcontext() if dry_run else writing(store, pipeline, model.config.dim)
    stopped = stopped or threading.Event()
    with _interruptions() as interrupted, access as writer:
        ledger, vanished = _compared(store, pipeline, chosen, retry_failed)

        def commit() -> None:
            if writer is not None:
                writer.commit(ledger.batch)
            ledger.batch = Batch()

        if writer is not None:
            writer.put_roots(root for root in chosen.values() if root.path not in vanished)
        commit()
        total, committed, took = len(ledger.pending), time.monotonic(), 0.0
        if scaling is not None:
            listen = scaling.listen(ledger, model, writer, address=ray_address, workers=workers)
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
        forgotten = ledger.settle(chosen, vanished, prune=prune)
        commit()
        if writer is not None:
            homeless = ledger.homeless() if prune else ()
            writer.forget(tracks=homeless, files=forgotten, roots=vanished - ledger.roots())
            writer.finish()
    return ledger.report


def _scaling() -> ModuleType:
    try:
        from muscall.library import scaling
    except ModuleNotFoundError as error:
        missing = f"the engine ray needs pip install 'muscall[ray]': no module {error.name}"
        raise MuscallError(missing) from None
    return scaling


def _compared(
    store: Store, pipeline: str, roots: dict[str, Root], retry_failed: bool
) -> tuple[Ledger, set[str]]:
    """The state of the library, compared with its folders, and the roots that vanished."""
    files = store.files()
    found: dict[str, Found] = {}
    vanished = set()
    for root in roots.values():
        there = scan(text_path(root.path), root.exclude)
        for path, file in there.items():
            found.setdefault(path, file)
        if not there:
            gone = sum(row.root == root.path for row in files.values())
            kept = f"gone, {gone:,} files offline" if gone else "no music there"
            log.warning("%s: %s", one_line(text_path(root.path)), kept)
            vanished.update([root.path] if gone else [])
    table = store.tracks(pipeline)
    rows = [] if table is None else table.search().select(["key", "path", "offline"]).to_list()
    ledger = Ledger(files, {row["key"]: Place(row["path"], row["offline"]) for row in rows})
    ledger.compare(found, roots, retry=retry_failed)
    return ledger, vanished


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
