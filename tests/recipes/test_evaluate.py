"""The recipe that measures released models: its numbers, and its page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile

from muscall import MusCALL
from muscall.evaluation.metrics import retrieval_metrics
from muscall.evaluation.tables import Value
from muscall.evaluation.zeroshot import tagging_scores

RATE = 16000
Load = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def load(recipe_beside: Callable[[str], Load]) -> Load:
    """Imports a module of the recipe."""
    return recipe_beside("evaluate")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of 60 clips of noise, two in three with a flute, one in three a waltz."""
    folder = tmp_path_factory.mktemp("corpus")
    generator = np.random.default_rng(0)
    lines = []
    for number in range(62):
        name = f"{number:02d}.wav"
        soundfile.write(folder / name, 0.1 * generator.standard_normal(3 * RATE), RATE)
        facts = {
            "instruments": ["flute"] if number % 3 else ["piano"],
            "style": ["waltz"] if number % 3 == 0 else [],
        }
        part = "recordings" if number >= 60 else "grooves"
        row = {"id": name, "audio": name, "caption": [f"tune {number}"], "facts": facts}
        lines.append(json.dumps(row | {"part": part}))
    (folder / "test.jsonl").write_text("\n".join(lines))
    return folder / "test.jsonl"


def test_rendered_clips_are_measured(load: Load, corpus: Path, tiny_model: MusCALL) -> None:
    rendered = load("rendered")
    clips = rendered.Clips(corpus)
    assert len(clips.rows) == 60
    assert clips.instruments[0] == ["flute", "piano"]
    assert clips.styles[0] == ["waltz"]
    found = rendered.measure(tiny_model, clips)
    text = tiny_model.encode_text([f"tune {number}" for number in range(60)])
    audio = tiny_model.encode_audio([row.audio for row in clips.rows], windows="centre")
    expected = retrieval_metrics(text @ audio.T)
    assert {n: v.value for n, v in found["central window"]["T→A"].items()} == expected
    tagged = found["instruments"]["the label"]["ROC-AUC"]
    # Whoever has a flute has no piano, but the two are asked for apart.
    assert tagged.low <= tagged.value <= tagged.high
    assert rendered.chance(60)["T→A"]["R@10"].value == pytest.approx(100 / 6)


def test_tagging_by_chance_is_what_random_scores_get(load: Load) -> None:
    random = np.random.default_rng(0)
    relevant = random.random((60, 5)) < 0.3
    drawn = [tagging_scores(random.random((60, 5)), relevant) for _ in range(400)]
    for measure, value in load("rendered").tagging_chance(list("abcde"), relevant).items():
        assert np.mean([scores[measure] for scores in drawn]) == pytest.approx(value.value, abs=0.5)


def test_finished_tracks_have_their_labels_and_tempo(load: Load) -> None:
    finished = load("finished")
    tracks = finished.Tracks()
    told = dict(zip((path.name for path in tracks.paths), tracks.tempo, strict=True))
    assert len(told) == 28
    assert told["calm_acoustic_1.opus"] == 68
    assert told["energetic_electronic_2.opus"] == 150
    assert tracks.relevant(finished.MOODS).sum(axis=0).tolist() == [1] * 28
    assert tracks.relevant(finished.KINDS).sum(axis=0).tolist() == [1] * 28
    assert 50 < finished.chance(tracks)["acoustic/electronic mAP"].value < 60


def test_rank_correlation(load: Load) -> None:
    correlate = load("finished").rank_correlation
    assert correlate(np.array([1, 2, 9]), np.array([0.1, 0.2, 0.3])) == pytest.approx(1)
    assert correlate(np.array([1, 2, 3]), np.array([9, 5, 1])) == pytest.approx(-1)
    with pytest.raises(ValueError, match="constant"):
        correlate(np.ones(3), np.arange(3))


def test_mp3_keeps_the_sound_and_changes_the_samples(load: Load) -> None:
    robustness = load("robustness")
    time = np.arange(robustness.RATE * 3) / robustness.RATE
    sound = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    coded = robustness.as_mp3(sound)
    assert len(coded) == pytest.approx(len(sound), rel=0.03)
    spectrum = np.abs(np.fft.rfft(coded[: len(sound)]))
    assert np.argmax(spectrum) / len(coded[: len(sound)]) * robustness.RATE == pytest.approx(440, 1)
    assert np.sqrt(np.mean(coded**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


def test_unchanged_files_keep_the_first_ten(
    load: Load, corpus: Path, tiny_model: MusCALL, monkeypatch: pytest.MonkeyPatch
) -> None:
    robustness = load("robustness")
    changes = {"none": lambda sound, _: sound, "other": lambda sound, _: sound[::-1] * 0.01}
    monkeypatch.setattr(robustness, "CHANGES", changes)
    paths = sorted(corpus.parent.glob("*.wav"))[:30]
    found = robustness.measure(tiny_model, paths, ["a flute", "a loud waltz", "techno"])
    stay, all_stay = found["none"].values()
    assert (stay.value, all_stay.value) == (100, 100)
    assert next(iter(found["other"].values())).value < 100


def test_page_shows_every_model_beside_chance(load: Load) -> None:
    evaluate = load("evaluate")
    value = Value(12.34, 10.0, 15.0)
    row: Any = lambda *names: dict.fromkeys(names, value)  # noqa: E731
    retrieval = {way: row("R@1", "R@5", "R@10", "mAP10", "MedR") for way in ("T→A", "A→T")}
    real = {file: row("mAP", "AUC", "hit@10") for file in ("sentences", "measured")}
    tagged = {"the label": row("ROC-AUC", "PR-AUC")}
    found = {
        "rendered": {
            "central window": retrieval, "whole clip": retrieval,
            "instruments": tagged, "styles": tagged,
        },
        "finished": {"labels and tempo": {"": row("mAP")}, "classes": {"x": row("accuracy")}},
        "real": {
            "choosing": {"": real, " + title": real},
            "final": {"": {"sentences": real["sentences"]}},
        },
        "robustness": {"as MP3": row("stay")},
    }  # fmt: skip
    found = evaluate._values(json.loads(json.dumps(found)))
    given = {
        "clips": 60, "rendered chance": retrieval, "finished chance": row("mAP"),
        "real": {
            half: {
                "tracks": tracks, "sentences": 67, "chance": chance,
                "rulers": dict.fromkeys(("file name", "title", "tags"), real),
            }
            for half, tracks, chance in (
                ("choosing", 156, real), ("final", 172, {"sentences": real["sentences"]})
            )
        },
        "labels": dict.fromkeys(("instruments", "styles"), (18, tagged["the label"])),
    }  # fmt: skip
    text = evaluate.page({"default": found, "base": found}, given)
    assert text.count("12.3 (10.0-15.0)") > 20
    assert text.index("156 tracks") < text.index("172 tracks")
    assert text.count("**What is measured of the sound**") == 1
    for name in ("default + title", "base, central window", "by chance", "the paper's MusCALL"):
        assert name in text
