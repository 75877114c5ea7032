"""What runs on the nodes of a cluster: actors that read files and listen.

A `FileWorker` is one processor. It runs what a single machine runs, a `Listening` with a decoder
process, but what would be entered in the ledger it tells the driver. The windows it writes itself,
into fragments of their table.
"""

from __future__ import annotations

import logging
import pickle
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from logging.handlers import QueueHandler
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
import ray
import torch
from lance_ray.fragment import write_fragment
from ray.actor import ActorHandle
from ray.types import ObjectRef
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from muscall.audio.tags import Tags
from muscall.library.indexing.batch import Track, windows_table
from muscall.library.indexing.listening import Listening
from muscall.library.indexing.messages import Decoded
from muscall.models.audio import AudioEncoder
from muscall.models.config import AudioConfig
from muscall.models.inference import AudioEmbedder, Embedder
from muscall.models.memory import keep_freed_memory

if TYPE_CHECKING:
    from lance.fragment import FragmentMetadata

log = logging.getLogger("muscall")


@dataclass(frozen=True)
class Target:
    """The table of windows, as every node sees it."""

    uri: str
    format: str
    dim: int


@dataclass
class FileReport:
    """What a worker reports of a batch of files."""

    entries: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    """Methods of the ledger, and their arguments."""
    fragments: list[FragmentMetadata] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class LedgerRecorder:
    """Stands for the ledger at a worker: it records what the ledger is to enter."""

    def __init__(self, paths: list[str], claims: ActorHandle) -> None:
        self.pending = paths
        self.report = FileReport()
        self.heard: list[Track] = []
        self._claims = claims
        self._done: set[str] = set()

    def known_key(self, path: str) -> str | None:  # noqa: ARG002
        return None

    def knows(self, key: str) -> bool:
        return key in self._done or not ray.get(self._claims.claim.remote(key, self.pending[0]))

    def identify(self, path: str, key: str, tags: Tags) -> None:
        self._enter("identify", path, key, tags)

    def add(
        self,
        path: str,
        key: str,
        tags: Tags,
        decoded: Decoded,
        windows: list[tuple[float, float, np.ndarray]],
        embedding: np.ndarray,
    ) -> None:
        self._done.add(key)
        self.heard.append(Track({"key": key}, windows))
        self._enter("add", path, key, tags, decoded, len(windows), embedding)

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
class AudioBranch:
    """What of a model listens."""

    config: AudioConfig
    encoder: AudioEncoder
    projection: torch.nn.Module
    precision: torch.dtype | None

    def embedder(self, device: str) -> AudioEmbedder:
        return AudioEmbedder(
            self.encoder.to(device), self.projection.to(device), precision=self.precision
        )


class FileWorker:
    """Reads batches of files. The model is in it too, unless its node has a GPU for that."""

    def __init__(
        self,
        branch: ObjectRef[AudioBranch],
        gpus: dict[str, list[ActorHandle]],
        claims: ActorHandle,
        target: Target | None,
    ) -> None:
        torch.set_num_threads(1)
        keep_freed_memory()
        self._claims = claims
        self._target = target
        self._audio = ray.get(branch).config
        here = gpus.get(ray.get_runtime_context().get_node_id())
        self._embedder: Embedder
        self._embedder = (
            RemoteEmbedder(random.choice(here)) if here else ray.get(branch).embedder("cpu")
        )

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list[bytes]]:
        recorder = LedgerRecorder([str(path) for path in batch["path"]], self._claims)
        listening = Listening(recorder, self._audio, self._embedder, dry_run=self._target is None)
        with _warnings(recorder.report):
            for _ in listening.listen(workers=1):
                pass
        if self._target is not None and recorder.heard:
            windows = windows_table(recorder.heard, self._target.dim)
            written = write_fragment(
                [windows],
                self._target.uri,
                schema=windows.schema,
                data_storage_version=self._target.format,
            )
            recorder.report.fragments = [fragment for fragment, _ in written]
        return {"report": [pickle.dumps(recorder.report)]}


class _Model:
    """A model on a GPU, for the workers of its node: windows reach it through shared memory."""

    def __init__(self, branch: AudioBranch) -> None:
        self._embedder = branch.embedder("cuda" if torch.cuda.is_available() else "cpu")

    def chunk(self) -> int:
        return self._embedder.chunk

    def embed(self, windows: np.ndarray) -> np.ndarray:
        """(n, samples) float32 -> (n, dim) float32, for at most `chunk` windows."""
        return self._embedder(list(windows))


class RemoteEmbedder:
    """An embedder that is in an actor."""

    def __init__(self, model: ActorHandle) -> None:
        self._model = model
        self.chunk: int = ray.get(model.chunk.remote())

    def __call__(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        vectors: np.ndarray = ray.get(self._model.embed.remote(np.stack(windows)))
        return vectors


def models_on_gpus(branch: ObjectRef[AudioBranch]) -> dict[str, list[ActorHandle]]:
    """A `_Model` for each GPU of the cluster, by the node that it is in."""
    actor = ray.remote(num_cpus=0, num_gpus=1, max_restarts=-1, max_task_retries=-1)(_Model)
    models: dict[str, list[ActorHandle]] = {}
    for node in ray.nodes():
        count = int(node["Resources"].get("GPU", 0)) if node["Alive"] else 0
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        if count:
            actors = [actor.options(scheduling_strategy=there) for _ in range(count)]
            models[node["NodeID"]] = [one.remote(branch) for one in actors]
    return models


@contextmanager
def _warnings(report: FileReport) -> Iterator[None]:
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
