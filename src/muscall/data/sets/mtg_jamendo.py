"""MTG-Jamendo: 55,000 tracks with tags of genre, instrument and mood (Bogdanov et al., 2019)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from muscall.data.manifest import Row
from muscall.data.sets.finding import MORE, FoundClips, find_clips, find_file, read_table
from muscall.data.sets.song_describer import id_of

Subset = Literal["all", "genre", "instrument", "moodtheme", "top50tags"]
PARTS = {"train": "train", "val": "validation", "test": "test"}
WORDS = {
    name.replace(" ", ""): name
    for name in (
        "acid jazz",
        "acoustic bass guitar",
        "acoustic guitar",
        "alternative rock",
        "blues rock",
        "bossa nova",
        "classical guitar",
        "classic rock",
        "dark ambient",
        "dark wave",
        "deep house",
        "double bass",
        "drum machine",
        "easy listening",
        "electric guitar",
        "electric piano",
        "ethnic rock",
        "hard rock",
        "heavy metal",
        "hip hop",
        "instrumental pop",
        "instrumental rock",
        "jazz funk",
        "jazz fusion",
        "new age",
        "new wave",
        "pipe organ",
        "pop folk",
        "pop rock",
        "post rock",
        "punk rock",
        "trip hop",
        "world fusion",
    )
} | {
    "drumnbass": "drum and bass",
    "rnb": "R&B",
    "rocknroll": "rock and roll",
    "singersongwriter": "singer-songwriter",
}
"""Tags as written in a sentence, where the set writes them in another way."""


def mtg_jamendo(
    folder: Path, audio: Path | None = None, *, subset: Subset = "all", fold: int = 0
) -> FoundClips:
    """Whole tracks with all their tags of a subset, in one of the five splits of the set.

    Args:
        folder: with `split-0/autotagging-train.tsv` and the like in it, as in the set's repository.
        audio: where the sound is, such as `00/1376200.mp3` or `00/1376200.low.mp3`; `folder` by
            default.
        subset: the tags of one kind only, or the 50 most frequent, and the tracks that have any.
        fold: which of the splits, 0 to 4.

    Raises:
        MuscallError: there is no table, no track, or something else in a table.
    """
    kind = "" if subset == "all" else f"_{subset}"
    rows = []
    for split, part in PARTS.items():
        table = find_file(folder, f"split-{fold}/autotagging{kind}-{part}.tsv")
        for cells in read_table(table, ["PATH", "TAGS"], delimiter="\t"):
            path = Path(cells["PATH"])
            # Each tag stands in a cell of its own, though only the first has a name above it.
            tags = [tag.rpartition("---")[2] for tag in (cells["TAGS"], *cells.get(MORE, ()))]
            labels = tuple(WORDS.get(tag, tag) for tag in tags)
            rows.append(Row(id_of(path), path, split=split, labels=labels))
    return find_clips("MTG-Jamendo", rows, audio or folder, id_of)
