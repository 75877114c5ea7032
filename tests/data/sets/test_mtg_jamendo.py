from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from muscall.data.sets import mtg_jamendo
from muscall.errors import MuscallError

Put = Callable[..., Path]
HEAD = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"
ROWS = {
    "train": "track_0000214\tartist_000014\talbum_000031\t14/214.mp3\t124.6\tgenre---punkrock\n",
    "validation": "track_0000216\tartist_000014\talbum_000031\t16/216.mp3\t234.9\tgenre---drumnbass"
    "\tinstrument---acousticguitar\tmood/theme---calm\n",
    "test": "track_1376256\tartist_490499\talbum_161779\t56/1376256.mp3\t166.0\tgenre---rock\n",
}


@pytest.fixture
def tables(put: Put) -> Path:
    for fold in (0, 3):
        for kind in ("", "_genre"):
            for part, rows in ROWS.items():
                # The folds differ in what is missing.
                text = HEAD + (rows if fold == 0 or part == "test" else rows.replace("21", "31"))
                put(f"data/splits/split-{fold}/autotagging{kind}-{part}.tsv", text=text)
    return put("audio/14/214.mp3", "audio/16/216.low.mp3", "audio/56/1376256.MP3")


@pytest.mark.parametrize("subset", ["all", "genre"])
def test_tags_splits_and_names(tables: Path, subset: Literal["all", "genre"]) -> None:
    found = mtg_jamendo(tables, subset=subset)
    assert [(row.id, row.split) for row in found.rows] == [
        ("214", "train"),
        ("216", "val"),
        ("1376256", "test"),
    ]
    assert [row.labels for row in found.rows] == [
        ("punk rock",),
        ("drum and bass", "acoustic guitar", "calm"),
        ("rock",),
    ]
    assert [row.audio.name for row in found.rows] == ["214.mp3", "216.low.mp3", "1376256.MP3"]


def test_another_fold(tables: Path) -> None:
    found = mtg_jamendo(tables / "data", tables / "audio", fold=3)
    assert [row.id for row in found.rows] == ["1376256"]
    assert set(found.left_out) == {"314", "316"}


def test_a_split_that_is_not_there_is_one_line(tables: Path) -> None:
    with pytest.raises(MuscallError, match=r"there is no split-1/autotagging-train\.tsv in it"):
        mtg_jamendo(tables, fold=1)
