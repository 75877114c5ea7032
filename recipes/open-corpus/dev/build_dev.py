"""Fetch the development set: real music that nothing is trained on, from Debian's packages.

    python recipes/open-corpus/dev/build_dev.py [FOLDER]

Writes FOLDER/tracks.jsonl (corpora/dev by default): a line per track of `tracks.yaml` with `id`,
`audio` (relative to the file), `duration` in seconds, `title`, `composer`, `game`, `package`,
`version`, `licence` and `stated`. A file that is not the one the sentences were written for ends
it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE.parent))

from packages import PackageError, debian  # noqa: E402

from muscall.audio.decode import probe  # noqa: E402
from muscall.errors import AudioError  # noqa: E402


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
    rows = []
    for track, facts in entry["tracks"].items():
        path = package.root / entry["folder"] / facts["file"]
        if not path.is_file():
            raise TrackError(f"{track}: {name} {package.version} has no {facts['file']}")
        if hashlib.sha256(path.read_bytes()).hexdigest()[:16] != facts["sha256"]:
            raise TrackError(f"{track}: {facts['file']} of {name} {package.version} is another one")
        rows.append(
            {
                "id": track,
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
