"""The recipe that measures released models: its numbers, and its page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from muscall import MusCALL
from muscall.evaluation.labelling import Labelling
from muscall.evaluation.metrics import retrieval_metrics
from muscall.evaluation.score import Score
from recipes.evaluate import evaluate, generated, rendered, robustness

RATE = 16000
REPOSITORY = Path(__file__).parents[2]


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


def test_rendered_clips_are_measured(corpus: Path, tiny_model: MusCALL) -> None:
    clips = rendered.Clips(corpus)
    assert len(clips.rows) == 60
    assert clips.tags["instruments"][0] == ["flute", "piano"]
    assert clips.tags["styles"][0] == ["waltz"]
    found = rendered.measure(tiny_model, clips)
    text = tiny_model.encode_text([f"tune {number}" for number in range(60)])
    audio = tiny_model.encode_audio([row.audio for row in clips.rows], windows="centre")
    expected = retrieval_metrics(text @ audio.T)
    assert {n: v.value for n, v in found["central window"]["T→A"].items()} == expected
    tagged = found["instruments"]["the label"]["ROC-AUC"]
    # Whoever has a flute has no piano, but the two are asked for apart.
    assert tagged.low <= tagged.value <= tagged.high
    assert rendered.chance(60)["T→A"]["R@10"].value == pytest.approx(100 / 6)


def test_tagging_by_chance_is_what_random_scores_get() -> None:
    random = np.random.default_rng(0)
    relevant = random.random((60, 5)) < 0.3
    tags = Labelling(tuple("abcde"), multiclass=False)
    drawn = [tags.values(random.random((60, 5)), relevant) for _ in range(100)]
    for measure, value in rendered.tagging_chance(list("abcde"), relevant).items():
        assert np.mean([scores[measure] for scores in drawn]) == pytest.approx(value.value, abs=0.5)


def test_generated_tracks_have_their_labels_and_tempo() -> None:
    tracks = generated.Tracks()
    told = dict(zip((path.name for path in tracks.paths), tracks.tempo, strict=True))
    assert len(told) == 28
    assert told["calm_acoustic_1.opus"] == 68
    assert told["energetic_electronic_2.opus"] == 150
    assert tracks.relevant(generated.MOODS).sum(axis=1).tolist() == [1] * 28
    assert tracks.relevant(generated.KINDS).sum(axis=1).tolist() == [1] * 28
    assert 50 < generated.chance(tracks)["acoustic/electronic mAP"].value < 60


def test_mp3_keeps_the_sound_and_changes_the_samples() -> None:
    time = np.arange(robustness.RATE * 3) / robustness.RATE
    sound = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    coded = robustness.as_mp3(sound)
    assert len(coded) == pytest.approx(len(sound), rel=0.03)
    spectrum = np.abs(np.fft.rfft(coded[: len(sound)]))
    assert np.argmax(spectrum) / len(coded[: len(sound)]) * robustness.RATE == pytest.approx(440, 1)
    assert np.sqrt(np.mean(coded**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


def test_unchanged_files_keep_the_first_ten(
    corpus: Path, tiny_model: MusCALL, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"none": lambda sound, _: sound, "other": lambda sound, _: sound[::-1] * 0.01}
    monkeypatch.setattr(robustness, "CHANGES", changes)
    paths = sorted(corpus.parent.glob("*.wav"))[:30]
    found = robustness.measure(tiny_model, paths, ["a flute", "a loud waltz", "techno"])
    stay, all_stay = found["none"].values()
    assert (stay.value, all_stay.value) == (100, 100)
    assert next(iter(found["other"].values())).value < 100


def test_page_shows_every_model_beside_chance() -> None:
    value = Score(12.34, 10.0, 15.0)
    row: Any = lambda *names: dict.fromkeys(names, value)  # noqa: E731
    retrieval = {way: row("R@1", "R@5", "R@10", "mAP10", "MedR") for way in ("T→A", "A→T")}
    real = {file: row("mAP", "AUC", "hit@10") for file in ("metadata", "acoustic")}
    tagged = {"the label": row("ROC-AUC", "PR-AUC")}
    found = {
        "rendered": {
            "central window": retrieval, "whole clip": retrieval,
            "instruments": tagged, "styles": tagged,
        },
        "generated": {"labels and tempo": {"": row("mAP")}, "classes": {"x": row("accuracy")}},
        "real": {
            "choosing": {"": real, " + title": real},
            "final": {"": {"metadata": real["metadata"]}},
        },
        "robustness": {"as MP3": row("stay")},
    }  # fmt: skip
    found = evaluate._values(json.loads(json.dumps(found)))
    given = {
        "clips": 60, "rendered chance": retrieval,
        "generated chance": row("acoustic/electronic mAP"),
        "real": {
            part: {
                "tracks": tracks, "sentences": 67, "chance": chance,
                "baselines": dict.fromkeys(("file name", "title", "tags"), real),
            }
            for part, tracks, chance in (
                ("choosing", 156, real), ("final", 172, {"metadata": real["metadata"]})
            )
        },
        "labels": dict.fromkeys(("instruments", "styles"), (18, tagged["the label"])),
    }  # fmt: skip
    text = evaluate.page({"default": found, "base": found}, given)
    assert text.count("12.3 (10.0-15.0)") > 20
    assert text.index("156 tracks") < text.index("172 tracks")
    assert text.count("**Acoustic queries") == 1
    for name in ("default + title", "base, central window", "by chance", "the paper's MusCALL"):
        assert name in text
    saved = Path("docs/results/weights-default.json")
    default = evaluate._values(json.loads((REPOSITORY / saved).read_text())["found"])
    rows = [
        line
        for line in evaluate.page({"default": default}, given).splitlines()
        if line.startswith("| default")
    ]
    committed = (REPOSITORY / saved.with_name("weights.md")).read_text()
    assert len(rows) > 20
    assert set(rows) <= set(committed.splitlines())
