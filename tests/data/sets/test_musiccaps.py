from collections.abc import Callable
from pathlib import Path

import pytest

from muscall.data.sets import musiccaps
from muscall.errors import MuscallError

Put = Callable[..., Path]
# As published: lists in the cells, captions with commas, quotes and line breaks.
TABLE = """\
ytid,start_s,end_s,audioset_positive_labels,aspect_list,caption,author_id,is_balanced_subset,is_audioset_eval
-0Gj8-vB1q4,30,40,"/m/0140xf,/m/02cjck","['low quality', 'sustained strings']","A ""low"" voice,
then strings.",4,False,True
_1woPC5HWSg,220,230,/m/04rlf,['ambient'],Calm pads.,1,False,False
zzXyAbCdEf0,0,10,/m/04rlf,['rock'],Très loud.,1,True,True
"""


@pytest.mark.parametrize(
    "naming",
    ["{}.wav", "audio/[{}]-[30-40].wav", "Y{}.flac", "{}_30_40.MP3", "0030_{}.ogg", "{}-30.mp3"],
)
def test_clips_are_found_by_the_id_in_their_name(put: Put, naming: str) -> None:
    put(naming.format("-0Gj8-vB1q4"), naming.format("_1woPC5HWSg"), "notes.wav")
    folder = put("musiccaps-public.csv", text="\ufeff" + TABLE)
    found = musiccaps(folder)
    assert [row.id for row in found.rows] == ["-0Gj8-vB1q4", "_1woPC5HWSg"]
    assert [row.captions for row in found.rows] == [
        ('A "low" voice,\nthen strings.',),
        ("Calm pads.",),
    ]
    assert [row.split for row in found.rows] == ["test", "train"]
    assert [row.labels for row in found.rows] == [None, None]
    assert all(row.every_caption for row in found.rows)
    assert found.left_out == {"zzXyAbCdEf0": "no such file"}


def test_a_wrong_table_is_one_line(put: Put) -> None:
    folder = put("musiccaps-public.csv", text="video,caption\nx,y\n")
    with pytest.raises(MuscallError, match="there is no column ytid in it"):
        musiccaps(folder)
