"""The collection that requests are asked of: the 328 tracks of `recipes/corpus/dev/`, tagged.

A copy of each lies in a folder of its game under its id, with its title, composer and game in the
tags where the file says none.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from recipes.demo.collection import write_tags


def collect(dev: Path, folder: Path) -> list[Path]:
    """Copies of the tracks of `dev`/tracks.jsonl in `folder`; those there already stay."""
    copies = []
    for line in (dev / "tracks.jsonl").read_text().splitlines():
        row = json.loads(line)
        path = dev / row["audio"]
        copy = folder / row["game"].replace("/", " ") / f"{row['id']}{path.suffix}"
        copies.append(copy)
        if copy.exists():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        part = copy.with_name(f"part-{copy.name}")
        shutil.copyfile(path, part)
        write_tags(part, {"title": row["title"], "artist": row["composer"], "album": row["game"]})
        part.rename(copy)
    return copies
