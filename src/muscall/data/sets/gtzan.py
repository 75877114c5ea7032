"""GTZAN: ten genres (Tzanetakis and Cook, 2002), and the fault-filtered split."""

from __future__ import annotations

from pathlib import Path

from muscall.data.manifest import Row
from muscall.data.sets.finding import FoundClips, find_clips, find_file
from muscall.errors import MuscallError

GENRES = {
    genre.replace(" ", ""): genre
    for genre in (
        "blues",
        "classical",
        "country",
        "disco",
        "hip hop",
        "jazz",
        "metal",
        "pop",
        "reggae",
        "rock",
    )
}
"""Genres as written in a sentence, by the name of their folder."""
LISTS = {"train": "train_filtered.txt", "val": "valid_filtered.txt", "test": "test_filtered.txt"}
DAMAGED = ("jazz.00054",)
"""Damaged in a widely used copy of the set, but not in the original."""


def gtzan(folder: Path, audio: Path | None = None) -> FoundClips:
    """1,000 clips of 30 s with one label each.

    Where the three lists of the artist-filtered and fault-filtered split (Kereliuk, Sturm and
    Larsen, 2015: 443, 197 and 290 clips) are in `folder`, their clips have its splits; the 70
    clips that it leaves out, and all clips where there are no lists, have none.

    Args:
        audio: where the sound is, in `genres/`, `genres_original/` or any other way; `folder` by
            default.

    Raises:
        MuscallError: there is no clip, or not all three lists, or they name something else.
    """
    names = [f"{genre}.{number:05}" for genre in GENRES for number in range(100)]
    splits = _splits(folder, set(names))
    rows = []
    for name in names:
        genre = name.partition(".")[0]
        path = Path(genre, f"{name}.wav")
        rows.append(Row(name, path, split=splits.get(name), labels=(GENRES[genre],)))
    return find_clips("GTZAN", rows, audio or folder, lambda path: path.stem, damaged=DAMAGED)


def _splits(folder: Path, names: set[str]) -> dict[str, str]:
    splits: dict[str, str] = {}
    if not any(any(folder.rglob(name)) for name in LISTS.values()):
        return splits
    for split, name in LISTS.items():
        path = find_file(folder, name)
        for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
            if line.strip():
                clip = Path(line.strip()).stem
                if clip not in names:
                    raise MuscallError(f"{path}: {line} is no clip of GTZAN")
                splits[clip] = split
    return splits
