"""Manifests of many files, whose sound lies in them or beside them."""

import io
import json
import tarfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from pyarrow import parquet

from muscall import MusCALL
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


class Hub(SimpleHTTPRequestHandler):
    """Answers for the dataset `owner/songs` as the hub does; `directory` holds its files."""

    commit = "0" * 40

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        folder, path = Path(self.directory), self.path.partition("?")[0]
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        names = [str(path.relative_to(folder)) for path in files]
        served = f"/datasets/owner/songs/resolve/{self.commit}/"
        if path.startswith("/api/datasets/owner/songs/tree/"):
            sizes = [file.stat().st_size for file in files]
            told = [
                {"type": "file", "path": name, "size": size, "oid": "1" * 40}
                for name, size in zip(names, sizes, strict=True)
            ]
            self._send(json.dumps(told).encode())
        elif path.startswith("/api/datasets/owner/songs"):
            siblings = [{"rfilename": name} for name in names]
            told = {"id": "owner/songs", "sha": self.commit, "siblings": siblings}
            self._send(json.dumps(told).encode())
        elif path.startswith(served) and (name := path.removeprefix(served)) in names:
            self._send((folder / name).read_bytes(), name)
        else:
            self.send_error(404)

    def _send(self, body: bytes, name: str = "") -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if name else "application/json")
        self.send_header("Content-Length", str(len(body)))
        if name:
            self.send_header("ETag", f'"{name.replace("/", "-")}"')
            self.send_header("X-Repo-Commit", self.commit)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A hub on this machine; the folder of what `owner/songs` has there."""
    folder = tmp_path / "published"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "kept"))
    yield folder
    server.shutdown()
    server.server_close()


def test_sound_in_parquet_and_shards_of_a_hub_is_fetched_and_heard(
    hub: Path, tiny_model: MusCALL
) -> None:
    sounds = []
    for number in range(2):
        sound = io.BytesIO()
        tone = 0.3 * np.sin(np.arange(32000) * 0.1 * (number + 1))
        soundfile.write(sound, tone, 16000, format="FLAC")
        sounds.append(sound.getvalue())
        (hub.parent / f"{number}.flac").write_bytes(sound.getvalue())
    rows = [
        {"audio": {"bytes": sound, "path": f"{number}.flac"}, "caption": f"tone {number}"}
        for number, sound in enumerate(sounds)
    ]
    (hub / "data").mkdir()
    for number, row in enumerate(rows):
        parquet.write_table(
            pa.Table.from_pylist([row]), hub / "data" / f"train-{number:05}-of-00002.parquet"
        )
        members = {f"{number}.flac": sounds[number], f"{number}.txt": b"tone"}
        tar(hub / "data" / f"{number:03}.tar", **members)
    (hub / "data" / "large.bin").write_bytes(b"of no use here")
    expected = tiny_model.encode_audio([hub.parent / f"{number}.flac" for number in range(2)])
    for written in ("data/train-*.parquet", "data/{000..001}.tar"):
        found = read_manifest(f"hf://datasets/owner/songs/{written}")
        heard = tiny_model.encode_audio([row.audio for row in found])
        np.testing.assert_allclose(heard, expected, atol=1e-6)
        assert all("kept" in str(row.audio) for row in found)
        assert not list((hub.parent / "kept").rglob("large.bin"))
    (problem,) = problems("hf://datasets/owner/songs/data/test-*.parquet")
    assert problem.endswith("test-*.parquet: no file is called so")
    (problem,) = problems("hf://datasets/owner/none/data/*.tar")
    assert "cannot be fetched: " in problem
    assert "404 Not Found" in problem
