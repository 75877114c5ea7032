"""Listening on many machines: Ray Data ships paths to where they are read, and no sound at all.

This is the driver's side: it hands out what is pending in its ledger, enters there what the
workers of `muscall.library.cluster.nodes` report, and so leaves all commits to the one writer.
Every node must see the music and the library at the same path.
"""

from __future__ import annotations

import copy
import logging
import math
import os
import pickle
import socket
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before Ray is imported

import pyarrow as pa
import ray
import ray.data
from ray.exceptions import RayError

from muscall.audio.tags import Tags
from muscall.errors import MuscallError
from muscall.library.cluster.claims import Claims
from muscall.library.cluster.nodes import (
    AudioBranch,
    FileReport,
    FileWorker,
    Target,
    models_on_gpus,
)
from muscall.library.indexing.ledger import Ledger
from muscall.library.indexing.writer import Writer
from muscall.models.muscall import MusCALL

_BATCH = 64  # files; what a worker has not reported yet is lost with it

log = logging.getLogger("muscall")


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
        workers: workers at most; None for as many as the cluster has processors.

    Raises:
        MuscallError: there is no such cluster, or its nodes do not see the library.
    """
    yield
    if not ledger.pending:
        return
    try:
        with connected(address):
            left = len(ledger.pending) + 1
            # Again for what was lost with a node, or waited for a copy that came to nothing.
            while 0 < len(ledger.pending) < left:
                left = len(ledger.pending)
                yield from _round(ledger, model, writer, workers)
    except RayError as error:
        raise MuscallError(f"ray: {_last_line(error)}") from error


def _round(
    ledger: Ledger, model: MusCALL, writer: Writer | None, workers: int | None
) -> Generator[None]:
    paths = list(ledger.pending)
    processors = max(1, int(ray.cluster_resources().get("CPU", 0)))  # none yet, if they grow
    count = min(workers or processors, processors, len(paths))
    batches = math.ceil(len(paths) / max(1, min(_BATCH, len(paths) // (4 * count))))
    branch = ray.put(_branch(model))
    claims = ray.remote(Claims).options(num_cpus=0).remote(ledger.keys())
    gpus = models_on_gpus(branch) if writer is not None else {}
    dataset = ray.data.from_arrow(pa.table({"path": paths}), override_num_blocks=batches)
    told = dataset.map_batches(
        FileWorker,
        fn_constructor_args=(branch, gpus, claims, _target(writer)),
        batch_size=None,
        num_cpus=1,
        concurrency=(1, count, count),
    )
    waiting: list[tuple[str, str, Tags]] = []
    try:
        for row in told.iter_rows():
            report: FileReport = pickle.loads(row["report"])
            for warning in report.warnings:
                log.warning("%s", warning)
            waiting += _enter(ledger, report)
            yield
    finally:
        # Ray Data still refers to them, and the next round needs the GPUs.
        for actor in (claims, *chain.from_iterable(gpus.values())):
            ray.kill(actor)
    for path, key, tags in waiting:
        if path in ledger.pending and ledger.knows(key):
            ledger.identify(path, key, tags)
    yield


def _branch(model: MusCALL) -> AudioBranch:
    encoder, projection = copy.deepcopy(model.audio), copy.deepcopy(model.audio_projection)
    return AudioBranch(model.config.audio, encoder.cpu(), projection.cpu(), model.precision)


def _enter(ledger: Ledger, report: FileReport) -> list[tuple[str, str, Tags]]:
    """Enter what a worker reports; the files whose sound another worker has yet to report."""
    if any(entry[0] not in ledger.pending for _, entry in report.entries):
        return []  # reported a second time, after a node was lost
    waiting = []
    ledger.batch.fragments += report.fragments
    for name, entry in report.entries:
        if name == "identify" and not ledger.knows(entry[1]):
            waiting.append(entry)
        else:
            getattr(ledger, name)(*entry)
    return waiting


def _target(writer: Writer | None) -> Target | None:
    if writer is None:
        return None
    table = writer.windows.to_lance()
    dim = table.schema.field("vector").type.list_size
    uri = table.uri if "://" in table.uri else str(Path(table.uri).absolute())
    return Target(uri, table.data_storage_version, dim)


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Ray, quietly; started and ended here unless the caller has done that."""
    if ray.is_initialized():
        yield
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    place = address or os.environ.get("RAY_ADDRESS", "")
    host, _, port = place.removeprefix("ray://").rpartition(":")
    try:
        if port.isdigit():  # Ray itself would go on trying for minutes
            socket.create_connection((host, int(port)), timeout=10).close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of LanceDB, idle while Ray forks
            ray.init(
                address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
            )
    except (OSError, RuntimeError, ValueError) as error:
        raise MuscallError(f"ray {place}: {_last_line(error)}") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


def _last_line(error: Exception) -> str:
    *_, line = str(error).strip().splitlines() or [type(error).__name__]
    return line
