"""The builder: plans, splits, resuming, and the check, on a part of plain tones."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recipes.corpus import manifests
from recipes.corpus.check import leaks
from recipes.corpus.plan import read_plan
from recipes.corpus.rows import Clip
from recipes.corpus.splits import split_groups

ROOT = Path(__file__).parents[3]
PLANS = ROOT / "recipes" / "corpus" / "plans"

TONES = '''
"""A part of the corpus: tones, each group with a pitch of its own; every tenth is too short."""

import os
from dataclasses import dataclass

import numpy as np
from recipes.corpus.rows import Clip, ClipError, Take, Words


@dataclass(frozen=True)
class Tones:
    name: str = "tones"
    synthetic: bool = True

    def plan(self, count, seed, cache):
        return [Clip(f"tone-{n:03d}", "tones", f"pitch {n % 20}", seed, n) for n in range(count)]

    def render(self, clip):
        if os.environ.get("DEADLY") == clip.id:
            os._exit(9)
        if clip.what % 10 == 9:
            raise ClipError("too high to be heard")
        seconds = np.arange(21 * 16_000) / 16_000
        tone = np.sin(2 * np.pi * (110 + 20 * clip.what) * seconds) * (0.2 + np.exp(-seconds % 1))
        return Take(tone.astype(np.float32), 16_000, {"pitch": 110 + 20 * clip.what})

    def describe(self, clip, facts):
        texts = [f"a tone of {facts['pitch']} Hz", "a plain tone"]
        return Words(texts, ["facts", "facts"], facts, {"package": "none"}, {"sound": "CC0-1.0"})


PART = Tones()
'''


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the part of tones and a plan of it."""
    (tmp_path / "tones.py").write_text(TONES)
    plan = "seed: 3\nparts:\n  tones: 40\nsplits: {test: 10, val: 8}\nsoundfonts: [TimGM6mb]\n"
    (tmp_path / "plan.yaml").write_text(plan)
    return tmp_path


def command(place: Path, out: str, *more: str) -> list[str]:
    script = [sys.executable, "-m", "recipes.corpus.build", str(place / out)]
    return [*script, "--plan", str(place / "plan.yaml"), "--jobs", "2", *more]


