"""The collection that requests are asked of: the 328 tracks of `recipes/corpus/dev/`, tagged.

A copy of each lies in a folder of its game under its id, with its title, composer and game in the
tags where the file says none. Beside them lies a passage of some under each artist of
`scripts.tsv`, whose name is in another script.
"""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import mutagen
import soundfile

from muscall.audio.decode import read
from recipes.demo.collection import write_tags

SCRIPTS = Path(__file__).with_name("scripts.tsv")
_RATE, _PASSAGE, _EVERY = 16_000, 12.0, 5  # Hz, seconds, tracks


def names_in_scripts() -> dict[str, tuple[str, list[str]]]:
    """Artists by the id of their track, each with what listeners type for them."""
    with SCRIPTS.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        f"script-{number:02}": (row["artist"], row["typed"].split("; "))
        for number, row in enumerate(rows)
    }


def collect(dev: Path, folder: Path) -> list[Path]:
    """Copies of the tracks of `dev`/tracks.jsonl in `folder`; those there already stay."""
    copies = []
    rows = [json.loads(line) for line in (dev / "tracks.jsonl").read_text().splitlines()]
    for (track, (artist, _)), row in zip(names_in_scripts().items(), rows[::_EVERY], strict=False):
        passage = folder / "Names" / f"{track}.flac"
        if not passage.exists():
            passage.parent.mkdir(parents=True, exist_ok=True)
            samples = read(dev / row["audio"], start=1.0, duration=_PASSAGE, sample_rate=_RATE)
            soundfile.write(passage, samples, _RATE)
            file = mutagen.File(passage, easy=True)
            file["artist"] = artist
            file.save()
        copies.append(passage)
    for row in rows:
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
