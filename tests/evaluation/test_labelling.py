import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from muscall import MusCALL
from muscall.data.manifest import Row
from muscall.errors import MuscallError
from muscall.evaluation.labelling import Labelling, evaluate_zeroshot
from muscall.evaluation.zeroshot import ENSEMBLE, PLAIN, PROMPT

PROMPTS = {"plain": PLAIN, "prompt": PROMPT, "ensemble": ENSEMBLE}


def labelled(music: Path, labels: list[tuple[str, ...]]) -> list[Row]:
    paths = sorted(music.rglob("*.wav"))
    return [Row(path.stem, path, labels=some) for path, some in zip(paths, labels, strict=True)]


def test_one_label_each_is_scored_by_accuracy(tiny_model: MusCALL, music: Path) -> None:
    rows = labelled(music, [("low",), ("high",), ("low",), ("middle",), ("high",)])
    labelling = Labelling.of(rows)
    result = evaluate_zeroshot(tiny_model, rows, labelling, PROMPTS)
    assert result.labels == ["high", "low", "middle"]
    assert result.items == 5
    audio = tiny_model.encode_audio([row.audio for row in rows], windows="centre")
    for name, template in (("plain", "{}"), ("prompt", "A {} track")):
        text = tiny_model.encode_text([template.format(label) for label in result.labels])
        expected = accuracy_score([1, 0, 1, 2, 0], (audio @ text.T).argmax(axis=1))
        assert result.scores[name] == {"accuracy": pytest.approx(100 * expected)}
        low, high = result.intervals[name]["accuracy"]
        assert low <= 100 * expected <= high
    assert result.scores.keys() == result.intervals.keys() == PROMPTS.keys()


def test_several_labels_are_ranked_each_by_itself(tiny_model: MusCALL, music: Path) -> None:
    rows = labelled(music, [("low", "dull"), ("high",), (), ("low", "dull"), ("dull",)])
    result = evaluate_zeroshot(tiny_model, rows, Labelling.of(rows), PROMPTS)
    audio = tiny_model.encode_audio([row.audio for row in rows], windows="centre")
    text = tiny_model.encode_text(["dull", "high", "low"])
    truth = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 0, 1], [1, 0, 0]])
    assert result.scores["plain"]["ROC-AUC"] == pytest.approx(
        100 * roc_auc_score(truth, audio @ text.T)
    )
    assert result.scores["plain"].keys() == {"ROC-AUC", "PR-AUC"}


def test_the_labels_are_those_of_all_rows_whatever_is_scored(
    tiny_model: MusCALL, music: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = labelled(music, [("low",), ("high",), ("low",), ("middle",), ("high",)])
    result = evaluate_zeroshot(tiny_model, rows[:3], Labelling.of(rows), PROMPTS)
    assert result.labels == ["high", "low", "middle"]
    several = labelled(music, [("low", "a"), ("high", "a"), ("a",), ("middle",), ("high",)])
    with caplog.at_level(logging.WARNING, "muscall"):
        result = evaluate_zeroshot(tiny_model, several[:3], Labelling.of(several), PROMPTS)
    assert result.labels == ["high", "low"]
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "2 of 4 labels are not scored, as all rows have them or none: a, middle"


def test_unreadable_rows_are_left_out(tiny_model: MusCALL, music: Path, tmp_path: Path) -> None:
    rows = labelled(music, [("low",), ("high",), ("low",), ("middle",), ("high",)])
    broken = replace(rows[2], audio=tmp_path / "missing.wav")
    labelling = Labelling.of(rows)
    result = evaluate_zeroshot(tiny_model, [*rows[:2], broken, *rows[3:]], labelling, PROMPTS)
    assert [failure.path.name for failure in result.failures] == ["missing.wav"]
    without = evaluate_zeroshot(tiny_model, rows[:2] + rows[3:], labelling, PROMPTS)
    assert result.as_dict() == without.as_dict()


def test_what_cannot_be_scored_is_one_line(tiny_model: MusCALL, music: Path) -> None:
    with pytest.raises(MuscallError, match="nothing to tell apart: 1 labels in 5 rows"):
        Labelling.of(labelled(music, [("low",)] * 5))
    rows = labelled(music, [("low", "a"), ("low", "a"), ("low", "a"), (), ("a",)])
    with pytest.raises(MuscallError, match="no label is in some rows and not in others: a, low"):
        evaluate_zeroshot(tiny_model, rows[:3], Labelling.of(rows), PROMPTS)


@pytest.mark.parametrize("one_each", [True, False])
def test_chance_is_what_random_scores_have(one_each: bool) -> None:
    generator = np.random.default_rng(0)
    labelling = Labelling(tuple("abcd"), one_each)
    truth = generator.random((30, 4)) < [0.1, 0.2, 0.4, 0.6]
    if one_each:
        truth = np.eye(4, dtype=bool)[generator.integers(4, size=30)]
    drawn = [labelling.scores(generator.random((30, 4)), truth) for _ in range(2000)]
    expected = {name: np.mean([scores[name] for scores in drawn]) for name in drawn[0]}
    assert labelling.chance(truth) == pytest.approx(expected, rel=0.02)
