"""Manifests of many files, whose sound lies in them or beside them."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from muscall.audio.inside import Cell, Member
from muscall.data.manifest import read_manifest, write_rows
from muscall.data.shards import located
from muscall.errors import ManifestError


def tar(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w") as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def problems(path: object) -> list[str]:
    with pytest.raises(ManifestError) as error:
        read_manifest(str(path))
    return error.value.problems


def test_samples_of_a_tar_are_rows(tmp_path: Path) -> None:
    told = json.dumps({"text": ["slow", "low"], "split": "train", "duration": 2.0}).encode()
    members = {"a/1.flac": b"one", "a/1.json": told, "2.left.mp3": b"two", "2.left.txt": b"fast\n"}
    path = tar(tmp_path / "0.tar", **members)
    first, second = read_manifest(path)
    assert (first.id, first.captions) == ("0.tar/a/1.flac", ("slow", "low"))
    assert (first.split, first.duration) == ("train", 2.0)
    assert (second.id, second.captions) == ("0.tar/2.left.mp3", ("fast",))
    for row, content in ((first, b"one"), (second, b"two")):
        assert isinstance(row.audio, Member)
        with row.audio.open() as file:
            assert file.read() == content


def test_rows_of_a_parquet_file_have_their_sound_inside(tmp_path: Path) -> None:
    column = [{"bytes": bytes([n] * 9), "path": "x.wav"} for n in range(7)]
    table = pa.table({"audio": column, "caption": [f"c{n}" for n in range(7)]})
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=3)
    rows = read_manifest(tmp_path / "t.parquet")
    assert [row.id for row in rows] == [f"t.parquet/{n + 1}" for n in range(7)]
    for number in (6, 0, 4, 3):
        sound = rows[number].audio
        assert isinstance(sound, Cell)
        with sound.open() as file:
            assert file.read() == bytes([number] * 9)
    with pytest.raises(ValueError, match="row 1"):
        write_rows(rows, tmp_path / "rows.jsonl")


def test_a_parquet_file_without_bytes_names_files(tmp_path: Path) -> None:
    (tmp_path / "x.wav").touch()
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    column = pa.array([{"bytes": None, "path": "x.wav"}], kind)
    parquet.write_table(pa.table({"audio": column, "caption": ["c"]}), tmp_path / "t.parquet")
    assert [row.audio for row in read_manifest(tmp_path / "t.parquet")] == [tmp_path / "x.wav"]


def test_patterns_name_files_in_order(tmp_path: Path) -> None:
    for name in ("a-10.tar", "a-09.tar", "a-[1].tar"):
        (tmp_path / name).touch()
    numbered = located(tmp_path / "a-{09..11}.tar")
    assert [path.name for path in numbered] == ["a-09.tar", "a-10.tar", "a-11.tar"]
    assert [path.name for path in located(tmp_path / "a-??.tar")] == ["a-09.tar", "a-10.tar"]
    assert [path.name for path in located(tmp_path / "a-[1].tar")] == ["a-[1].tar"]


def test_every_bad_shard_is_one_line(tmp_path: Path) -> None:
    samples = {f"{number}.wav": bytes(2000) for number in range(4)}
    texts = {f"{number}.txt": b"a tone" for number in range(4)}
    content = tar(tmp_path / "0.tar", **samples, **texts).read_bytes()
    (tmp_path / "1.tar").write_bytes(content[:3000])
    (tmp_path / "2.tar").write_bytes(content[:2560] + b"x" * 512 + content[3072:])
    (tmp_path / "3.tar").write_bytes(b"\x1f\x8b" + bytes(600))
    (tmp_path / "4.tar").write_bytes(content)
    found = problems(tmp_path / "{0..5}.tar")
    assert len(found) == 4
    for number, problem in zip((1, 2, 3, 5), found, strict=True):
        assert problem.startswith(f"{tmp_path}/{number}.tar: ")
        assert "\n" not in problem


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"1.txt": b"a tone"}, "expected one sound file, found none"),
        ({"1.wav": b"x", "1.flac": b"x", "1.txt": b"a"}, "found 1.wav, 1.flac"),
        ({"1.wav": b"x", "1.json": b"{"}, "1.json: Expecting"),
        ({"1.wav": b"x", "1.json": b"3"}, "1.json: expected an object"),
        ({"1.wav": b"x", "1.txt": b"\xff"}, "1.txt: 'utf-8' codec"),
    ],
)
def test_every_bad_sample_is_one_line(tmp_path: Path, members: dict, reason: str) -> None:
    (problem,) = problems(tar(tmp_path / "0.tar", **members))
    assert problem.startswith(f"{tmp_path}/0.tar: 1: ")
    assert reason in problem


def test_what_a_hub_has_is_taken_from_its_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    kept = tmp_path / "datasets--owner--name"
    folder = kept / "snapshots" / ("0" * 40)
    (folder / "data").mkdir(parents=True)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("0" * 40)
    for number in range(2):
        tar(folder / "data" / f"{number}.tar", **{"1.wav": np.float32(0).tobytes(), "1.txt": b"a"})
    found = read_manifest("hf://datasets/owner/name/data/*.tar")
    assert [row.id for row in found] == ["0.tar/1.wav", "1.tar/1.wav"]
    (problem,) = problems("hf://datasets/owner/other/data/*.tar")
    assert problem.startswith("hf://datasets/owner/other/data/*.tar: ")
    (problem,) = problems("hf://owner/name")
    assert "expected hf://datasets/owner/name" in problem
