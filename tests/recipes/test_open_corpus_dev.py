"""The real-music development set: its tables, and its building from a cache of packages."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

RECIPE = Path(__file__).parents[2] / "recipes" / "open-corpus"
Load = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def packages() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load((RECIPE / "dev" / "tracks.yaml").read_text())
    return table["packages"]


@pytest.fixture(scope="module")
def sentences() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for truth in ("sentences", "measured"):
        entries += yaml.safe_load((RECIPE / "dev" / f"{truth}.yaml").read_text())
    return entries


def test_set_is_large_enough(packages: dict[str, Any], sentences: list[dict[str, Any]]) -> None:
    tracks = [track for entry in packages.values() for track in entry["tracks"]]
    assert len(tracks) >= 80
    assert len(set(tracks)) == len(tracks)
    assert len(sentences) >= 30
    assert len({entry["sentence"] for entry in sentences}) == len(sentences)


def test_every_sentence_has_some_tracks_but_not_most(
    packages: dict[str, Any], sentences: list[dict[str, Any]]
) -> None:
    tracks = {
        track: facts for entry in packages.values() for track, facts in entry["tracks"].items()
    }
    for entry in sentences:
        relevant = entry["relevant"]
        assert 3 <= len(relevant) <= len(tracks) // 2, entry["sentence"]
        for track, reason in relevant.items():
            assert reason.startswith("measured: ") or tracks[track]["stated"]
            assert len(reason) > 5, track


def test_shares_no_package_game_or_composer_with_what_is_trained_on(
    recipe: Load, packages: dict[str, Any]
) -> None:
    sources = recipe("recordings.sources").sources()
    reserved = recipe("packages").reserved()
    kin = {name for entry in packages.values() for name in entry.get("kin", ())}
    assert not (packages.keys() | kin) & sources.keys()
    assert not (packages.keys() | kin) & reserved
    of_dev = {_plain(entry["game"]) for entry in packages.values()}
    assert not of_dev & {_plain(source["group"].split("/")[1]) for source in sources.values()}
    composers = {
        _plain(facts.get("composer", entry.get("composer", "")))
        for entry in packages.values()
        for facts in entry["tracks"].values()
    } - {""}
    trained = {
        _plain(composer)
        for source in sources.values()
        for composer in [source.get("composer", ""), *source.get("composers", {}).values()]
    }
    assert not composers & trained


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


@pytest.fixture
def tiny(recipe: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The builder with a table of one package, `tiny-tunes`, whose tree is in the cache."""
    build_dev = recipe("dev.build_dev")
    folder = tmp_path / "cache" / "debian" / "tiny-tunes_1.0" / "usr" / "music"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).normal(0, 0.1, 16000 * 3)
    soundfile.write(folder / "one.flac", noise, 16000)
    digest = hashlib.sha256((folder / "one.flac").read_bytes()).hexdigest()[:16]
    entry = {
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
    monkeypatch.setattr(recipe("packages"), "_HERE", tmp_path)
    shutil.copy(RECIPE / "reserved.txt", tmp_path)
    for table in ("reserved", "development"):
        getattr(recipe("packages"), table).cache_clear()
    return build_dev


def test_writes_one_line_per_track(tiny: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out" / "dev"
    assert tiny.build(out, tmp_path / "cache") == 1
    (row,) = map(json.loads, (out / "tracks.jsonl").read_text().splitlines())
    assert (out / row["audio"]).is_file()
    assert not Path(row["audio"]).is_absolute()
    assert row["duration"] == pytest.approx(3.0)
    told = {key: row[key] for key in ("id", "title", "composer", "package", "version", "licence")}
    assert told == {
        "id": "tiny-one",
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
