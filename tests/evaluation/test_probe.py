"""Linear probes, against the same written with scikit-learn's own parts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, roc_auc_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from muscall import MusCALL
from muscall.data.manifest import Row
from muscall.errors import MuscallError
from muscall.evaluation.probe import STRENGTHS, evaluate_probe
from muscall.evaluation.score import values

KINDS = ("tone", "noise", "clicks")
SPLITS = ("train", "train", "val", "test")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """36 sounds of three kinds, some of them loud, in three splits."""
    folder = tmp_path_factory.mktemp("sounds")
    generator = np.random.default_rng(0)
    rows = []
    for number in range(36):
        kind, split = KINDS[number % 3], SPLITS[number // 3 % 4]
        samples = {
            "tone": np.sin(np.arange(8000) * generator.uniform(0.1, 0.3)),
            "noise": generator.normal(size=8000) / 4,
            "clicks": (np.arange(8000) % generator.integers(1500, 2500) == 0).astype(float),
        }[kind]
        loud = generator.random() < 0.5
        path = folder / f"{number}.wav"
        soundfile.write(path, samples * (0.9 if loud else 0.1), 16000)
        rows.append(Row(str(number), path, split=split, labels=(kind,)))
    return rows


def of(model: MusCALL, rows: list[Row], split: str) -> tuple[np.ndarray, list[str]]:
    some = [row for row in rows if row.split == split]
    return model.encode_audio([row.audio for row in some]), [
        (row.labels or ("",))[0] for row in some
    ]


def test_accuracy_is_that_of_scikit_learn(tiny_model: MusCALL, rows: list[Row]) -> None:
    result = evaluate_probe(tiny_model, rows)
    probes = {
        strength: make_pipeline(
            StandardScaler(), LogisticRegression(C=strength, max_iter=1000)
        ).fit(*of(tiny_model, rows, "train"))
        for strength in STRENGTHS
    }
    on_val = {
        strength: probe.score(*of(tiny_model, rows, "val")) for strength, probe in probes.items()
    }
    assert on_val[result.strength] == max(on_val.values())
    vectors, truth = of(tiny_model, rows, "test")
    expected = accuracy_score(truth, probes[result.strength].predict(vectors))
    value, low, high, _ = result.scores["linear probe"]["accuracy"]
    assert value == pytest.approx(100 * expected)
    assert expected > 0.6
    assert low <= 100 * expected <= high
    assert (result.trained_on, result.items, result.labels) == (18, 9, sorted(KINDS))


def test_several_labels_are_learned_each_by_itself(tiny_model: MusCALL, rows: list[Row]) -> None:
    several = [
        replace(row, labels=(*(row.labels or ()), "sound")[: 1 + int(row.id) % 2]) for row in rows
    ]
    result = evaluate_probe(tiny_model, several)
    assert result.labels == sorted((*KINDS, "sound"))
    truth = {
        split: np.array(
            [
                [label in (row.labels or ()) for label in result.labels]
                for row in several
                if row.split == split
            ]
        )
        for split in ("train", "test")
    }
    probe = make_pipeline(
        StandardScaler(),
        OneVsRestClassifier(LogisticRegression(C=result.strength, max_iter=1000)),
    ).fit(of(tiny_model, rows, "train")[0], truth["train"])
    scores = probe.decision_function(of(tiny_model, rows, "test")[0])
    assert values(result.scores["linear probe"]) == {
        "ROC-AUC": pytest.approx(100 * roc_auc_score(truth["test"], scores)),
        "PR-AUC": pytest.approx(100 * average_precision_score(truth["test"], scores)),
    }


def test_features_are_what_the_projection_is_given(
    tiny_model: MusCALL, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    fit = StandardScaler.fit
    monkeypatch.setattr(StandardScaler, "fit", lambda self, x: (seen.append(x), fit(self, x))[1])
    before = tiny_model.audio_projection.weight.clone()
    evaluate_probe(tiny_model, rows, features=True)
    assert torch.equal(tiny_model.audio_projection.weight, before)
    samples, _ = soundfile.read(rows[0].audio, dtype="float32")
    with torch.no_grad():
        features = tiny_model.audio(torch.from_numpy(np.tile(samples, 4))[None])[0]
    expected = torch.nn.functional.normalize(features, dim=0).numpy()
    # The embedder's network runs in bfloat16.
    assert seen[0][0] @ expected > 0.999


def test_a_label_that_is_not_in_split_train_is_never_the_answer(
    tiny_model: MusCALL, rows: list[Row]
) -> None:
    without = [row for row in rows if row.split != "train" or row.labels != ("tone",)]
    result = evaluate_probe(tiny_model, without)
    assert result.scores["linear probe"]["accuracy"].value <= 100 * 2 / 3


def test_unreadable_rows_are_left_out(tiny_model: MusCALL, rows: list[Row], tmp_path: Path) -> None:
    broken = [replace(rows[0], audio=tmp_path / "missing.wav"), *rows[1:]]
    result = evaluate_probe(tiny_model, broken)
    assert [failure.path.name for failure in result.failures] == ["missing.wav"]
    assert result.as_dict() == evaluate_probe(tiny_model, rows[1:]).as_dict()


def test_what_cannot_be_learned_is_one_line(tiny_model: MusCALL, rows: list[Row]) -> None:
    with pytest.raises(MuscallError, match="no rows of split val, the splits are: test, train"):
        evaluate_probe(tiny_model, [row for row in rows if row.split != "val"])
    alone = [row for row in rows if row.split != "train" or row.labels == ("tone",)]
    with pytest.raises(MuscallError, match="all rows of split train have the same label"):
        evaluate_probe(tiny_model, alone)
    gone = [replace(row, audio=Path("gone")) if row.split == "test" else row for row in rows]
    with pytest.raises(MuscallError, match="none of the rows of split test can be read"):
        evaluate_probe(tiny_model, gone)