def surroundings(place: Path) -> dict[str, str]:
    """The environment in which the part of tones can be imported."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(place), *sys.path])}


def build(place: Path, out: str, *more: str, deadly: str = "") -> subprocess.CompletedProcess[str]:
    around = surroundings(place) | {"DEADLY": deadly}
    return subprocess.run(command(place, out, *more), env=around, capture_output=True, text=True)


def rows(folder: Path, name: str = "manifest") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").open()]


def test_killed_and_resumed_it_gives_the_same_corpus(place: Path) -> None:
    whole = build(place, "whole", "--clips", "20")
    assert whole.returncode == 0, whole.stderr
    assert "tone-009 skipped: too high to be heard" in whole.stderr
    assert "2 clips skipped" in whole.stderr
    assert len(rows(place / "whole")) == 18

    facts = place / "cut" / "facts"
    running = subprocess.Popen(
        command(place, "cut", "--clips", "20"), env=surroundings(place), stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(list(facts.glob("*.json"))) < 5:
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    there = {path: path.stat().st_mtime_ns for path in facts.glob("*.json")}
    assert 0 < len(there) < 18
    assert not (place / "cut" / "manifest.jsonl").exists()

    resumed = build(place, "cut", "--clips", "20")
    assert resumed.returncode == 0, resumed.stderr
    assert f"20 clips planned, {len(there)} there already" in resumed.stderr
    assert {path: path.stat().st_mtime_ns for path in there} == there
    assert rows(place / "cut") == rows(place / "whole")
    for row in rows(place / "whole"):
        sounds = [(place / out / row["audio"]).read_bytes() for out in ("whole", "cut")]
        assert sounds[0] == sounds[1], row["id"]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_builder(
    place: Path, sent: int, ends_with_all_it_started: Callable[..., None]
) -> None:
    facts = place / "cut" / "facts"
    running = subprocess.Popen(
        command(place, "cut"), env=surroundings(place), stderr=subprocess.DEVNULL
    )
    ends_with_all_it_started(running, sent, lambda: len(list(facts.glob("*.json"))) > 2)


def test_a_process_that_dies_costs_no_more_than_a_second_run(place: Path) -> None:
    hurt = build(place, "out", "--clips", "8", deadly="tone-003")
    assert hurt.returncode == 0, hurt.stderr
    assert "tone-003 skipped: a process died, run this again" in hurt.stderr
    whole = build(place, "out", "--clips", "8")
    assert "0 clips skipped" in whole.stderr
    assert len(rows(place / "out")) == 8


def test_rows_splits_and_the_check_agree(place: Path) -> None:
    assert build(place, "out").returncode == 0
    everything = rows(place / "out")
    assert [row for split in ("train", "val", "test") for row in rows(place / "out", split)] == (
        everything
    )
    places = defaultdict(set)
    for row in everything:
        places[row["group"]].add(row["split"])
        assert row["part"] == "tones"
        assert row["caption"][0] == f"a tone of {row['facts']['pitch']} Hz"
        assert row["licence"] == {"sound": "CC0-1.0"}
        assert 20 <= row["duration"] <= 30
    assert all(len(splits) == 1 for splits in places.values())
    assert {"train", "val", "test"} == {row["split"] for row in everything}

    def check() -> subprocess.CompletedProcess[str]:
        script = [sys.executable, "-m", "recipes.corpus.check", str(place / "out"), "--sample", "2"]
        return subprocess.run(script, capture_output=True, text=True)

    sound = check()
    assert sound.returncode == 0, sound.stdout
    assert "0 faults" in sound.stdout
    assert "a plain tone" in sound.stdout

    first, second = (place / "out" / row["audio"] for row in everything[:2])
    second.write_bytes(first.read_bytes())
    (place / "out" / everything[2]["audio"]).write_bytes(b"OggS nothing")
    unsound = check()
    assert unsound.returncode == 1
    assert "2 rows sound exactly alike" in unsound.stdout
    assert f"{everything[2]['id']}: unreadable" in unsound.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parts": "{tones: {clips: 5, colour: red}}"}, "part tones: "),
        ({"effects": "[room, rom]"}, "no effect is called 'rom'"),
        ({"soundfonts": "[Steinway]"}, "no SoundFont is called 'Steinway'"),
        ({"splits": "{test: 3}"}, "splits must name test and val"),
        ({"loudness": "11"}, "unexpected keyword argument 'loudness'"),
        ({"parts": "5"}, "plan.yaml: "),
    ],
)
def test_a_plan_that_cannot_be_followed_says_why_in_one_line(
    place: Path, change: dict[str, str], said: str
) -> None:
    told = {"seed": "1", "parts": "{tones: 5}", "splits": "{test: 1, val: 1}"} | change
    (place / "plan.yaml").write_text("".join(f"{key}: {value}\n" for key, value in told.items()))
    refused = build(place, "out")
    assert refused.returncode == 1
    assert said in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_folder_keeps_to_its_plan(place: Path) -> None:
    assert build(place, "out", "--clips", "4").returncode == 0
    other = build(place, "out", "--clips", "4", "--without", "room")
    assert other.returncode == 1
    assert "built with effects" in other.stderr
    assert "take another folder" in other.stderr
    more = build(place, "out", "--clips", "6")
    assert more.returncode == 0
    assert "6 clips planned, 4 there already" in more.stderr


def test_a_part_that_is_missing_is_left_out_in_one_line(place: Path) -> None:
    plan = "seed: 3\nparts: {tones: 3, zithers: 4}\nsplits: {test: 1, val: 1}\n"
    plan += "soundfonts: [TimGM6mb]\n"
    (place / "plan.yaml").write_text(plan)
    built = build(place, "out")
    assert built.returncode == 0
    assert "part zithers left out: No module named 'zithers'" in built.stderr
    assert len(rows(place / "out")) == 3


def test_leaving_out_what_is_not_in_the_plan_is_refused(place: Path) -> None:
    refused = build(place, "out", "--without", "reverb")
    assert refused.returncode == 1
    assert refused.stderr.startswith("reverb: not in the plan")


def test_the_shipped_plan_can_be_read() -> None:
    whole = read_plan(PLANS / "open.yaml")
    assert sum(part.clips for part in whole.parts.values()) >= 20_000
    assert len(whole.soundfonts) >= 4
    assert "room" in whole.effects
    assert "room" not in whole.without(["room"]).effects


def test_a_small_part_never_holds_out_most_of_a_large_one() -> None:
    clips = [Clip(f"b-{n}", "big", "bach" if n < 800 else f"b{n % 50}", 1, n) for n in range(3000)]
    clips += [Clip(f"a-{n}", "a", "bach" if n < 5 else f"a{n % 100}", 1, n) for n in range(200)]
    where = split_groups(clips, {"test": 300, "val": 200})
    assert where["bach"] == "train"
    assert {where[c.group] for c in clips if c.part == "a"} == {"train", "val", "test"}


def test_the_check_finds_what_is_in_two_splits() -> None:
    def row(name: str, group: str, split: str) -> dict[str, str]:
        return {"id": name, "group": group, "split": split}

    rows = [row("a", "bach", "train"), row("b", "bach", "train"), row("c", "waltz", "test")]
    assert leaks(rows) == []
    found = leaks([*rows, row("d", "bach", "test"), row("c", "waltz", "test")])
    assert found == ["group bach in ['test', 'train']", "id c 2 times"]


def test_a_group_is_in_one_split_whatever_its_part() -> None:
    sizes = {"a": 40, "b": 90, "few": 3}
    clips = [
        Clip(f"{part}-{group}-{n}", part, f"{'' if group % 3 else part}{group}", 1, None)
        for part, groups in sizes.items()
        for group in range(groups)
        for n in range(1 + (group * 7) % 23)
    ]
    wanted = {"test": len(clips) // 10, "val": len(clips) // 12}
    where = split_groups(clips, wanted)
    assert where == split_groups(list(reversed(clips)), wanted)
    assert where.keys() == {c.group for c in clips}
    for split, rows_wanted in wanted.items():
        held = [c for c in clips if where[c.group] == split]
        assert 0.7 * rows_wanted < len(held) < 1.3 * rows_wanted
        assert {c.part for c in held} >= {"a", "b"}
    # Three groups are too few to hold any out, unless another part already has.
    assert all(where[c.group] == "train" for c in clips if c.group.startswith("few"))


def test_what_sounds_like_another_split_is_not_held_out(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert manifests.alike()
    monkeypatch.syspath_prepend(str(place))
    part = importlib.import_module("tones").PART
    monkeypatch.setattr(manifests, "alike", lambda: {"loop-kit"})
    monkeypatch.setattr(manifests, "split_groups", lambda *_: {"house": "test", "country": "train"})
    names = {"loop-kit-01": "house", "tune-01": "house", "loop-kit-02": "country"}
    clips = [Clip(name, "tones", group, 3, 0) for name, group in names.items()]
    for own in clips:
        for path in (manifests.audio_path(place, own), manifests.facts_path(place, own)):
            path.parent.mkdir(exist_ok=True)
        manifests.audio_path(place, own).touch()
        told = {"facts": {"pitch": 110}, "effects": [], "duration": 21.0}
        told |= {"peak_dbfs": -3.0, "rms_dbfs": -20.0}
        manifests.facts_path(place, own).write_text(json.dumps(told))
    counts = manifests.write_manifests(clips, {"tones": part}, {}, place)
    assert counts == {"train": 1, "val": 0, "test": 1}
    assert [row["id"] for row in rows(place)] == ["loop-kit-02", "tune-01"]
