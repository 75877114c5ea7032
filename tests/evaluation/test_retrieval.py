import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from muscall import MusCALL
from muscall.data.manifest import Row
from muscall.errors import MuscallError
from muscall.evaluation.metrics import retrieval_intervals, retrieval_metrics
from muscall.evaluation.retrieval import evaluate_retrieval


@pytest.fixture
def rows(music: Path) -> list[Row]:
    paths = sorted(music.rglob("*.wav"))
    return [
        Row(path.stem, path, (f"tone {index}", "another caption"), 0.0, None, None)
        for index, path in enumerate(paths)
    ]


def test_equals_the_metrics_of_the_similarities(tiny_model: MusCALL, rows: list[Row]) -> None:
    result = evaluate_retrieval(tiny_model, rows)
    text = tiny_model.encode_text([f"tone {index}" for index in range(5)])
    audio = tiny_model.encode_audio([row.audio for row in rows], windows="centre")
    assert result.as_dict() == {
        "text_to_audio": retrieval_metrics(text @ audio.T),
        "audio_to_text": retrieval_metrics(audio @ text.T),
        "intervals": {
            "text_to_audio": retrieval_intervals(text @ audio.T),
            "audio_to_text": retrieval_intervals(audio @ text.T),
        },
        "items": 5,
    }


def test_only_the_segment_of_a_row_counts(
    tiny_model: MusCALL, rows: list[Row], tmp_path: Path
) -> None:
    joined = tmp_path / "joined.wav"
    samples = [soundfile.read(row.audio)[0] for row in rows]
    soundfile.write(joined, np.concatenate(samples), 16000)
    segments = [
        replace(row, audio=joined, start=3.0 * index, duration=3.0)
        for index, row in enumerate(rows)
    ]
    assert evaluate_retrieval(tiny_model, segments) == evaluate_retrieval(tiny_model, rows)


def test_unreadable_rows_are_left_out(
    tiny_model: MusCALL, rows: list[Row], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = replace(rows[2], audio=tmp_path / "missing.wav")
    with caplog.at_level(logging.WARNING, "muscall"):
        result = evaluate_retrieval(tiny_model, [*rows[:2], broken, *rows[3:]])
    assert [failure.path.name for failure in result.failures] == ["missing.wav"]
    assert [record.getMessage() for record in caplog.records] == [str(result.failures[0])]
    without = evaluate_retrieval(tiny_model, rows[:2] + rows[3:])
    assert result.as_dict() == without.as_dict()
    with pytest.raises(MuscallError, match="none of 1 files"):
        evaluate_retrieval(tiny_model, [broken])
