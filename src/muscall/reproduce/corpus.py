"""The pairs of a sweep: chosen, named by what they hold, and unpacked to WAV once."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from muscall.audio.decode import open_file
from muscall.audio.inside import Sound
from muscall.data.manifest import Row, read_manifest
from muscall.data.unpacking import unpack
from muscall.models.checkpoint import written_aside

SPLITS = ("train", "val", "test")
FACTS = {"instruments": "instruments", "styles": "style"}
"""What is labelled, and the fact of the open corpus that labels it."""
_PART = 1 << 16

logger = logging.getLogger("muscall")


@dataclass(frozen=True)
class Corpus:
    """Rows of each split in an order that does not depend on what else is in the manifests, so
    that fewer rows are always among more; `folder` is where they are unpacked to.

    `labels` are what is known of rows: by what is labelled, then by row.
    """

    rows: Mapping[str, Sequence[Row]]
    folder: Path
    labels: Mapping[str, Mapping[str, Sequence[str]]]

    @classmethod
    def read(cls, manifests: Mapping[str, Path], most: Mapping[str, int], folder: Path) -> Corpus:
        """At most so many rows of the manifest of each split.

        Raises:
            ManifestError: naming every unusable row.
        """
        rows = {
            split: sorted(read_manifest(manifests[split]), key=_order)[: most[split]]
            for split in SPLITS
        }
        labels: dict[str, dict[str, Sequence[str]]] = {}
        for split in SPLITS:
            for name, known in _facts(manifests[split]).items():
                labels.setdefault(name, {}).update(known)
        return cls(rows, folder, labels)

    def part(self, split: str, share: float = 1.0) -> Sequence[Row]:
        """The first rows of a split, so many as `share`, in 0..1, of them are."""
        rows = self.rows[split]
        return rows[: round(share * len(rows))]

    def manifest(self, split: str, share: float = 1.0) -> Path:
        """Where that part is, once it is unpacked. The name says what it holds."""
        rows = self.part(split, share)
        if (split, len(rows)) not in self._manifests:  # every training of a sweep asks
            told = hashlib.sha256()
            for row in rows:
                told.update(self._line(row).encode())
            name = f"{split}-{len(rows)}-{told.hexdigest()[:12]}.jsonl"
            self._manifests[split, len(rows)] = self.folder / name
        return self._manifests[split, len(rows)]

    def labelled(self) -> dict[str, Path]:
        """By what is labelled, the manifest of all rows, with their splits and labels, for which
        it is known. Written here: their sound is unpacked already.
        """
        found = {}
        for name, known in self.labels.items():
            lines = [
                json.dumps(
                    json.loads(self._line(row)) | {"split": split, "labels": list(known[row.id])}
                )
                for split, rows in self.rows.items()
                for row in rows
                if row.id in known
            ]
            text = "".join(line + "\n" for line in lines)
            key = hashlib.sha256(text.encode()).hexdigest()[:12]
            found[name] = self.folder / f"{name}-{len(lines)}-{key}.jsonl"
            if not found[name].exists():
                with written_aside(self.folder) as aside:
                    (aside / found[name].name).write_text(text, "utf-8")
        return found

    def unpack(
        self, parts: Sequence[tuple[str, float]], progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Write the manifests of these parts, (split, share) each, and the sound that they name.

        A file that cannot be decoded is logged and its rows are left out.
        """
        missing = [(s, share) for s, share in parts if not self.manifest(s, share).exists()]
        if not missing:
            return
        rows = {row.id: row for part in missing for row in self.part(*part)}.values()
        (self.folder / "sound").mkdir(parents=True, exist_ok=True)
        sources = {self.folder / self._sound[row.audio]: row.audio for row in rows}
        unreadable = {failure.path for failure in unpack(sources, progress=progress)}
        for path in sorted(unreadable, key=str):
            logger.warning("%s: cannot be decoded, its rows are left out", path)
        with written_aside(self.folder) as aside:
            for part in missing:
                kept = [row for row in self.part(*part) if row.audio not in unreadable]
                lines = "".join(self._line(row) + "\n" for row in kept)
                (aside / self.manifest(*part).name).write_text(lines, "utf-8")

    @cached_property
    def _manifests(self) -> dict[tuple[str, int], Path]:
        """Those asked for so far, by split and number of rows."""
        return {}

    @cached_property
    def _sound(self) -> dict[Sound, str]:
        """Where the sound of each file is unpacked to."""
        paths = {row.audio for rows in self.rows.values() for row in rows}
        return {path: f"sound/{_fingerprint(path)}.wav" for path in paths}

    def _line(self, row: Row) -> str:
        values = {
            "id": row.id,
            "audio": self._sound[row.audio],
            "caption": row.captions,
            "start": row.start,
            "duration": row.duration,
        }
        return json.dumps(values)


def _facts(manifest: Path) -> dict[str, dict[str, Sequence[str]]]:
    """What the open corpus knows of its rows; nothing where a manifest is not of its kind."""
    found: dict[str, dict[str, Sequence[str]]] = {}
    if manifest.suffix != ".jsonl":
        return found
    for line in manifest.read_text("utf-8").splitlines():
        row = json.loads(line) if line.strip() else {}
        facts = row.get("facts")
        for name, fact in FACTS.items():
            if isinstance(facts, dict) and "id" in row and facts.get(fact) is not None:
                labels = facts[fact]
                known = [labels] if isinstance(labels, str) else labels
                found.setdefault(name, {})[str(row["id"])] = known
    return found


def _order(row: Row) -> bytes:
    return hashlib.sha256(row.id.encode()).digest()


def _fingerprint(path: Sound) -> str:
    """Of a file's size and three of its parts: wherever it lies, and without reading hours."""
    with open_file(path) as file:
        size = file.seek(0, os.SEEK_END)
        told = hashlib.sha256(str(size).encode())
        for start in (0, size // 2, max(0, size - _PART)):
            file.seek(start)
            told.update(file.read(_PART))
    return told.hexdigest()[:20]
