"""Manifests of public data sets."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A piece of GTZAN with its lists, and the damaged file."""
    folder = tmp_path / "gtzan"
    for genre in ("jazz", "pop", "rock"):
        (folder / "genres" / genre).mkdir(parents=True)
        for number in range(3):
            path = folder / "genres" / genre / f"{genre}.0000{number}.wav"
            soundfile.write(path, np.zeros(800), 16000)
    (folder / "genres" / "jazz" / "jazz.00054.wav").write_bytes(b"damaged")
    for number, name in enumerate(("train", "valid", "test")):
        lines = [f"{genre}/{genre}.0000{number}.wav\n" for genre in ("jazz", "rock")]
        (folder / f"{name}_filtered.txt").write_text("".join(lines))
    return folder


def test_a_manifest_is_written_and_what_is_missing_is_told(
    run: Run, clips: Path, tmp_path: Path
) -> None:
    output = tmp_path / "rows.jsonl"
    done = run("manifest", "gtzan", clips, "-o", output)
    assert done.code == 3
    assert done.out == f"9 rows in {output}: train 2, val 2, test 2, no split 3\n"
    missing, damaged = done.err.splitlines()
    assert missing.startswith("muscall: 990 left out, no such file: blues.00000, blues.00001, ")
    assert missing.endswith(" and 980 more")
    assert damaged.startswith("muscall: 1 left out, not audio")
    assert damaged.endswith(", as in the published set: jazz.00054")
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert rows[0] == {
        "id": "jazz.00000",
        "audio": str(clips / "genres" / "jazz" / "jazz.00000.wav"),
        "label": ["jazz"],
        "split": "train",
    }


def test_only_the_rows_of_a_split_are_written(run: Run, clips: Path, tmp_path: Path) -> None:
    output = tmp_path / "rows.jsonl"
    run("manifest", "gtzan", clips, "-o", output, "--split", "test")
    assert [json.loads(line)["id"] for line in output.read_text().splitlines()] == [
        "jazz.00002",
        "rock.00002",
    ]
    done = run("manifest", "gtzan", clips, "-o", output, "--split", "valid")
    assert (done.code, done.out) == (1, "")
    assert done.err == "muscall: no rows of split valid, the splits are: test, train, val\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["gtzan", "nowhere"], "nowhere: no such folder"),
        (["musiccaps", "nowhere"], "nowhere: no such folder"),
        (["gtzan", "empty"], "empty: no sound of GTZAN here"),
        (["magnatagatune", "empty", "--merge-synonyms"], "there is no annotations_final.csv in it"),
        (["musiccaps", "empty"], "there is no musiccaps-public.csv in it"),
        (["song-describer", "empty"], "there is no song_describer.csv in it"),
        (
            ["mtg-jamendo", "empty", "--subset", "genre", "--fold", "4"],
            "split-4/autotagging_genre-",
        ),
    ],
)
def test_a_wrong_folder_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    done = run("manifest", *arguments, "-o", "rows.jsonl")
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert expected in line
    assert not Path("rows.jsonl").exists()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(b"", "no rows"), (b"\xff\xfe,a,b\n", "not UTF-8"), (b"a,b\n", "2: too few")],
)
def test_a_wrong_table_is_one_line(run: Run, tmp_path: Path, rows: bytes, expected: str) -> None:
    table = tmp_path / "musiccaps-public.csv"
    table.write_bytes(b"ytid,caption,is_audioset_eval\n" + rows)
    done = run("manifest", "musiccaps", tmp_path, "-o", tmp_path / "rows.jsonl")
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert line.startswith(f"muscall: {table}:")
    assert expected in line


def test_another_format_is_wrong_usage(run: Run, clips: Path, tmp_path: Path) -> None:
    done = run("manifest", "gtzan", clips, "-o", tmp_path / "rows.csv")
    assert (done.code, done.out) == (2, "")
    assert ".jsonl" in done.err
    assert not (tmp_path / "rows.csv").exists()


def test_an_output_that_cannot_be_written_is_one_line(
    run: Run, clips: Path, tmp_path: Path
) -> None:
    done = run("manifest", "gtzan", clips, "-o", tmp_path / "no" / "rows.jsonl")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"muscall: {tmp_path}/no/rows.jsonl: No such file or directory\n"
