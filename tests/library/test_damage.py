"""Files of a library are cut off, spoiled or gone: it is said, and repaired."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest
from fastapi.testclient import TestClient

from muscall import Library, MusCALL
from muscall.errors import MuscallError
from muscall.library.damage import find_damage
from muscall.library.indexing.locking import locked
from muscall.library.indexing.repair import repair
from muscall.library.search import ann
from muscall.library.store import Damaged, Store
from muscall.serving.app import build

Sing = Callable[..., Path]


def retag(path: Path, title: str) -> None:
    file = mutagen.File(path, easy=True)
    file["title"] = title
    file.save()


@pytest.fixture(scope="module")
def whole(sing: Sing, tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of two commits, the second of which changes a row, with both kinds of index."""
    folder = tmp_path_factory.mktemp("whole")
    library = Library(folder / "library", tiny_model)
    for seed in range(4):
        sing(folder / "music" / f"{seed}.flac", seed, 2.5)
    library.index([folder / "music"], workers=1)
    for seed in range(4, 6):
        sing(folder / "music" / f"{seed}.flac", seed, 2.5)
    retag(folder / "music" / "0.flac", title="New")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ann, "INDEXED_FROM", 4)
        library.index(workers=1)
    return folder / "library"


@pytest.fixture
def damaged(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "library")


def rows(library: Library) -> dict[str, list[tuple[object, ...]]]:
    """What is in each table, whatever the order."""
    found = {}
    for name in library.store.names():
        table = library.store.table(name)
        assert table is not None
        columns = [name for name in table.schema.names if name not in ("added", "scanned")]
        rows = table.to_arrow().select(columns).to_pylist()
        found[name] = sorted(tuple(str(value) for value in row.values()) for row in rows)
    return found


def newest(folder: Path, pattern: str) -> Path:
    return max(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns)


FILES = [
    f"{table}.lance/{kind}"
    for table in ("files", "roots", "tracks_*", "windows_*")
    for kind in ("data/*", "_versions/*.manifest")
] + [
    "tracks_*.lance/_deletions/*",
    *(f"tracks_*.lance/_indices/*/{name}" for name in ("part_0_docs.lance", "index.idx")),
    *("tracks_*.lance/_indices/*/auxiliary.idx", "files.lance/_transactions/*"),
    "tracks_*.lance/_versions/latest_version_hint.json",
]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        *((pattern, (0.0, 0.5, 0.95)[place % 3]) for place, pattern in enumerate(FILES)),
        *(
            (f"{table}_*.lance/data/*", left)
            for table in ("tracks", "windows")
            for left in (0.0, 0.9)
        ),
    ],
)
def test_every_kind_of_file_can_be_cut_off(
    whole: Path, damaged: Path, tiny_model: MusCALL, pattern: str, left: float
) -> None:
    before = rows(Library(whole, tiny_model))
    file = newest(damaged, pattern)
    file.write_bytes(file.read_bytes()[: int(left * file.stat().st_size)])
    library = Library(damaged, tiny_model)
    harmless = file.suffix in (".txn", ".json")
    assert bool(find_damage(library.store)) is not harmless
    assert bool(library.status().advice) is not harmless
    report = library.index(workers=1)
    assert report.seconds <= 2 * 2.5
    assert find_damage(library.store) == {}
    assert rows(library) == before
    assert library.search("calm", n=6)
    assert library.search("3", n=1)[0].keyword_match


def test_what_is_lost_for_good_is_listened_to_again_and_nothing_else(
    damaged: Path, tiny_model: MusCALL, caplog: pytest.LogCaptureFixture
) -> None:
    library = Library(damaged, tiny_model)
    before = rows(library)
    for table in ("tracks", "windows"):
        # The second commit's two songs and the one whose tags changed.
        newest(damaged, f"{table}_*.lance/data/*").write_bytes(b"cut")
    with caplog.at_level(logging.INFO, "muscall"):
        report = library.index(workers=1)
    assert report.seconds == pytest.approx(2 * 2.5)
    assert rows(library) == before
    (line,) = [line for line in caplog.messages if "was damaged" in line]
    assert line.startswith(f"{damaged}: was damaged (tracks: ")
    caplog.clear()
    assert library.index(workers=1).seconds == 0
    assert caplog.messages == []


@pytest.mark.parametrize("name", ["files", "roots", "tracks_*", "windows_*"])
def test_a_table_that_is_gone_is_made_anew(damaged: Path, tiny_model: MusCALL, name: str) -> None:
    library = Library(damaged, tiny_model)
    before = rows(library)
    (table,) = damaged.glob(f"{name}.lance")
    shutil.rmtree(table)
    if name != "tracks_*":
        assert library.status().advice
    library.index(workers=1)
    assert rows(library) == before


def test_damage_is_said_wherever_the_library_is_asked(
    damaged: Path, tiny_model: MusCALL, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    newest(damaged, "windows_*.lance/data/*").write_bytes(b"")
    library = Library(damaged, tiny_model)
    advice = library.status().advice
    assert advice is not None
    assert advice.startswith("the library is damaged (windows): `muscall index` repairs it")
    with pytest.raises(Damaged, match="damaged: `muscall index` repairs"):
        library.search("calm")
    newest(damaged, "tracks_*.lance/data/*").write_bytes(b"")
    with pytest.raises(Damaged):
        library.index(dry_run=True)
    with caplog.at_level(logging.WARNING, "muscall"):
        app = build(library, cache=tmp_path / "cache", page=False)
    assert caplog.messages == [
        "the library is damaged (tracks, windows): `muscall index` repairs it, and listens again "
        "only to what is lost"
    ]
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        assert client.get("/v1/status").json()["damage"] == caplog.messages[0]
        for path in ("/v1/search?text=calm", "/v1/map"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert answer.json()["detail"].startswith("the library is damaged: `muscall index`")
    assert len(caplog.messages) == 1


def test_a_disk_out_of_reach_is_no_damage(damaged: Path, tiny_model: MusCALL) -> None:
    file = newest(damaged, "tracks_*.lance/data/*")
    held = file.read_bytes()
    file.unlink()
    file.symlink_to(file)
    library = Library(damaged, tiny_model)
    with pytest.raises(MuscallError) as caught:
        library.index(workers=1)
    assert not isinstance(caught.value, Damaged)
    file.unlink()
    file.write_bytes(held)
    assert find_damage(library.store) == {}


def test_another_run_repairs_alone(damaged: Path) -> None:
    newest(damaged, "windows_*.lance/data/*").write_bytes(b"")
    store = Store(damaged)
    with locked(store), pytest.raises(MuscallError, match="another index run is at work"):
        repair(store)
