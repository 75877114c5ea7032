"""The real-music development set: its tables, and its building from a cache of packages."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from recipes.corpus import packages as fetching
from recipes.corpus.dev import build_dev
from recipes.corpus.recordings.sources import sources

DEV = Path(build_dev.__file__).parent

PARTS = ("choosing", "final")
KINDS = {"genre", "instrument", "voice", "mood", "culture", "use", "era", "tempo"}


@pytest.fixture(scope="module")
def packages() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load((DEV / "tracks.yaml").read_text())
    return table["packages"]


@pytest.fixture(scope="module")
def sentences() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for kind in ("metadata", "acoustic"):
        entries += yaml.safe_load((DEV / f"{kind}.yaml").read_text())
    return entries


def test_set_is_large_enough(packages: dict[str, Any], sentences: list[dict[str, Any]]) -> None:
    tracks = [track for entry in packages.values() for track in entry["tracks"]]
    assert len(tracks) >= 300
    assert len(set(tracks)) == len(tracks)
    assert len({entry["sentence"] for entry in sentences}) == len(sentences)
    for part in PARTS:
        assert len(_tracks(packages, part)) >= 150
        kinds = [entry["kind"] for entry in sentences if entry.get("part") == part]
        assert len(kinds) >= 60
        assert set(kinds) == KINDS


def test_every_sentence_has_some_tracks_of_its_part_but_not_most(
    packages: dict[str, Any], sentences: list[dict[str, Any]]
) -> None:
    alone = 0
    for entry in sentences:
        tracks = _tracks(packages, entry.get("part", "choosing"))
        relevant = entry["relevant"]
        assert 1 <= len(relevant) <= len(tracks) // 3, entry["sentence"]
        alone += len(relevant) == 1
        for track, reason in relevant.items():
            assert reason.startswith("measured: ") or tracks[track]["stated"]
            assert len(reason) > 5, track
    assert alone <= len(sentences) // 10


def test_parts_share_no_game_and_no_composer(packages: dict[str, Any]) -> None:
    assert {entry["part"] for entry in packages.values()} == set(PARTS)
    games, composers = (
        [of({k: e for k, e in packages.items() if e["part"] == part}) for part in PARTS]
        for of in (_games, _composers)
    )
    assert not games[0] & games[1]
    assert not composers[0] & composers[1]


def test_shares_no_package_game_or_composer_with_what_is_trained_on(
    packages: dict[str, Any],
) -> None:
    table = sources()
    reserved = fetching.reserved()
    kin = {name for entry in packages.values() for name in entry.get("kin", ())}
    assert not (packages.keys() | kin) & table.keys()
    assert not (packages.keys() | kin) & reserved
    trained_games = {_plain(source["group"].split("/")[1]) for source in table.values()}
    assert not _games(packages) & trained_games
    trained = {
        _plain(composer)
        for source in table.values()
        for composer in [source.get("composer", ""), *source.get("composers", {}).values()]
    }
    assert not _composers(packages) & trained


def _tracks(packages: dict[str, Any], part: str) -> dict[str, Any]:
    entries = [entry for entry in packages.values() if entry["part"] == part]
    return {track: facts for entry in entries for track, facts in entry["tracks"].items()}


def _games(packages: dict[str, Any]) -> set[str]:
    return {_plain(entry["game"]) for entry in packages.values()}


def _composers(packages: dict[str, Any]) -> set[str]:
    return {
        _plain(facts.get("composer", entry.get("composer", "")))
        for entry in packages.values()
        for facts in entry["tracks"].values()
    } - {""}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The builder with a table of one package, `tiny-tunes`, whose tree is in the cache."""
    folder = tmp_path / "cache" / "debian" / "tiny-tunes_1.0" / "usr" / "music"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).normal(0, 0.1, 16000 * 3)
    soundfile.write(folder / "one.flac", noise, 16000)
    digest = hashlib.sha256((folder / "one.flac").read_bytes()).hexdigest()[:16]
    entry = {
        "part": "final",
        "game": "Tiny",
        "composer": "Somebody",
        "licence": "CC0-1.0",
        "folder": "usr/music",
        "tracks": {"tiny-one": {"file": "one.flac", "title": "One", "sha256": digest}},
    }
    here = tmp_path / "dev"
    here.mkdir()
    (here / "tracks.yaml").write_text(yaml.safe_dump({"packages": {"tiny-tunes": entry}}))
    monkeypatch.setattr(build_dev, "_HERE", here)
    monkeypatch.setattr(fetching, "_HERE", tmp_path)
    shutil.copy(DEV.parent / "reserved.txt", tmp_path)
    tables = (fetching.reserved, fetching.development)
    for table in tables:
        table.cache_clear()
    yield build_dev
    for table in tables:
        table.cache_clear()


