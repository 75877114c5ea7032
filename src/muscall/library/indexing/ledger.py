"""What an index run knows of files and tracks, and what of it is written next."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from muscall.audio.tags import Tags
from muscall.errors import one_line
from muscall.library.indexing.batch import Batch, Track, descriptor_columns, tag_columns
from muscall.library.indexing.messages import Decoded
from muscall.library.indexing.report import Report
from muscall.library.scan import SoundFile, is_same_time, text_path
from muscall.library.store import File, Root

log = logging.getLogger("muscall")


@dataclass
class TrackFile:
    """Where a track is: the path of a file that holds it, and whether none is there."""

    path: str
    offline: bool


class Ledger:
    """Starts with what the library knows; `batch` gathers what changes, `report` counts it.

    Paths are texts of `scan.path_text`.
    """

    def __init__(self, files: dict[str, File], tracks: dict[str, TrackFile]) -> None:
        self.batch = Batch()
        self.report = Report()
        self.pending: dict[str, SoundFile] = {}
        """Files that the run has still to read, in order."""
        self._files = files
        self._tracks = tracks
        self._holders: dict[str, set[str]] = {}
        self._gone: set[str] = set()
        self.followed: set[str] = set()
        """Paths of rows to be forgotten, since their files are known at another path."""
        self._tags: dict[str, dict[str, Any]] = {}
        """Of files with known sound that were read in this run."""

    def follow(self, gone: Root, found: Mapping[str, SoundFile]) -> None:
        """Where the folder `gone` is mounted elsewhere now, take over what is known of its files.

        Those are the files of `found` at the same path below another root, of the same size and
        time, unless they came there after `gone` was last read, as a copy of it does.
        """
        moved, last = 0, int(gone.scanned.timestamp() * 1e9)
        for path, file in found.items():
            old = gone.path + path.removeprefix(file.root)
            row = self._files.get(old)
            if row is None or row.root != gone.path:
                continue
            if file.root == gone.path or file.ctime_ns > last or not _is_same(row, file):
                continue
            self.followed.add(old)
            if path in self._files:
                continue
            moved += 1
            self._write(replace(row, path=path, root=file.root, state="present"))
            place = self._tracks.get(row.key or "")
            if row.key is not None and place is not None and place.path == old:
                self._tracks[row.key] = TrackFile(path, offline=False)
                change = {"path": path, "root": file.root, "offline": False}
                self.batch.changes.setdefault(row.key, {}).update(change)
        for path in self.followed & self._files.keys():
            del self._files[path]
        self.report.moved += moved
        self.report.unchanged -= moved  # as which `compare` counts them
        if moved:
            log.warning(
                "%s: gone; %s of its files are elsewhere now", one_line(gone.path), f"{moved:,}"
            )

    def compare(
        self, found: Mapping[str, SoundFile], roots: Collection[str], *, retry: bool
    ) -> None:
        """Take in what was found in `roots`: what is pending, what is back and what is gone.

        Args:
            retry: read files again that could not be read.
        """
        for path, file in found.items():
            row = self._files.get(path)
            if row is None or not self._is_done(row, file, retry):
                self.pending[path] = file
            elif row.ctime_ns is not None and not is_same_time(row.ctime_ns, file.ctime_ns):
                self.pending[path] = replace(file, key=row.key)
            else:
                self.report.unchanged += 1
            if row is not None and row.state == "offline":
                self._write(replace(row, state="present"))
        for path, row in list(self._files.items()):
            if row.root in roots and path not in found and row.state == "present":
                self._gone.add(path)
                self._write(replace(row, state="offline"))
        for path, row in self._files.items():
            if row.key is not None and row.state == "present":
                self._holders.setdefault(row.key, set()).add(path)
        for key, place in self._tracks.items():
            holders = self._holders.get(key, set())
            if place.path in self.pending or place.path not in holders:
                # The track may come to point to another of its files, which has tags of its own.
                for path in sorted(holders):
                    if path in found and path not in self.pending:
                        self.pending[path] = found[path]
                        self.report.unchanged -= 1
            self._place(key)

    def _is_done(self, row: File, file: SoundFile, retry: bool) -> bool:
        # A key without a track: another model has heard it, not this one.
        return _is_same(row, file) and (not retry if row.key is None else row.key in self._tracks)

    def keys(self) -> set[str]:
        """The sounds that there are tracks of."""
        return set(self._tracks)

    def known_key(self, path: str) -> str | None:
        """The key of the sound of a pending file, where only its tags may have changed."""
        return self.pending[path].key

    def knows(self, key: str) -> bool:
        """Whether there is a track with this sound."""
        return key in self._tracks

    def identify(self, path: str, key: str, tags: Tags) -> None:
        """The pending file at `path` has the sound of a track that is known."""
        row = self._files.get(path)
        others = self._holders.get(key, set()) - {path}
        if row is not None and row.key == key:
            if _is_same(row, self.pending[path]):
                self.report.unchanged += 1
            else:
                self.report.retagged += 1
        elif self._tracks[key].path == path and not others:
            self.report.added += 1  # by a run that was killed before it wrote this
        elif others - self.pending.keys():
            self.report.copies += 1
        else:
            self.report.moved += 1
        self._tags[path] = tag_columns(tags)
        self._resolve(path, key=key)
        if self._tracks[key].path == path:
            self.batch.changes.setdefault(key, {}).update(self._tags[path])

    def add(
        self,
        path: str,
        key: str,
        tags: Tags,
        decoded: Decoded,
        windows: list[tuple[float, float, np.ndarray]] | int,
        embedding: np.ndarray,
    ) -> None:
        """The pending file at `path` has new sound, which was decoded.

        Args:
            windows: of each its start and length in seconds and its vector (dim,); or how many
                there are, where they are in `batch.fragments`.
            embedding: (dim,) float32, unit norm.
        """
        self.report.added += 1
        self.report.seconds += decoded.seconds
        row = {
            "key": key,
            "path": path,
            "root": self.pending[path].root,
            **tag_columns(tags),
            "duration": decoded.seconds,
            **descriptor_columns(decoded.descriptors),
            "waveform": decoded.waveform,
            "offline": False,
            "added": datetime.now(UTC),
            "windows": windows if isinstance(windows, int) else len(windows),
            "vector": embedding,
        }
        self.batch.tracks.append(Track(row, [] if isinstance(windows, int) else windows))
        self._tracks[key] = TrackFile(path, offline=False)
        self._resolve(path, key=key)

    def expect(self, path: str, key: str) -> None:
        """The pending file at `path` would be added."""
        self.report.added += 1
        self._tracks[key] = TrackFile(path, offline=False)
        self._resolve(path, key=key)

    def fail(self, path: str, reason: str) -> None:
        """The pending file at `path` cannot be read."""
        if not os.path.lexists(text_path(path)):
            self.skip(path)  # it went away; the next run will see that
            return
        self.report.failed += 1
        log.warning("%s: %s", one_line(text_path(path)), reason)
        self._resolve(path, error=reason)

    def skip(self, path: str) -> None:
        """Leave the pending file at `path` to the next run."""
        del self.pending[path]

    def settle(self, roots: Collection[str], vanished: Collection[str], *, prune: bool) -> set[str]:
        """Decide what becomes of files that are gone; the paths to be forgotten.

        A file that is gone without a loss is forgotten: its sound is still there elsewhere, or it
        had none. Nothing of a root that vanished is, because it may be back tomorrow.
        """
        forgotten = set()
        for path, row in self._files.items():
            if row.root not in roots or row.state == "present":
                continue
            if row.root not in vanished and (row.key is None or self._holders.get(row.key)):
                forgotten.add(path)
            elif prune and _is_certainly_gone(path):
                forgotten.add(path)
                self.report.pruned += 1
            elif path in self._gone:
                self.report.offline += 1
        for path in forgotten:
            del self._files[path]
        return forgotten

    def roots(self) -> set[str]:
        """The folders that files are known in."""
        return {row.root for row in self._files.values()}

    def orphans(self) -> set[str]:
        """The keys of tracks that have no file, present or offline."""
        return self._tracks.keys() - {row.key for row in self._files.values()}

    def _resolve(self, path: str, *, key: str | None = None, error: str | None = None) -> None:
        file, before = self.pending.pop(path), self._files.get(path)
        stamp = file.root, file.size, file.mtime_ns
        self._write(File(path, *stamp, key, error, "present", file.ctime_ns))
        if key is not None:
            self._holders.setdefault(key, set()).add(path)
            self._place(key)
        if before is not None and before.key not in (None, key):
            self._holders[before.key].discard(path)
            self._place(before.key)

    def _write(self, row: File) -> None:
        self._files[row.path] = self.batch.files[row.path] = row

    def _place(self, key: str) -> None:
        """Let a track point to a file that is there; its own, if that is one."""
        place, holders = self._tracks.get(key), self._holders.get(key)
        if place is None:
            return
        path = place.path if not holders or place.path in holders else min(holders)
        new = TrackFile(path, offline=not holders)
        if new != place:
            self._tracks[key] = new
            change = self.batch.changes.setdefault(key, {})
            change["offline"] = new.offline
            if holders:
                change.update(path=path, root=self._files[path].root, **self._tags.get(path, {}))


def _is_same(row: File, file: SoundFile) -> bool:
    """Whether the file is as it was when its row was written."""
    return row.size == file.size and is_same_time(row.mtime_ns, file.mtime_ns)


def _is_certainly_gone(path: str) -> bool:
    """Whether the file is gone or left out on purpose, and not merely out of reach."""
    try:
        os.lstat(text_path(path))
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return True
