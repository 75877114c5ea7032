from collections.abc import Callable
from pathlib import Path

import pytest

from muscall.data.sets import song_describer

Put = Callable[..., Path]
TABLE = """\
caption_id,track_id,caption,is_valid_subset,familiarity,artist_id,album_id,path,duration
1,1004034,"Solo electric guitar, slow",True,0,5,6,34/1004034.mp3,250.1
2,18500,A drum loop,,1,5,6,00/18500.mp3,120.0
3,1004034,Someone practises,False,0,5,6,34/1004034.mp3,250.1
4,238099,Nobody has this,True,0,5,6,99/238099.mp3,250.1
"""


@pytest.mark.parametrize("naming", ["audio/audio/{}.2min.mp3", "{}.mp3", "16k/{}.WAV"])
def test_captions_of_a_track_stand_together(put: Put, naming: str) -> None:
    put(naming.format("34/1004034"), naming.format("00/18500"))
    folder = put("song_describer.csv", text=TABLE)
    found = song_describer(folder)
    assert {row.id: row.captions for row in found.rows} == {
        "1004034": ("Solo electric guitar, slow", "Someone practises"),
        "18500": ("A drum loop",),
    }
    assert {row.split for row in found.rows} == {"test"}
    assert all(row.every_caption for row in found.rows)
    assert found.left_out == {"238099": "no such file"}


def test_only_captions_that_were_checked(put: Put) -> None:
    put("audio/34/1004034.2min.mp3", "audio/00/18500.2min.mp3")
    folder = put("song_describer.csv", text=TABLE)
    (row,) = song_describer(folder, only_validated=True).rows
    assert row.captions == ("Solo electric guitar, slow",)
