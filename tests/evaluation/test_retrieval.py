import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from muscall import MusCALL
from muscall.data.manifest import Row
from muscall.errors import MuscallError
from muscall.evaluation.metrics import retrieval_metrics, retrieval_scores
from muscall.evaluation.retrieval import draw, evaluate_retrieval
from muscall.evaluation.score import intervals


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
            "text_to_audio": intervals(retrieval_scores(text @ audio.T)),
            "audio_to_text": intervals(retrieval_scores(audio @ text.T)),
        },
        "items": 5,
    }


def test_every_caption_may_ask_and_any_caption_of_a_track_is_right_for_it(
    tiny_model: MusCALL, rows: list[Row]
) -> None:
    rows = [
        replace(row, captions=(f"tone {n}", f"sound {n}")[: 1 + n % 2])
        for n, row in enumerate(rows)
    ]
    result = evaluate_retrieval(tiny_model, rows, captions="every")
    assert (result.items, len(result.text)) == (5, 7)
    owner = np.array([0, 1, 1, 2, 3, 3, 4])
    asked = [caption for row in rows for caption in row.captions]
    similarity = tiny_model.encode_text(asked) @ result.audio.T
    assert result.text_to_audio == retrieval_metrics(similarity, owner)
    right = owner == np.arange(5)[:, None]
    assert result.audio_to_text == retrieval_metrics(similarity.T, right)
    told = result.as_dict()
    assert (told["captions"], told["queries"], told["items"]) == ("every", 7, 5)


def test_rows_that_share_a_caption_are_right_for_each_other(
    tiny_model: MusCALL, rows: list[Row]
) -> None:
    captions = ["a tone", "A  tone", "a tone", "another", "a third"]
    rows = [replace(row, captions=(text,)) for row, text in zip(rows, captions, strict=True)]
    result = evaluate_retrieval(tiny_model, rows)
    alike = np.eye(5, dtype=bool)
    alike[:3, :3] = True
    assert result.text_to_audio == retrieval_metrics(result.similarity, alike)
    assert result.audio_to_text == retrieval_metrics(result.similarity.T, alike)
    assert result.scores["text_to_audio"] == retrieval_scores(result.similarity, alike)
    assert result.as_dict()["shared_captions"] == 1


@pytest.mark.parametrize("marked", [True, False])
def test_a_set_says_whether_every_caption_asks(
    tiny_model: MusCALL, rows: list[Row], marked: bool
) -> None:
    rows = [
        replace(row, captions=(f"tone {n}", f"sound {n}"), every_caption=marked)
        for n, row in enumerate(rows)
    ]
    asked = "every" if marked else "first"
    assert evaluate_retrieval(tiny_model, rows) == evaluate_retrieval(
        tiny_model, rows, captions=asked
    )
    assert len(evaluate_retrieval(tiny_model, rows).text) == (10 if marked else 5)


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


def test_a_draw_depends_on_ids_and_seed_alone(tiny_model: MusCALL, rows: list[Row]) -> None:
    names = [row.id for row in draw(rows, 3)]
    assert [row.id for row in draw(rows[::-1], 3)] == names
    assert [row.id for row in draw([*rows[2:], *rows[:2]], 4)][:3] == names
    assert {tuple(row.id for row in draw(rows, 3, seed)) for seed in range(20)} != {tuple(names)}
    # Written down, as another version must draw the same rows.
    assert [row.id for row in draw([Row(str(n), Path(f"{n}.wav")) for n in range(100)], 5)] == [
        "49",
        "57",
        "14",
        "60",
        "8",
    ]
    drawn = evaluate_retrieval(tiny_model, rows[::-1], items=3, seed=7)
    chosen = draw(rows, 3, seed=7)
    assert drawn.as_dict() == evaluate_retrieval(tiny_model, chosen).as_dict()


@pytest.mark.parametrize("items", [0, 6])
def test_a_draw_of_more_rows_than_there_are_is_one_line(
    tiny_model: MusCALL, rows: list[Row], items: int
) -> None:
    with pytest.raises(MuscallError, match=f"cannot draw {items} of 5 rows: ask for 1 to 5"):
        evaluate_retrieval(tiny_model, rows, items=items)
