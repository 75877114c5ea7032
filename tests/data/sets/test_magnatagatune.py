import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from muscall.data.sets import magnatagatune
from muscall.data.sets.magnatagatune import DAMAGED
from muscall.errors import MuscallError

Put = Callable[..., Path]
TAGS = ["no voice", "classic", "classical", "harp", "slow", "weird"]
CLIPS = {
    "0/american_bach-cantatas-01-bwv54__i-0-29.mp3": "classical harp slow",
    "b/ann-songs-02-one-29-58.mp3": "classic slow",
    "c/bob-songs-02-two-0-29.mp3": "classical slow",
    "d/cy-noise-03-three-0-29.mp3": "weird",
    "f/dee-noise-03-four-30-59.mp3": "slow",
}


def table(clips: dict[str, str]) -> str:
    """As published: tabs, and every cell in quotes."""
    text = io.StringIO()
    lines = csv.writer(text, delimiter="\t", quoting=csv.QUOTE_ALL)
    lines.writerow(["clip_id", *TAGS, "mp3_path"])
    for number, (path, said) in enumerate(clips.items()):
        lines.writerow([number, *(int(tag in said.split()) for tag in TAGS), path])
    return text.getvalue()


def test_tags_and_the_split_by_folders(put: Put) -> None:
    put(*CLIPS)
    folder = put("annotations_final.csv", text=table(CLIPS))
    found = magnatagatune(folder)
    assert [row.split for row in found.rows] == ["train", "train", "val", "test", "test"]
    assert found.rows[0].labels == ("classical", "harp", "slow")
    assert found.rows[0].audio == folder / "0/american_bach-cantatas-01-bwv54__i-0-29.mp3"
    assert not found.left_out


def test_only_the_most_frequent_tags_are_kept(put: Put) -> None:
    put(*CLIPS)
    folder = put("annotations_final.csv", text=table(CLIPS))
    kept = [row.labels for row in magnatagatune(folder, tags=2).rows]
    assert kept == [("classical", "slow"), ("slow",), ("classical", "slow"), (), ("slow",)]
    assert len(magnatagatune(folder, tags=2, only_tagged=True).rows) == 4


def test_synonyms_become_one_tag(put: Put) -> None:
    put(*CLIPS)
    folder = put("annotations_final.csv", text=table(CLIPS))
    labels = [row.labels for row in magnatagatune(folder, merge_synonyms=True, tags=3).rows]
    both = ("classical", "slow")
    assert labels[:3] == [("classical", "harp", "slow"), both, both]
    assert magnatagatune(folder, merge_synonyms=True).rows[3].labels == ("strange",)


def test_converted_sound_in_another_folder_is_found(put: Put) -> None:
    put(*(f"wav/{Path(name).stem}.WAV" for name in CLIPS))
    folder = put("tables/annotations_final.csv", text=table(CLIPS))
    found = magnatagatune(folder / "tables", folder / "wav")
    assert len(found.rows) == 5
    assert {row.audio.parent.name for row in found.rows} == {"wav"}


def test_the_empty_files_are_known_and_missing_ones_are_not(put: Put) -> None:
    clips = CLIPS | {f"6/{name}.mp3": "slow" for name in DAMAGED}
    put(*list(CLIPS)[1:])
    put(*(name for name in clips if name not in CLIPS), text="")
    folder = put("annotations_final.csv", text=table(clips))
    found = magnatagatune(folder)
    assert len(found.rows) == 4
    assert {found.left_out[name] for name in DAMAGED} == {"empty file"}
    assert found.left_out[Path(next(iter(CLIPS))).stem] == "no such file"
    assert found.known == set(DAMAGED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clip_id,mp3_path\n", "there is no column clip_id in it"),
        ('"clip_id"\t"slow"\t"mp3_path"\n', "annotations_final.csv: no rows"),
        ('"clip_id"\t"slow"\t"mp3_path"\n"1"\t"1"\n', ":2: too few cells"),
        ('"clip_id"\t"slow"\t"mp3_path"\n"1"\t"1"\t"x/a.mp3"\n', "x/a.mp3 is in none of the"),
        ('"clip_id"\t"slow"\t"mp3_path"\n"1"\t"1"\t"0/a.mp3"\n', "such as 0/a.mp3: no such file"),
        (b"\xff\xfe\x00", "annotations_final.csv: not UTF-8"),
    ],
)
def test_a_wrong_table_is_one_line(put: Put, text: str | bytes, expected: str) -> None:
    folder = put("annotations_final.csv", text=text)
    with pytest.raises(MuscallError) as caught:
        magnatagatune(folder)
    assert expected in str(caught.value)


def test_a_folder_without_the_table_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MuscallError, match=r"there is no annotations_final\.csv in it"):
        magnatagatune(tmp_path)
