"""Song Describer: 1,106 captions of 706 tracks of MTG-Jamendo (Manco et al., 2023)."""

from __future__ import annotations

from pathlib import Path

from muscall.data.manifest import Row
from muscall.data.sets.finding import FoundClips, find_clips, find_file, read_table

TABLE = "song_describer.csv"


def song_describer(
    folder: Path, audio: Path | None = None, *, only_validated: bool = False
) -> FoundClips:
    """Tracks, up to two minutes of each, with one to five captions; all of them test.

    Args:
        audio: where the sound is, such as `audio/34/1004034.2min.mp3`, or the whole tracks of
            MTG-Jamendo; `folder` by default.
        only_validated: only the captions that were checked by hand (746 of 547 tracks).

    Raises:
        MuscallError: there is no table, no track, or something else in the table.
    """
    captions: dict[Path, list[str]] = {}
    for cells in read_table(find_file(folder, TABLE), ["path", "caption", "is_valid_subset"]):
        if cells["is_valid_subset"].lower() == "true" or not only_validated:
            captions.setdefault(Path(cells["path"]), []).append(cells["caption"])
    rows = [
        Row(id_of(path), path, tuple(texts), split="test", every_caption=True)
        for path, texts in captions.items()
    ]
    return find_clips("Song Describer", rows, audio or folder, id_of)


def id_of(path: Path) -> str:
    """The number of a track of Jamendo: `34/1004034.2min.mp3` -> `1004034`."""
    return path.name.partition(".")[0]
