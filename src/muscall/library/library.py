"""A person's music as an object: `muscall.Library`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from muscall.errors import MuscallError
from muscall.library.ledger import Report
from muscall.library.scan import text_path
from muscall.library.store import Store, default_folder
from muscall.library.watching import occasions

if TYPE_CHECKING:
    from muscall.library.indexing import Progress
    from muscall.models.muscall import MusCALL


@dataclass(frozen=True)
class Pipeline:
    """What one model has listened to."""

    id: str
    tracks: int
    offline: int
    """Of `tracks`, those whose files are all gone."""
    hours: float


@dataclass(frozen=True)
class Status:
    """What is in a library."""

    path: Path
    bytes: int
    """On disk."""
    roots: dict[Path, datetime]
    """The folders it was made from, and when each was last looked through."""
    files: int
    offline: int
    """Of `files`, those that are gone."""
    failed: int
    """Of `files`, those that cannot be read."""
    pipelines: list[Pipeline]


class Library:
    """The music that was indexed into a folder.

    Args:
        path: the folder; None for the one that MUSCALL_LIBRARY names, or else the user's own. The
            first `index` makes it.
        model: what listens: a model, or what `muscall.load` takes. Loaded when it is first needed.
    """

    def __init__(
        self, path: str | Path | None = None, model: MusCALL | str | Path | None = None
    ) -> None:
        self.store = Store(default_folder() if path is None else Path(path))
        self._model = model

    @cached_property
    def model(self) -> MusCALL:
        """The model that listens."""
        if self._model is None or isinstance(self._model, str | Path):
            from muscall.models.muscall import load

            return load(self._model)
        return self._model

    @cached_property
    def pipeline(self) -> str:
        """The name of what the model has listened to in the tables of `store`."""
        from muscall.library.pipeline import pipeline_id

        return pipeline_id(self.model)

    def index(
        self,
        roots: Sequence[str | Path] = (),
        *,
        exclude: Sequence[str] | None = None,
        workers: int | None = None,
        prune: bool = False,
        retry_failed: bool = False,
        dry_run: bool = False,
        progress: Callable[[Progress], None] | None = None,
        stopped: threading.Event | None = None,
    ) -> Report:
        """Bring the library up to date with folders; see `muscall.library.indexing.index`."""
        # What is asked of a library without a model shall not wait for torch.
        from muscall.library.indexing import index

        return index(
            self.store,
            self.model,
            roots,
            exclude=exclude,
            workers=workers,
            prune=prune,
            retry_failed=retry_failed,
            dry_run=dry_run,
            progress=progress,
            stopped=stopped,
        )

    def changes(self, roots: Sequence[str | Path] = ()) -> Iterator[None]:
        """Yields at once, then for ever whenever it is time to index `roots` again.

        That is when something changed there, and every ten minutes; all known roots for none.

        Raises:
            MuscallError: the system cannot watch so many folders.
        """
        known = [text_path(path) for path in self.store.roots()]
        return occasions([Path(root) for root in roots] or known, ignored=self.store.folder)

    def status(self) -> Status:
        """What is in the library.

        Raises:
            MuscallError: there is none.
        """
        self._must_exist()
        pipelines = []
        for pipeline in self.store.pipelines():
            table = self.store.tracks(pipeline)
            if table is not None:
                rows = table.search().select(["offline", "duration"]).to_arrow()
                offline = pc.sum(rows["offline"]).as_py() or 0
                hours = (pc.sum(rows["duration"]).as_py() or 0.0) / 3600
                pipelines.append(Pipeline(pipeline, len(rows), offline, hours))
        files = self.store.files().values()
        return Status(
            path=self.store.folder,
            bytes=sum(map(_size, self.store.folder.rglob("*"))),
            roots={text_path(root.path): root.scanned for root in self.store.roots().values()},
            files=len(files),
            offline=sum(file.state == "offline" for file in files),
            failed=sum(file.error is not None for file in files),
            pipelines=pipelines,
        )

    def errors(self) -> list[tuple[Path, str]]:
        """The files that cannot be read, sorted by name, and why.

        Raises:
            MuscallError: there is no library.
        """
        self._must_exist()
        files = self.store.files().values()
        failed = [(text_path(file.path), file.error) for file in files if file.error is not None]
        return sorted(failed)

    def _must_exist(self) -> None:
        if not self.store.folder.is_dir():
            raise MuscallError(f"{self.store.folder}: no library there; `muscall index` makes one")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a run that is at work has just removed it
        return 0
