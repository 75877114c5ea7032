"""A collection of real music to try a library on: 122 tracks, tagged, in folders.

    python -m recipes.demo.collection ~/Music/games

Copies what Debian's packages of recordings hold, 10 s and longer, and writes into the copies what
is known of them (`recipes/corpus/recordings/sources.yaml`, which has their licences too).
Nothing of the packages kept for evaluation is in it.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import mutagen

from muscall.audio.decode import probe
from muscall.audio.files import search_folder
from muscall.errors import AudioError
from recipes.corpus.packages import debian
from recipes.corpus.recordings.sources import sources, tracks

SHORTEST = 10.0  # seconds


def long_enough(path: Path) -> bool:
    """Whether it is music rather than the sound of a door."""
    try:
        return probe(path).duration >= SHORTEST
    except AudioError:
        return False


def write_tags(path: Path, tags: dict[str, str]) -> None:
    """Write what is known and not there yet."""
    file = mutagen.File(path, easy=True)
    if file is None or path.suffix.lower() == ".wav":  # mutagen has no easy tags for it
        return
    if file.tags is None:
        file.add_tags()
    for name, value in tags.items():
        if value and not file.get(name):
            file[name] = value
    file.save()


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Collect real music of Debian's packages.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("corpora/cache"))
    options = parser.parse_args()
    known = {track.path: track for track in tracks(options.cache)}
    count = 0
    for name, source in sources().items():
        game = source["group"].rpartition("/")[2]
        for path in search_folder(debian(name, options.cache).root):
            if path.is_symlink() or not long_enough(path):
                continue
            copy = options.folder / name / path.parent.name / path.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            track = known.get(path)
            tags = {"title": track.title, "artist": track.composer} if track else {}
            write_tags(copy, tags | {"album": game.replace("-", " ").title()})
            count += 1
    print(f"{count} tracks in {options.folder}")


if __name__ == "__main__":
    main()
