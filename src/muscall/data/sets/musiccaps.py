"""MusicCaps: 5,521 captions by musicians of 10 s of AudioSet (Agostinelli et al., 2023)."""

from __future__ import annotations

from pathlib import Path

from muscall.data.manifest import Row
from muscall.data.sets.finding import FoundClips, find_clips, find_file, read_table

TABLE = "musiccaps-public.csv"
_ID = 11
"""Characters of the id of a video."""


def musiccaps(folder: Path, audio: Path | None = None) -> FoundClips:
    """Clips of 10 s with one caption each; test is what AudioSet evaluates on, train the rest.

    Args:
        audio: where the clips are, already cut, each with the id of its video in its name
            (`-0Gj8-vB1q4.wav`, `[-0Gj8-vB1q4]-[30-40].wav`, `Y-0Gj8-vB1q4_30_40.mp3`); `folder` by
            default.

    Raises:
        MuscallError: there is no table, no clip, or something else in the table.
    """
    rows = [
        Row(
            cells["ytid"],
            Path(f"{cells['ytid']}.wav"),
            (cells["caption"],),
            split="test" if cells["is_audioset_eval"].lower() == "true" else "train",
            every_caption=True,
        )
        for cells in read_table(find_file(folder, TABLE), ["ytid", "caption", "is_audioset_eval"])
    ]
    ids = {row.id for row in rows}

    def id_of(path: Path) -> str:
        parts = (path.stem[start : start + _ID] for start in range(len(path.stem)))
        return next((part for part in parts if part in ids), "")

    return find_clips("MusicCaps", rows, audio or folder, id_of)
