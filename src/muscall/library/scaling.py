"""Listening on many machines: Ray Data ships paths to where they are read, and no sound at all.

A listener is an actor with one processor. It runs what a single machine runs, a `Listening` with a
decoder process, writes the windows into fragments of their table, and tells the driver the rest.
The driver enters that in its ledger and commits. What every node must see at the same path is the
music, and the library.
"""

from __future__ import annotations

import copy
import logging
import math
import os
import pickle
import random
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from logging.handlers import QueueHandler
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before Ray is imported: it tells nobody

import numpy as np
import pyarrow as pa
import ray
import ray.data
import torch
from lance_ray.fragment import write_fragment
from ray.actor import ActorHandle
from ray.exceptions import RayError
from ray.types import ObjectRef
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from muscall.audio.tags import Tags
from muscall.errors import MuscallError
from muscall.library.ledger import Ledger
from muscall.library.listening import Listening
from muscall.library.writer import Track, Writer, windows_table
from muscall.models.audio import AudioEncoder
from muscall.models.config import AudioConfig
from muscall.models.inference import AudioEmbedder, Embedder
from muscall.models.memory import keep_freed_memory
from muscall.models.muscall import MusCALL

if TYPE_CHECKING:
    from lance.fragment import FragmentMetadata

_BATCH = 64  # files; what a listener has not told yet is lost with it

log = logging.getLogger("muscall")


@dataclass(frozen=True)
class _Target:
    """The table of windows, as every node sees it."""

    uri: str
    format: str
    dim: int


@dataclass
class _Report:
    """What a listener tells of a batch of files."""

    entries: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    """Methods of the ledger, and what they are to be called with."""
    fragments: list[FragmentMetadata] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def listen(
    ledger: Ledger,
    model: MusCALL,
    writer: Writer | None,
    *,
    address: str | None,
    workers: int | None,
) -> Generator[None]:
    """Work off the pending files of `ledger`; yields often. May be left at any time.

    Args:
        writer: of the library; None for a dry run.
        address: of the cluster. None for the one that RAY_ADDRESS names, or for this machine.
        workers: listeners at most; None for as many as the cluster has processors.

    Raises:
        MuscallError: there is no such cluster, or its nodes do not see the library.
    """
    yield
    if not ledger.pending:
        return
    try:
        with _connected(address):
            left = len(ledger.pending) + 1
            # Again for what was lost with a node, or waited for a copy that came to nothing.
            while 0 < len(ledger.pending) < left:
                left = len(ledger.pending)
                yield from _round(ledger, model, writer, workers)
    except (RayError, ConnectionError) as error:
        *_, reason = str(error).strip().splitlines()
        raise MuscallError(f"ray: {reason}") from error