def test_writes_one_line_per_track(tiny: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out" / "dev"
    assert tiny.build(out, tmp_path / "cache") == 1
    (row,) = map(json.loads, (out / "tracks.jsonl").read_text().splitlines())
    assert (out / row["audio"]).is_file()
    assert not Path(row["audio"]).is_absolute()
    assert row["duration"] == pytest.approx(3.0)
    told = {
        key: row[key]
        for key in ("id", "part", "title", "composer", "package", "version", "licence")
    }
    assert told == {
        "id": "tiny-one",
        "part": "final",
        "title": "One",
        "composer": "Somebody",
        "package": "tiny-tunes",
        "version": "1.0",
        "licence": "CC0-1.0",
    }


def test_refuses_another_file_of_the_same_name(tiny: ModuleType, tmp_path: Path) -> None:
    path = next((tmp_path / "cache").rglob("one.flac"))
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(tiny.TrackError, match=r"^tiny-one: one.flac of tiny-tunes 1.0 is another"):
        tiny.build(tmp_path / "out", tmp_path / "cache")
    path.unlink()
    with pytest.raises(tiny.TrackError, match=r"^tiny-one: tiny-tunes 1.0 has no one.flac$"):
        tiny.build(tmp_path / "out", tmp_path / "cache")


def test_reads_tracks_in_archives(tiny: ModuleType, tmp_path: Path) -> None:
    path = next((tmp_path / "cache").rglob("one.flac"))
    sound = path.read_bytes()
    with zipfile.ZipFile(path.with_name("tunes.pk3"), "w") as archive:
        archive.writestr("music/one.flac", sound)
    path.with_name("tunes.rcc").write_bytes(_resources(sound))
    path.unlink()
    table = tmp_path / "dev" / "tracks.yaml"
    entry = yaml.safe_load(table.read_text())["packages"]["tiny-tunes"] | {"folder": "music"}
    for archive in ("tunes.pk3", "tunes.rcc"):
        entry["archive"] = f"usr/music/{archive}"
        table.write_text(yaml.safe_dump({"packages": {"tiny-tunes": entry}}))
        for _ in range(2):
            assert tiny.build(tmp_path / "out", tmp_path / "cache") == 1
        row = json.loads((tmp_path / "out" / "tracks.jsonl").read_text())
        assert row["audio"].endswith(f"{archive}.unzipped/music/one.flac")
        assert (tmp_path / "out" / row["audio"]).read_bytes() == sound


def _resources(sound: bytes) -> bytes:
    """A Qt resource file (version 2) of `music/one.flac`, packed, and an empty `music/two`."""
    packed = struct.pack(">I", len(sound)) + zlib.compress(sound)
    contents = struct.pack(">I", len(packed)) + packed + struct.pack(">I", 0)
    names, places = b"", []
    for name in ("music", "one.flac", "two"):
        places.append(len(names))
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    tree = struct.pack(">IHIIQ", 0, 2, 1, 1, 0)
    tree += struct.pack(">IHIIQ", places[0], 2, 2, 2, 0)
    tree += struct.pack(">IHIIQ", places[1], 1, 0, 0, 0)
    tree += struct.pack(">IHIIQ", places[2], 0, 0, 4 + len(packed), 0)
    head = struct.pack(">4s4I", b"qres", 2, 20, 20 + len(tree), 20 + len(tree) + len(contents))
    return head + tree + contents + names
