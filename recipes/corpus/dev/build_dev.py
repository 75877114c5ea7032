"""Fetch the development set: real music that nothing is trained on, from Debian's packages.

    python -m recipes.corpus.dev.build_dev [FOLDER]

Writes FOLDER/tracks.jsonl (corpora/dev by default): a line per track of `tracks.yaml` with `id`,
`part`, `audio` (relative to the file), `duration` in seconds, `title`, `composer`, `game`,
`package`, `version`, `licence` and `stated`. A file that is not the one the sentences were written
for ends it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from muscall.audio.decode import probe
from muscall.errors import AudioError
from recipes.corpus.packages import PackageError, debian

_HERE = Path(__file__).parent


class TrackError(Exception):
    """A track that is missing or another one, in one line."""


def build(out: Path, cache: Path) -> int:
    """Write `out`/tracks.jsonl; returns the number of tracks.

    Raises:
        PackageError, ReservedError: a package cannot be had.
        TrackError, AudioError: a track is not what it was.
    """
    table = yaml.safe_load((_HERE / "tracks.yaml").read_text())["packages"]
    out.mkdir(parents=True, exist_ok=True)
    rows = [row for name, entry in table.items() for row in _rows(name, entry, out, cache)]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (out / "tracks.jsonl").write_text(text)
    return len(rows)


def _rows(name: str, entry: dict[str, Any], out: Path, cache: Path) -> list[dict[str, Any]]:
    package = debian(name, cache, for_development=True)
    root = _opened(package.root / entry["archive"]) if "archive" in entry else package.root
    rows = []
    for track, facts in entry["tracks"].items():
        path = root / entry["folder"] / facts["file"]
        if not path.is_file():
            raise TrackError(f"{track}: {name} {package.version} has no {facts['file']}")
        if hashlib.sha256(path.read_bytes()).hexdigest()[:16] != facts["sha256"]:
            raise TrackError(f"{track}: {facts['file']} of {name} {package.version} is another one")
        rows.append(
            {
                "id": track,
                "part": entry["part"],
                "audio": os.path.relpath(path, out.resolve()),
                "duration": round(probe(path).duration, 2),
                "title": facts.get("title", ""),
                "composer": facts.get("composer", entry.get("composer", "")),
                "game": entry["game"],
                "package": name,
                "version": package.version,
                "licence": entry["licence"],
                "stated": facts.get("stated", ""),
            }
        )
    return rows


def _opened(archive: Path) -> Path:
    """The folder beside `archive`, a zip or a Qt resource file, with what is in it; made once."""
    folder = archive.with_name(f"{archive.name}.unzipped")
    if not folder.is_dir():
        partial = archive.with_name(f"{archive.name}.partial")
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(partial)
        else:
            for name, content in _resources(archive.read_bytes()):
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                (partial / name).write_bytes(content)
        partial.rename(folder)
    return folder


def _resources(data: bytes) -> Iterator[tuple[Path, bytes]]:
    """Names and contents of a Qt resource file (version 2 or later, stored or by zlib)."""
    tree, contents, names = struct.unpack_from(">3I", data, 8)
    waiting = [(0, Path())]
    while waiting:
        number, parent = waiting.pop()
        # An entry: where its name is, flags, then children and the first, or language and content.
        place, flags, children, first = struct.unpack_from(">IHII", data, tree + 22 * number)
        (length,) = struct.unpack_from(">H", data, names + place)
        name = data[names + place + 6 :][: 2 * length].decode("utf-16-be")
        path = parent / name if number else parent
        if flags & 2:
            waiting += [(first + child, path) for child in range(children)]
            continue
        (size,) = struct.unpack_from(">I", data, contents + first)
        content = data[contents + first + 4 :][:size]
        yield path, zlib.decompress(content[4:]) if flags & 1 else content


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    corpora = _HERE.parents[2] / "corpora"
    parser.add_argument("out", type=Path, nargs="?", default=corpora / "dev", metavar="FOLDER")
    parser.add_argument("--cache", type=Path, default=corpora / "cache", help="fetched packages")
    options = parser.parse_args()
    try:
        count = build(options.out, options.cache)
    except (AudioError, PackageError, TrackError) as error:
        sys.exit(f"build_dev: {error}")
    print(f"{count} tracks in {options.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