def _round(
    ledger: Ledger, model: MusCALL, writer: Writer | None, workers: int | None
) -> Generator[None]:
    paths = list(ledger.pending)
    count = min(workers or len(paths), int(ray.cluster_resources().get("CPU", 1)), len(paths))
    batches = math.ceil(len(paths) / max(1, min(_BATCH, len(paths) // (4 * count))))
    ear = ray.put(_ear(model))
    desk = ray.remote(_Desk).options(num_cpus=0).remote(ledger.keys())
    gpus = _gpus(ear) if writer is not None else {}
    dataset = ray.data.from_arrow(pa.table({"path": paths}), override_num_blocks=batches)
    told = dataset.map_batches(
        _Listener,
        fn_constructor_args=(ear, gpus, desk, _target(writer)),
        batch_size=None,
        num_cpus=1,
        concurrency=(1, count, count),
    )
    waiting: list[tuple[str, str, Tags]] = []
    for row in told.iter_rows():
        report: _Report = pickle.loads(row["report"])
        for warning in report.warnings:
            log.warning("%s", warning)
        waiting += _enter(ledger, report)
        yield
    for path, key, tags in waiting:
        if ledger.knows(key):
            ledger.identify(path, key, tags)
    yield


def _ear(model: MusCALL) -> _Ear:
    encoder, projection = copy.deepcopy(model.audio), copy.deepcopy(model.audio_projection)
    return _Ear(model.config.audio, encoder.cpu(), projection.cpu(), model.precision)


def _enter(ledger: Ledger, report: _Report) -> list[tuple[str, str, Tags]]:
    """Enter what a listener tells; the files with sound that another one has yet to tell of."""
    if any(entry[0] not in ledger.pending for _, entry in report.entries):
        return []  # told a second time, after a node was lost
    waiting = []
    ledger.batch.fragments += report.fragments
    for name, entry in report.entries:
        if name == "identify" and not ledger.knows(entry[1]):
            waiting.append(entry)
        else:
            getattr(ledger, name)(*entry)
    return waiting


class _Desk:
    """Decides which listener decodes a sound that several of them come upon."""

    def __init__(self, known: set[str]) -> None:
        self._claims = dict.fromkeys(known, "")

    def claim(self, key: str, batch: str) -> bool:
        """Whether the sound is for `batch`; always the same answer."""
        return self._claims.setdefault(key, batch) == batch


class _Notes:
    """Stands for the ledger where a listener is: takes down what is to be entered there."""

    def __init__(self, paths: list[str], desk: ActorHandle) -> None:
        self.pending = paths
        self.report = _Report()
        self.heard: list[Track] = []
        self._desk = desk
        self._done: set[str] = set()

    def knows(self, key: str) -> bool:
        return key in self._done or not ray.get(self._desk.claim.remote(key, self.pending[0]))

    def identify(self, path: str, key: str, tags: Tags) -> None:
        self._enter("identify", path, key, tags)

    def add(
        self,
        path: str,
        key: str,
        tags: Tags,
        duration: float,
        windows: list[tuple[float, float, np.ndarray]],
        embedding: np.ndarray,
    ) -> None:
        self._done.add(key)
        self.heard.append(Track({"key": key}, windows))
        self._enter("add", path, key, tags, duration, len(windows), embedding)

    def expect(self, path: str, key: str) -> None:
        self._done.add(key)
        self._enter("expect", path, key)

    def fail(self, path: str, reason: str) -> None:
        self._enter("fail", path, reason)

    def skip(self, path: str) -> None:
        self._enter("skip", path)

    def _enter(self, method: str, *arguments: Any) -> None:
        self.report.entries.append((method, arguments))


@dataclass(frozen=True)
class _Ear:
    """What of a model listens."""

    config: AudioConfig
    encoder: AudioEncoder
    projection: torch.nn.Linear
    precision: torch.dtype

    def embedder(self, device: str) -> AudioEmbedder:
        return AudioEmbedder(
            self.encoder.to(device), self.projection.to(device), precision=self.precision
        )


class _Listener:
    """Reads batches of files. The model is in it too, unless its node has a GPU for that."""

    def __init__(
        self,
        ear: ObjectRef[_Ear],
        gpus: dict[str, list[ActorHandle]],
        desk: ActorHandle,
        target: _Target | None,
    ) -> None:
        torch.set_num_threads(1)
        keep_freed_memory()
        self._desk = desk
        self._target = target
        self._audio = ray.get(ear).config
        here = gpus.get(ray.get_runtime_context().get_node_id())
        self._embedder: Embedder
        self._embedder = _Lent(random.choice(here)) if here else ray.get(ear).embedder("cpu")

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list[bytes]]:
        notes = _Notes([str(path) for path in batch["path"]], self._desk)
        listening = Listening(notes, self._audio, self._embedder, dry_run=self._target is None)
        with _warnings(notes.report):
            for _ in listening.listen(workers=1):
                pass
        if self._target is not None and notes.heard:
            windows = windows_table(notes.heard, self._target.dim)
            written = write_fragment(
                [windows],
                self._target.uri,
                schema=windows.schema,
                data_storage_version=self._target.format,
            )
            notes.report.fragments = [fragment for fragment, _ in written]
        return {"report": [pickle.dumps(notes.report)]}


class _Model:
    """A model on a GPU, for the listeners of its node: windows reach it through shared memory."""

    def __init__(self, ear: _Ear) -> None:
        self._embedder = ear.embedder("cuda" if torch.cuda.is_available() else "cpu")

    def chunk(self) -> int:
        return self._embedder.chunk

    def embed(self, windows: np.ndarray) -> np.ndarray:
        """(n, samples) float32 -> (n, dim) float32, for at most `chunk` windows."""
        return self._embedder(list(windows))


class _Lent:
    """An embedder that is in an actor."""

    def __init__(self, model: ActorHandle) -> None:
        self._model = model
        self.chunk: int = ray.get(model.chunk.remote())

    def __call__(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        vectors: np.ndarray = ray.get(self._model.embed.remote(np.stack(windows)))
        return vectors


def _gpus(ear: ObjectRef[_Ear]) -> dict[str, list[ActorHandle]]:
    """A `_Model` for each GPU of the cluster, by the node that it is in."""
    actor = ray.remote(num_cpus=0, num_gpus=1, max_restarts=-1, max_task_retries=-1)(_Model)
    models = {}
    for node in ray.nodes():
        count = int(node["Resources"].get("GPU", 0)) if node["Alive"] else 0
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        lent = [actor.options(scheduling_strategy=there).remote(ear) for _ in range(count)]
        models.update({node["NodeID"]: lent} if lent else {})
    return models


def _target(writer: Writer | None) -> _Target | None:
    if writer is None:
        return None
    table = writer.windows.to_lance()
    dim = table.schema.field("vector").type.list_size
    return _Target(table.uri, table.data_storage_version, dim)


@contextmanager
def _warnings(report: _Report) -> Iterator[None]:
    """Take down what is logged for the driver's log."""
    records: SimpleQueue[logging.LogRecord] = SimpleQueue()
    handler = QueueHandler(records)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
    while not records.empty():
        report.warnings.append(records.get().getMessage())


@contextmanager
def _connected(address: str | None) -> Iterator[None]:
    """Ray, quietly; started and ended here unless the caller has done that."""
    if ray.is_initialized():
        yield
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    ray.init(address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()
