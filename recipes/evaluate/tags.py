"""Tags, covers and lengths of a folder's files beside what ffprobe says of them.

    python -m recipes.evaluate.tags corpora/cache/debian

Prints how often both agree, and each difference.
"""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

from muscall.audio.decode import probe
from muscall.audio.files import find_audio
from muscall.audio.tags import read_tags
from muscall.errors import AudioError
from muscall.serving.covers import has_cover

SHORTEST, ALIKE = 1.0, 0.06  # seconds


def stated(path: Path) -> dict[str, Any]:
    """What ffprobe says, by field; empty where it cannot read the file."""
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)]
    told = json.loads(subprocess.run(command, capture_output=True, check=False).stdout or "{}")
    if "duration" not in told.get("format", {}):
        return {}
    tags: dict[str, str] = {}
    for part in (told["format"], *told["streams"]):
        for name, value in part.get("tags", {}).items():
            tags.setdefault(name.lower(), value)
    cover = any(stream["disposition"].get("attached_pic") for stream in told["streams"])
    return {
        **{name: tags.get(name, "") for name in ("title", "artist", "album", "genre", "composer")},
        "year": tags.get("date", tags.get("year", ""))[:4],
        "cover": cover,
        "length": float(told["format"]["duration"]),
    }


def read(path: Path) -> dict[str, Any]:
    """What muscall reads, by the same fields.

    Raises:
        AudioError: the file cannot be read.
    """
    tags = read_tags(path)
    return {
        "title": tags.title,
        "artist": "; ".join(tags.artist),
        "album": tags.album,
        "genre": "; ".join(tags.genre),
        "composer": "; ".join(tags.composer),
        "year": str(tags.year or ""),
        "cover": has_cover(path),
        "length": probe(path).duration,
    }


def alike(ours: Any, theirs: Any) -> bool:
    """Whether two values say the same, whatever their case and normal form."""
    if isinstance(ours, float):
        return abs(ours - theirs) <= ALIKE
    one, other = (unicodedata.normalize("NFC", str(value)).strip() for value in (ours, theirs))
    return one.casefold() == other.casefold()


def main() -> None:
    """Run the recipe."""
    counts: Counter[str] = Counter()
    files = 0
    for path in find_audio(sys.argv[1:]):
        theirs = stated(path)
        if path.is_symlink() or theirs.get("length", 0) < SHORTEST:
            continue
        files += 1
        try:
            ours = read(path)
        except AudioError as error:
            print(error)
            continue
        for field, value in ours.items():
            if value or theirs[field]:
                same = alike(value, theirs[field])
                counts[f"{field}, {'alike' if same else 'different'}"] += 1
                if not same:
                    print(f"{path.name}: {field}: {value!r}, ffprobe {theirs[field]!r}")
    print(f"{files} files")
    for name, count in sorted(counts.items()):
        print(f"{count:6} {name}")


if __name__ == "__main__":
    main()
