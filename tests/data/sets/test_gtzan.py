from collections.abc import Callable
from pathlib import Path

import pytest

from muscall.data.sets import gtzan
from muscall.errors import MuscallError

Put = Callable[..., Path]


@pytest.mark.parametrize("layout", ["genres/{}/{}.au", "Data/genres_original/{}/{}.wav", "{1}.WAV"])
def test_every_layout_and_format_is_found(put: Put, layout: str) -> None:
    names = ["blues.00000", "hiphop.00042", "rock.00099"]
    folder = put(*(layout.format(name.partition(".")[0], name) for name in names))
    found = gtzan(folder)
    assert [row.id for row in found.rows] == names
    assert [row.labels for row in found.rows] == [("blues",), ("hip hop",), ("rock",)]
    assert all(row.audio.is_file() and row.split is None for row in found.rows)
    assert len(found.left_out) == 997
    assert set(found.left_out.values()) == {"no such file"}


def test_the_damaged_clip_is_left_out_only_where_it_is_damaged(put: Put) -> None:
    folder = put("genres/jazz/jazz.00053.wav", "genres/jazz/jazz.00054.wav")
    assert [row.id for row in gtzan(folder).rows] == ["jazz.00053", "jazz.00054"]
    put("genres/jazz/jazz.00054.wav", text=b"\0" * 5000)
    found = gtzan(folder)
    assert [row.id for row in found.rows] == ["jazz.00053"]
    assert found.left_out["jazz.00054"].startswith("not audio")
    assert found.known == {"jazz.00054"}


def test_the_lists_of_the_filtered_split_are_used_where_they_are(put: Put) -> None:
    put(*(f"genres/pop/pop.0000{number}.wav" for number in range(4)))
    put("lists/train_filtered.txt", text="pop/pop.00001.wav\r\npop/pop.00000.wav\r\n")
    put("lists/valid_filtered.txt", text="\ufeffpop/pop.00003.wav")
    folder = put("lists/test_filtered.txt", text="\npop/pop.00009.wav\n")
    found = gtzan(folder)
    assert [row.split for row in found.rows] == ["train", "train", None, "val"]
    assert found.left_out["pop.00009"] == "no such file"


def test_sound_may_be_elsewhere(put: Put) -> None:
    put("sound/pop.00000.wav")
    for name in ("train", "valid", "test"):
        folder = put(f"lists/{name}_filtered.txt", text="pop/pop.00000.wav")
    (row,) = gtzan(folder / "lists", folder / "sound").rows
    assert (row.audio, row.split) == (folder / "sound" / "pop.00000.wav", "test")


def test_what_is_not_gtzan_is_one_line(put: Put, tmp_path: Path) -> None:
    with pytest.raises(MuscallError, match=r"no sound of GTZAN here, such as blues/blues\.00000"):
        gtzan(put("song.wav"))
    with pytest.raises(MuscallError, match="nowhere: no such folder"):
        gtzan(tmp_path / "nowhere")
    put("train_filtered.txt", text="pop/pop.00000.wav\n")
    with pytest.raises(MuscallError, match=r"there is no valid_filtered\.txt"):
        gtzan(tmp_path)
    put("valid_filtered.txt", "test_filtered.txt", text="polka.00001.wav\n")
    with pytest.raises(MuscallError, match=r"valid_filtered\.txt: polka.* is no clip of GTZAN"):
        gtzan(tmp_path)
