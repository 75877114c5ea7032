"""The recordings: which files of which packages, whose they are, and what is said of them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path
from typing import Any

import av
import yaml

from muscall.audio.decode import probe
from muscall.errors import AudioError
from recipes.corpus.packages import Package, debian

SHORTEST = 20.0  # seconds; what is shorter is a jingle or a sound effect

# Titles that say nothing, left there by editors.
_NO_TITLE = re.compile(r"\d*|(\d+ - )?track ?\d+|music ?\d*|project_.*", re.IGNORECASE)


@dataclass(frozen=True)
class Track:
    """A recording: `file` is its path in the package, `path` where it is now.

    `name` is unique among all recordings. `title` and `composer` may be empty.
    """

    name: str
    package: str
    version: str
    file: str
    path: Path
    duration: float
    title: str
    composer: str


@once
def sources() -> dict[str, dict[str, Any]]:
    """By package: `group`, `about`, `licence`, `composer`, `files`, `titles`; see sources.yaml."""
    table: dict[str, dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("sources.yaml").read_text()
    )
    return table


def tracks(cache: Path) -> list[Track]:
    """Every recording that is long enough, its package fetched into `cache` unless it is there.

    Raises:
        PackageError, ReservedError: a package cannot be had.
    """
    found = []
    for name, source in sources().items():
        package = debian(name, cache)
        for file, path in _files(package, source["files"]):
            try:
                duration = probe(path).duration
                tags = _tags(path)
            except AudioError:
                continue
            if duration < SHORTEST:
                continue
            stem = Path(file).stem
            title = source.get("titles", {}).get(stem, tags.get("title", ""))
            composers = source.get("composers", {})
            by = next((who for part, who in composers.items() if part in file), "")
            found.append(
                Track(
                    name=f"{name}-{stem}".lower().replace(" ", "-").replace("!", ""),
                    package=name,
                    version=package.version,
                    file=file,
                    path=path,
                    duration=duration,
                    title="" if _NO_TITLE.fullmatch(title) else title,
                    composer=by or source.get("composer") or tags.get("artist", ""),
                )
            )
    return found


def _files(package: Package, globs: list[str]) -> Iterator[tuple[str, Path]]:
    """Paths in the package and on disk; `ARCHIVE!GLOB` are files in a zip archive."""
    for glob in globs:
        archive, _, inside = glob.rpartition("!")
        root = _unzipped(package.root / archive) if archive else package.root
        for path in sorted(root.glob(inside)):
            if path.is_symlink():
                continue  # the same music again, for another translation of a game
            file = path.relative_to(root).as_posix()
            yield (f"{archive}!{file}" if archive else file), path


def _unzipped(archive: Path) -> Path:
    """The folder beside `archive` with what is in it, made once."""
    folder = archive.with_name(f"{archive.name}.unzipped")
    if not folder.is_dir():
        partial = archive.with_name(f"{archive.name}.partial")
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(partial)
        partial.rename(folder)
    return folder


def _tags(path: Path) -> dict[str, str]:
    """Title and artist as the file states them, in lower-case keys."""
    try:
        with av.open(str(path)) as container:
            # Ogg has its tags with the stream, other formats with the file.
            tags = {**container.metadata, **container.streams.audio[0].metadata}
    except (av.FFmpegError, UnicodeDecodeError):
        return {}
    return {key.lower(): value.strip() for key, value in tags.items()}
