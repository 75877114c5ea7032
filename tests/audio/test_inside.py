"""Sound inside other files is heard as it is by itself."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from pyarrow import parquet

from muscall.audio.decode import open_file, probe, read
from muscall.audio.inside import Cell, Member
from muscall.errors import AudioError

RATE = 16000


@pytest.fixture(params=["wav", "flac", "ogg", "mp3", "aiff"])
def alone(request, tmp_path):
    path = tmp_path / f"sound.{request.param}"
    sound = np.random.default_rng(0).uniform(-0.3, 0.3, 4 * RATE)
    soundfile.write(path, sound, RATE)
    return path


def within(path, kind):
    content, around = path.read_bytes(), path.with_name("around")
    if kind == "member":
        around.write_bytes(b"RIFF" * 200 + content + content)
        return Member(around, "sound", 800, len(content))
    column = [{"bytes": b"", "path": ""}, {"bytes": content, "path": ""}]
    parquet.write_table(pa.table({"audio": column}), around)
    return Cell(around, "2", "audio.bytes", 0, 1)


@pytest.mark.parametrize("kind", ["member", "cell"])
@pytest.mark.parametrize("part", [{}, {"start": 2.1, "duration": 0.7}])
def test_it_sounds_as_it_does_alone(alone, kind, part):
    inside = pickle.loads(pickle.dumps(within(alone, kind)))
    assert probe(inside) == probe(alone)
    np.testing.assert_array_equal(read(inside, **part), read(alone, **part))


def test_no_byte_of_a_neighbour_is_read(alone):
    with open_file(within(alone, "member")) as file:
        content = alone.read_bytes()
        assert file.read() == content
        assert file.read(10) == b""
        assert file.seek(-5, 2) == len(content) - 5
        assert file.read(100) == content[-5:]


@pytest.mark.parametrize("inside", ["{0}/none/0.tar", "{0}/cut.tar", "{0}/cut.parquet"])
def test_what_is_not_there_is_one_line(tmp_path, inside):
    path = type(tmp_path)(inside.format(tmp_path))
    if "cut" in inside:
        path.write_bytes(b"PAR1" + bytes(100))
    where = (
        Cell(path, "1", "audio.bytes", 0, 0)
        if path.suffix == ".parquet"
        else Member(path, "a.wav", 0, 104)
    )
    with pytest.raises(AudioError, match=str(path)) as error:
        read(where)
    assert "\n" not in str(error.value)
