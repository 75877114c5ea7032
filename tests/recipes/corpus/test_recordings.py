"""Part 4 of the open corpus: real files, cut, heard by the real tagger and described."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from recipes.corpus import packages, recordings, rows
from recipes.corpus.recordings.sources import sources

RATE = 16000


def _noise(seconds: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    """A cache with one package of tracks of 60, 22 and 5 s, and 30 s in an archive."""
    table = sources()
    whole = dict(table)
    table.clear()
    table["tiny-tunes"] = {
        "group": "game/tiny",
        "about": "a tiny game",
        "licence": "CC0-1.0",
        "files": ["usr/music/*.flac", "usr/data.pk3!music/*.flac"],
        "titles": {"short": "Short Tune"},
        "composers": {"music/short": "Ann", "data.pk3": "Bob"},
    }
    music = tmp_path / "debian" / "tiny-tunes_1.0" / "usr" / "music"
    music.mkdir(parents=True)
    long = np.concatenate([_noise(35, 1), np.zeros(25 * RATE, np.float32)])
    soundfile.write(music / "long.flac", long, RATE)
    soundfile.write(music / "short.flac", _noise(22, 2), RATE)
    soundfile.write(music / "jingle.flac", _noise(5, 3), RATE)
    soundfile.write(tmp_path / "packed.flac", _noise(30, 4), RATE)
    (music / "again.flac").symlink_to("long.flac")
    (music / "broken.flac").write_bytes(b"no sound")
    with zipfile.ZipFile(music.parent / "data.pk3", "w") as archive:
        archive.write(tmp_path / "packed.flac", "music/packed.flac")
    yield tmp_path
    table.clear()
    table.update(whole)


@pytest.fixture
def part() -> Any:
    return recordings.PART


def test_plans_pieces_of_every_track_that_is_long_enough(part: Any, cache: Path) -> None:
    clips = part.plan(100, 1, cache)
    places = {clip.id: (clip.what.start, clip.what.seconds) for clip in clips}
    assert places == {
        "recordings-tiny-tunes-long-000": (5.0, 25.0),
        "recordings-tiny-tunes-long-001": (30.0, 25.0),
        "recordings-tiny-tunes-short-000": (0.0, 22.0),
        "recordings-tiny-tunes-packed-000": (2.5, 25.0),
    }
    assert {clip.group for clip in clips} == {"game/tiny"}
    # Every track comes once before any comes again.
    assert {clip.what.track.name for clip in clips[:3]} == {
        "tiny-tunes-long", "tiny-tunes-short", "tiny-tunes-packed",
    }  # fmt: skip
    assert part.plan(100, 1, cache) == clips
    assert part.plan(2, 1, cache) == clips[:2]
    by_name = {clip.what.track.name: clip.what.track for clip in clips}
    assert by_name["tiny-tunes-short"].title == "Short Tune"
    assert by_name["tiny-tunes-short"].composer == "Ann"
    assert by_name["tiny-tunes-packed"].composer == "Bob"
    assert by_name["tiny-tunes-packed"].file == "usr/data.pk3!music/packed.flac"


def test_renders_that_part_of_the_file_and_what_is_heard_in_it(part: Any, cache: Path) -> None:
    clips = {clip.id: clip for clip in part.plan(100, 1, cache)}
    take = part.render(clips["recordings-tiny-tunes-packed-000"])
    assert take.rate == RATE
    expected = _noise(30, 4)[round(2.5 * RATE) : round(27.5 * RATE)]
    np.testing.assert_allclose(take.samples, expected, atol=1e-4)
    facts = json.loads(json.dumps(take.facts))
    assert len(facts["tags"]) == 100
    assert all(0 <= value <= 1 for value in facts["tags"].values())
    assert facts["measured"]["level"] == pytest.approx(-20, abs=0.1)


def test_refuses_silence_and_lost_files(part: Any, cache: Path) -> None:
    clips = {clip.id: clip for clip in part.plan(100, 1, cache)}
    silent = clips["recordings-tiny-tunes-long-001"]
    segment = type(silent.what)(silent.what.track, 36.0, 20.0)
    with pytest.raises(rows.ClipError, match="silent"):
        part.render(type(silent)(silent.id, silent.part, silent.group, silent.seed, segment))
    clips["recordings-tiny-tunes-short-000"].what.track.path.unlink()
    with pytest.raises(rows.ClipError, match=r"short\.flac"):
        part.render(clips["recordings-tiny-tunes-short-000"])


def test_describes_with_the_tagger_the_title_and_the_package(part: Any, cache: Path) -> None:
    clips = {clip.id: clip for clip in part.plan(100, 1, cache)}
    clip = clips["recordings-tiny-tunes-short-000"]
    tags = dict.fromkeys(part.render(clip).facts["tags"], 0.0) | {
        "mtt/piano": 0.95, "mtt/slow": 0.9, "msd/jazz": 0.9,
    }  # fmt: skip
    facts = part.render(clip).facts | {"title": "Short Tune", "composer": "Ann", "tags": tags}
    words = part.describe(clip, facts)
    assert len(words.captions) == len(words.kinds)
    by_kind = {kind: caption for caption, kind in zip(words.captions, words.kinds, strict=True)}
    assert by_kind["title"] == "Short Tune by Ann"
    assert by_kind["author"] == "music of a tiny game"
    pseudo = " ".join(c for c, k in zip(words.captions, words.kinds, strict=True) if k == "pseudo")
    assert "piano" in pseudo
    assert words.licence == {"music": "CC0-1.0"}
    assert words.source["file"] == "usr/music/short.flac"
    assert words == part.describe(clip, facts)
    untitled = clips["recordings-tiny-tunes-long-000"]
    told = part.describe(untitled, {**facts, "title": "", "composer": ""})
    assert "title" not in told.kinds


def test_reserved_packages_stay_out_whatever_the_table_says(part: Any, cache: Path) -> None:
    table = sources()
    for name in ("supertuxkart-data", "hedgewars-data"):
        entry = {"group": "game/x", "about": "a game", "licence": "GPL-3", "files": ["**/*.ogg"]}
        table[name] = entry
        with pytest.raises(packages.ReservedError, match=name):
            part.plan(10, 1, cache)
        del table[name]


def test_table_states_what_every_row_needs() -> None:
    table = sources()
    assert len(table) >= 30
    for name, source in table.items():
        assert source["group"].startswith(("game/", "composer/")), name
        assert source["licence"], name
        assert source["about"].startswith(("a ", "an ", "examples ", "simple ")), name
        assert source["files"], name
