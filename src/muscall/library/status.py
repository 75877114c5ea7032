"""What is in a library."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow.compute as pc

from muscall.library.damage import find_damage
from muscall.library.scan import text_path
from muscall.library.store import REPAIR, Store


@dataclass(frozen=True)
class EmbeddingVersion:
    """The tracks that one model has embedded."""

    id: str
    tracks: int
    offline: int
    """Of `tracks`, those whose files are all gone."""
    hours: float


@dataclass(frozen=True)
class Status:
    """What is in a library."""

    path: str | Path
    bytes: int
    """On disk, or in the bucket."""
    roots: dict[Path, datetime]
    """The folders it was made from, and when each was last looked through."""
    files: int
    offline: int
    """Of `files`, those that are gone."""
    failed: int
    """Of `files`, those that cannot be read."""
    embedding_versions: list[EmbeddingVersion]
    counts: dict[Path, int] = field(default_factory=dict)
    """How many of `files` were found in each folder."""
    damage: dict[str, str] = field(default_factory=dict)
    """What cannot be read of the library itself, and why; what is in there is not counted."""

    def heard_by(self, embedding_version: str) -> EmbeddingVersion:
        """The tracks of an embedding version; none, if the library has none of it."""
        nothing = EmbeddingVersion(embedding_version, tracks=0, offline=0, hours=0.0)
        return next(
            (one for one in self.embedding_versions if one.id == embedding_version), nothing
        )

    @property
    def advice(self) -> str | None:
        """What to do about damage, in one line; None without any."""
        if not self.damage:
            return None
        kinds = sorted({name.partition("_")[0] for name in self.damage})
        return f"the library is damaged ({', '.join(kinds)}): {REPAIR}"


def read_errors(store: Store) -> list[tuple[Path, str]]:
    """The files of `store` that cannot be read, sorted by name, and why."""
    files = store.files().values()
    return sorted((text_path(file.path), file.error) for file in files if file.error is not None)


def read_status(store: Store) -> Status:
    """What is in `store`, whose folder exists."""
    damage = find_damage(store)
    embedding_versions = []
    for embedding_version in store.embedding_versions():
        table = None if f"tracks_{embedding_version}" in damage else store.tracks(embedding_version)
        if table is not None:
            rows = table.search().select(["offline", "duration"]).to_arrow()
            offline = pc.sum(rows["offline"]).as_py() or 0
            hours = (pc.sum(rows["duration"]).as_py() or 0.0) / 3600
            embedding_versions.append(
                EmbeddingVersion(embedding_version, len(rows), offline, hours)
            )
    files = [] if "files" in damage else list(store.files().values())
    roots = {} if "roots" in damage else store.roots()
    return Status(
        path=store.folder,
        bytes=store.size(),
        roots={text_path(root.path): root.scanned for root in roots.values()},
        files=len(files),
        offline=sum(file.state == "offline" for file in files),
        failed=sum(file.error is not None for file in files),
        embedding_versions=embedding_versions,
        counts={text_path(root): n for root, n in Counter(file.root for file in files).items()},
        damage=damage,
    )
