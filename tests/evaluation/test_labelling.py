import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, roc_auc_score
from torchmetrics.functional.classification import multilabel_auroc, multilabel_average_precision

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
        value, low, high, _ = result.scores[name]["accuracy"]
        assert value == pytest.approx(100 * expected)
        assert low <= 100 * expected <= high
    assert result.scores.keys() == PROMPTS.keys()


def test_several_labels_are_ranked_each_by_itself(tiny_model: MusCALL, music: Path) -> None:
    rows = labelled(music, [("low", "dull"), ("high",), (), ("low", "dull"), ("dull",)])
    result = evaluate_zeroshot(tiny_model, rows, Labelling.of(rows), PROMPTS)
    audio = tiny_model.encode_audio([row.audio for row in rows], windows="centre")
    text = tiny_model.encode_text(["dull", "high", "low"])
    truth = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 0, 1], [1, 0, 0]])
    assert result.scores["plain"]["ROC-AUC"].value == pytest.approx(
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


TAGS = Labelling(tuple("abcdef"), multiclass=False)
CLASSES = Labelling(tuple("abcdef"), multiclass=True)


def test_values_equal_those_of_scikit_learn_and_torchmetrics() -> None:
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(200, 6))
    truth = generator.integers(6, size=200)
    accuracy = 100 * accuracy_score(truth, scores.argmax(axis=1))
    assert CLASSES.values(scores, np.eye(6, dtype=bool)[truth]) == {"accuracy": accuracy}
    relevant = generator.random((200, 6)) < 0.2
    given = torch.from_numpy(scores).sigmoid(), torch.from_numpy(relevant).int()
    assert TAGS.values(scores, relevant) == {
        "ROC-AUC": pytest.approx(100 * float(multilabel_auroc(*given, num_labels=6))),
        "PR-AUC": pytest.approx(100 * float(multilabel_average_precision(*given, num_labels=6))),
    }


def test_a_model_that_cannot_decide_is_never_right() -> None:
    assert CLASSES.values(np.zeros((6, 6)), np.eye(6, dtype=bool)) == {"accuracy": 0}


def test_intervals_are_those_of_every_draw_scored_by_itself() -> None:
    generator = np.random.default_rng(0)
    # Few distinct scores, so that ties are common.
    scores, relevant = generator.integers(5, size=(40, 3)), generator.random((40, 3)) < 0.3
    found = Labelling(tuple("abc"), multiclass=False).scores(scores, relevant)

    def precision(item: int, drawn: np.ndarray, label: int) -> float:
        others = drawn[drawn != item]  # its own copies say nothing of it
        above = others[scores[others, label] >= scores[item, label]]
        return (1 + relevant[above, label].sum()) / (1 + len(above))

    draws = np.random.default_rng(0).integers(40, size=(1000, 40))
    precisions = [
        np.mean(
            [
                np.mean([precision(item, drawn, n) for item in drawn if relevant[item, n]])
                for n in range(3)
            ]
        )
        for drawn in draws
    ]

    def area(of: np.ndarray, right: np.ndarray) -> float:
        ahead = np.sign(of[right][:, None] - of[~right])  # 0 for a tie, which counts half
        return float(np.mean((1 + ahead) / 2))

    areas = [
        np.mean([area(scores[drawn, n], relevant[drawn, n]) for n in range(3)]) for drawn in draws
    ]
    for name, values in (("ROC-AUC", areas), ("PR-AUC", precisions)):
        ends = 100 * np.quantile(values, [0.025, 0.975])
        assert found[name][1:3] == pytest.approx(tuple(ends))
    truth = np.eye(5, dtype=bool)[generator.integers(5, size=60)]
    value, low, high, _ = Labelling(tuple("abcde"), multiclass=True).scores(
        generator.normal(size=(60, 5)) + 2 * truth, truth
    )["accuracy"]
    assert low < value < high
    assert high - low == pytest.approx(400 * np.sqrt(0.25 / 60), rel=0.4)


def test_the_interval_of_rare_labels_is_around_their_score() -> None:
    generator = np.random.default_rng(0)
    labelling = Labelling(tuple(map(str, range(40))), multiclass=False)
    relevant = np.arange(500)[:, None] < np.full(40, 5)
    value, low, high, _ = labelling.scores(generator.random((500, 40)), relevant)["PR-AUC"]
    assert low < value < high
    assert (low + high) / 2 == pytest.approx(value, rel=0.1)


def test_a_label_that_most_draws_miss_still_has_an_interval() -> None:
    relevant = np.arange(20)[:, None] == np.array([0, 3])
    found = Labelling(("a", "b"), multiclass=False).scores(
        np.arange(40).reshape(20, 2) % 7, relevant
    )
    assert all(0 <= score.low <= score.high <= 100 for score in found.values())


@pytest.mark.parametrize("multiclass", [True, False])
def test_chance_is_what_random_scores_have(multiclass: bool) -> None:
    generator = np.random.default_rng(0)
    labelling = Labelling(tuple("abcd"), multiclass)
    truth = generator.random((30, 4)) < [0.1, 0.2, 0.4, 0.6]
    if multiclass:
        truth = np.eye(4, dtype=bool)[generator.integers(4, size=30)]
    drawn = [labelling.values(generator.random((30, 4)), truth) for _ in range(100)]
    expected = {name: np.mean([scores[name] for scores in drawn]) for name in drawn[0]}
    assert labelling.chance(truth) == pytest.approx(expected, rel=0.08)
