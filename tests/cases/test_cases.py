"""The folder of make_inputs.py, indexed, searched and served whole, against expected.yaml."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from muscall import Library, MusCALL
from muscall.audio.decode import probe, read
from muscall.errors import AudioError
from muscall.library.search.filters import parse_filter
from muscall.serving.app import build

HERE = Path(__file__).parent
ROWS: list[dict[str, Any]] = yaml.safe_load((HERE / "expected.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cases")
    command = [sys.executable, str(HERE / "make_inputs.py"), str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def library(folder: Path, tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("library"), tiny_model)
    report = library.index([folder], workers=2)
    assert report.failed == 0
    return library


def marked(row: dict[str, Any]) -> Any:
    # Strict: whoever mends the rest is told to take the mark away.
    marks = [pytest.mark.xfail(strict=True, reason=row["remains"])] if "remains" in row else []
    name = f"{row['case']}-{row.get('where') or row['search']}"
    return pytest.param(row, id=name, marks=marks)


@pytest.mark.parametrize("row", map(marked, ROWS))
def test_a_case(library: Library, folder: Path, row: dict[str, Any]) -> None:
    if "search" in row:
        first = library.search(row["search"], n=1)[0]
        assert first.keyword_match
        assert [str(first.path.relative_to(folder))] == row["files"]
        if "start" in row:
            assert first.passage is not None
            assert first.passage.start == row["start"]
        return
    # Not through search, which shows what sounds alike to this untrained model as one.
    table = library.store.tracks(library.embedding_version)
    assert table is not None
    found = table.search().where(parse_filter(row["where"])).limit(100).to_list()
    paths = (str(Path(track["path"]).relative_to(folder)) for track in found)
    names = [unicodedata.normalize("NFC", path) for path in paths]  # some are in NFD
    assert sorted(names) == sorted(row["files"])


def test_every_file_has_one_length(folder: Path) -> None:
    for path in filter(Path.is_file, sorted(folder.rglob("*"))):
        if path.suffix in (".wav", ".mp3", ".ogg", ".flac", ".dsf", ".dff", ".wv", ".wma", ".aiff"):
            try:
                seconds = len(read(path)) / 16000
            except AudioError:
                assert path.name.startswith("._")
                continue
            assert probe(path).duration == pytest.approx(seconds, abs=0.1), path


def test_every_track_is_served(library: Library, folder: Path, tmp_path: Path) -> None:
    app = build(library, cache=tmp_path, page=False)
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        for file in library.store.files().values():
            answer = client.get(f"/v1/tracks/{file.key}/audio", headers={"Range": "bytes=0-99"})
            assert answer.status_code == 206, file.path
        key = library.store.files()[str(folder / "tags/ape.wv")].key
        assert client.get(f"/v1/tracks/{key}/cover").headers["content-type"] == "image/png"
