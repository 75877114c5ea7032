"""The corpus's tracker modules: a small one is written here and played by libopenmpt."""

from __future__ import annotations

import ctypes.util
import json
import math
import struct
from pathlib import Path

import pytest

if ctypes.util.find_library("openmpt") is None:
    pytest.skip("needs Debian's libopenmpt0", allow_module_level=True)

from recipes.corpus import packages, rows, tracker
from recipes.corpus.tracker import libopenmpt

PERIODS = (428, 381, 340, 320, 285, 254)  # C to A of a ProTracker octave


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ProTracker module of 61 s at 125 bpm: "piano", every fourth row; a "trumpet" is silent."""
    names = [b"piano", b"bassdrum", b"trumpet", b"by a musician of organ fame"]
    wave = bytes(int(100 * math.sin(n / 32 * 2 * math.pi)) & 0xFF for n in range(2048))
    headers = b"".join(
        struct.pack(">22sHBBHH", name[:22], len(wave) // 2 if n < 2 else 0, 0, 64, 0, 1)
        for n, name in enumerate([*names, *[b""] * 27])
    )
    rows = []
    for row in range(64):
        piano = (PERIODS[row // 4 % 6] if row % 4 == 0 else 0, 1)
        drum = (856 if row % 8 == 0 else 0, 2)
        for period, sample in (piano, drum, (0, 0), (0, 0)):
            number = sample if period else 0
            rows.append(struct.pack(">HBB", number & 0xF0 | period, (number & 0xF) << 4, 0))
    orders = bytes(8) + bytes(120)
    module = b"Time and Again".ljust(20, b"\0") + headers + bytes([8, 127]) + orders + b"M.K."
    (tmp_path / "again.mod").write_bytes(module + b"".join(rows) + wave * 2)
    return tmp_path / "again.mod"


def _clip(path: Path, take: int) -> object:
    what = tracker.Excerpt("pingus-data", "1", str(path), take)
    return rows.Clip("c", "tracker", "game/pingus", 7 + take, what)


def test_the_module_says_what_it_plays(path: Path) -> None:
    with libopenmpt.Module(path) as module:
        assert module.title == "Time and Again"
        assert module.seconds == pytest.approx(61.4, abs=0.5)
        heard = module.play(7.0, 20.0)
    assert heard.samples.shape == (20 * libopenmpt.RATE, 2)
    assert heard.bpm == pytest.approx(125, abs=1)
    # Every fourth row of 0.12 s.
    assert heard.onsets == pytest.approx(1 / 0.48, abs=0.2)
    assert set(heard.struck) == {"piano", "bassdrum"}
    assert heard.struck["piano"] == pytest.approx(2 * heard.struck["bassdrum"], abs=2)


def test_tempo_and_pitch_are_factors(path: Path) -> None:
    with libopenmpt.Module(path) as module:
        plain = module.play(0.0, 20.0)
    with libopenmpt.Module(path) as module:
        faster = module.play(0.0, 20.0, tempo=1.25, pitch=1.2)
    assert faster.bpm == pytest.approx(1.25 * plain.bpm, rel=0.01)
    assert faster.struck["piano"] == pytest.approx(1.25 * plain.struck["piano"], abs=2)


@pytest.mark.parametrize("take", [0, 1, 2, 3])
def test_a_clip_is_in_bounds_and_the_same_each_time(path: Path, take: int) -> None:
    clip = _clip(path, take)
    first, second = (tracker.PART.render(clip) for _ in range(2))
    assert 20.0 <= len(first.samples) / first.rate <= 30.0
    assert abs(first.samples).max() > 0.01
    assert (first.samples == second.samples).all()
    assert first.facts == second.facts
    assert (first.facts["tempo_factor"] == 1.0) == (take % 2 == 0)


def test_captions_name_only_what_sounds(path: Path) -> None:
    clip = _clip(path, 0)
    take = tracker.PART.render(clip)
    assert take.facts["instruments"] == ["piano"]
    assert take.facts["kit"]
    told = tracker.PART.describe(clip, json.loads(json.dumps(take.facts)))
    text = " ".join(told.captions).lower()
    assert "piano" in text
    assert "drums" in text
    assert not any(word in text for word in ("trumpet", "organ", "bpm", "major"))
    assert "author" in told.kinds
    assert "time and again" in text


@pytest.mark.parametrize(
    ("title", "shown"),
    [("<- Electric dream ->", "Electric dream"), ("area1-game", None), ("Song 3", None),
     ("boiled blood", "boiled blood"), ("MANIA by Mordred", "MANIA"), ("", None)],
)  # fmt: skip
def test_titles_lose_their_ornaments(title: str, shown: str | None) -> None:
    assert tracker._readable(title) == shown


def test_bad_files_are_one_line(tmp_path: Path, path: Path) -> None:
    other = tmp_path / "other.mod"
    other.write_bytes(b"module example where\n")
    with pytest.raises(rows.ClipError, match=r"^other\.mod: not a module"):
        libopenmpt.Module(other)
    short = bytearray(path.read_bytes())
    short[950] = 1  # one pattern instead of eight
    other.write_bytes(bytes(short))
    with pytest.raises(rows.ClipError, match=r"^other\.mod: 8 s of music"):
        tracker.PART.render(_clip(other, 0))


def test_no_source_is_reserved_and_every_one_says_what_it_may() -> None:
    table = tracker.sources()
    assert not set(table) & (packages.reserved() | packages.development())
    assert all(entry["licence"] and entry["group"] and entry["genres"] for entry in table.values())
