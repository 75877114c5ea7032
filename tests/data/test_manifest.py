from __future__ import annotations

import csv
import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from muscall.data.manifest import Row, read_manifest, write_rows
from muscall.errors import ManifestError, MissingExtra

FORMATS = ["jsonl", "ndjson", "json", "csv", "tsv", "parquet"]


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    match path.suffix:
        case ".parquet":
            parquet.write_table(pa.Table.from_pylist(records), path)
        case ".json":
            path.write_text(json.dumps(records), encoding="utf-8")
        case ".csv" | ".tsv":
            with path.open("w", encoding="utf-8", newline="") as file:
                delimiter = "\t" if path.suffix == ".tsv" else ","
                table = csv.DictWriter(file, list(records[0]), delimiter=delimiter)
                table.writeheader()
                table.writerows(records)
        case _:
            path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.wav", "b.flac", "sub/c.ogg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def problems(path: Path, **options: Any) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        read_manifest(path, **options)
    return [problem.removeprefix(str(path)) for problem in caught.value.problems]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_rows(folder: Path, suffix: str) -> None:
    path = write(
        folder / f"train.{suffix}",
        [
            {"audio": "a.wav", "caption": "Slow, “sad” piano", "bpm": 60, "split": "train"},
            {"audio": "b.flac", "caption": "Loud drums\nand a horn", "bpm": 90, "split": None},
        ],
    )
    assert read_manifest(path) == [
        Row("a.wav", folder / "a.wav", ("Slow, “sad” piano",), 0.0, None, "train"),
        Row("b.flac", folder / "b.flac", ("Loud drums\nand a horn",), 0.0, None, None),
    ]


@pytest.mark.parametrize("suffix", FORMATS)
def test_parts_of_one_file_get_ids_of_their_own(folder: Path, suffix: str) -> None:
    records = [
        {"audio": "a.wav", "caption": "one", "start": 0, "duration": 20},
        {"audio": "a.wav", "caption": "two", "start": 20, "duration": 7.25},
        {"audio": "sub/c.ogg", "caption": "three", "start": 1.5, "duration": None},
    ]
    rows = read_manifest(write(folder / f"train.{suffix}", records))
    assert [row.id for row in rows] == ["a.wav@0", "a.wav@20", "sub/c.ogg"]
    assert [(row.start, row.duration) for row in rows] == [(0, 20), (20, 7.25), (1.5, None)]


@pytest.mark.parametrize("suffix", ["jsonl", "json", "parquet"])
@pytest.mark.parametrize("column", ["caption", "captions", "text", "description"])
def test_a_row_may_have_several_captions(folder: Path, suffix: str, column: str) -> None:
    path = write(folder / f"train.{suffix}", [{"audio": "a.wav", column: ["one", "two"]}])
    assert read_manifest(path)[0].captions == ("one", "two")


def test_the_published_dataset_format_is_read(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "7.wav").touch()
    (tmp_path / "8.wav").touch()
    records = [
        {"audio_id": 7, "caption": "Calm", "audio_path": "7.wav"},
        {"audio_id": "eight", "caption": "Wild", "audio_path": "8.wav"},
    ]
    assert read_manifest(write(tmp_path / "dataset_train.json", records)) == [
        Row("7", tmp_path / "audio" / "7.wav", ("Calm",)),
        Row("eight", tmp_path / "8.wav", ("Wild",)),
    ]


def test_an_absolute_audio_path_stays(folder: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x.wav"
    elsewhere.touch()
    path = write(folder / "train.jsonl", [{"audio": str(elsewhere), "caption": "x"}])
    assert read_manifest(path)[0].audio == elsewhere


def test_only_the_rows_of_the_split_are_kept_and_checked(folder: Path) -> None:
    path = write(
        folder / "all.jsonl",
        [
            {"audio": "a.wav", "caption": "one", "split": "train"},
            {"audio": "b.flac", "caption": "two", "split": "test"},
            {"audio": "gone.wav", "caption": "", "split": "test"},
        ],
    )
    assert [row.id for row in read_manifest(path, split="train")] == ["a.wav"]
    assert problems(path, split="valid") == [": no rows with split valid"]


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"caption": "x"}, "audio: field required"),
        ({"audio": "a.wav"}, "caption: field required"),
        ({"audio": "a.wav", "caption": None}, "caption: field required"),
        ({"audio": " ", "caption": "x"}, "audio: empty"),
        ({"audio": 5, "caption": "x"}, "audio: input should be a valid string"),
        ({"audio": "a.wav", "caption": " \n"}, "caption.0: empty"),
        ({"audio": "a.wav", "caption": []}, "caption: empty"),
        ({"audio": "a.wav", "caption": ["x", ""]}, "caption.1: empty"),
        ({"audio": "a.wav", "caption": 5}, "caption.0: input should be a valid string"),
        ({"audio": "a.wav", "caption": ["x", None]}, "caption.1: input should be a valid string"),
        ({"audio": "a.wav", "caption": "x", "start": -1}, "start: input should be greater than or"),
        ({"audio": "a.wav", "caption": "x", "start": float("nan")}, "start: input should be a fin"),
        ({"audio": "a.wav", "caption": "x", "start": float("inf")}, "start: input should be a fin"),
        ({"audio": "a.wav", "caption": "x", "start": "soon"}, "start: input should be a valid num"),
        ({"audio": "a.wav", "caption": "x", "duration": 0}, "duration: input should be greater"),
        ({"audio": "a.wav", "caption": "x", "duration": float("nan")}, "duration: input should be"),
        ({"audio": "a.wav", "caption": "x", "split": 1}, "split: input should be a valid string"),
        ({"audio": "a.wav", "caption": "x", "id": ""}, "id: empty"),
        ({"audio": "no.wav", "caption": "x"}, "there is no file "),
        ({"audio": "sub", "caption": "x"}, "there is no file "),
        (["a.wav", "x"], "expected an object"),
        ("a.wav", "expected an object"),
    ],
)
def test_a_wrong_row_is_named(folder: Path, record: Any, problem: str) -> None:
    right = {"audio": "b.flac", "caption": "right"}
    for suffix, place in ((".jsonl", ":2: "), (".json", ": row 2: ")):
        path = write(folder / f"train{suffix}", [right, record])
        (found,) = problems(path)
        assert found.startswith(place + problem)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b'{"audio": "a.wav", "caption": "x"\n', ":1: not JSON: "),
        (b'\n\n{"audio": "a.wav", "caption": "\xff"}\n', ":3: caption.0: not UTF-8"),
        (b'{"audio": "a\xc3.wav", "caption": "x"}', ":1: audio: not UTF-8"),
        ('{"audio": "a.wav"}'.encode("utf-16-le"), ": neither UTF-8 nor UTF-16 with a mark: save"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(folder: Path, lines: bytes, expected: str) -> None:
    path = folder / "train.jsonl"
    path.write_bytes(lines)
    assert problems(path)[0].startswith(expected)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b"audio,caption\na.wav,x\nb.flac,one, two\n", ":3: 3 cells, but 2 column names"),
        (b'audio,caption\na.wav,"two\nlines"\nb.flac,\n', ":4: caption: field required"),
        (b"audio,caption,start\na.wav,x,1;5\n", ":2: start: input should be a valid number"),
        (b'audio,caption\na.wav,"x" y\nb.flac,z', ":2: ',' expected after '\"'"),
        (b'audio,caption\na.wav,"x\n', ":2: unexpected end of data"),
        (b"audio,caption\na.wav,caf\xe9\n", ":2: caption.0: not UTF-8"),
        (b"file,words\na.wav,x\n", ":2: audio: field required; caption: field required"),
    ],
)
def test_a_wrong_csv_row_is_named(folder: Path, lines: bytes, expected: str) -> None:
    path = folder / "train.csv"
    path.write_bytes(lines)
    (found,) = problems(path)
    assert found.startswith(expected)


def test_a_wrong_parquet_row_is_named(folder: Path) -> None:
    records = [
        {"audio": "a.wav", "caption": ["x"], "start": 0.0},
        {"audio": "b.flac", "caption": [], "start": -2.0},
    ]
    (found,) = problems(write(folder / "train.parquet", records))
    assert found.startswith(": row 2: caption: empty; start: input should be greater")


def test_all_problems_are_told_at_once(folder: Path) -> None:
    path = folder / "train.jsonl"
    path.write_text(
        '{"audio": "a.wav", "caption": ""}\n'
        "nonsense\n"
        '{"audio": "b.flac", "caption": "x", "id": "one"}\n'
        '{"audio": "gone.wav", "caption": "x", "id": "one"}\n'
    )
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    error = caught.value
    assert [problem.split(":")[1] for problem in error.problems] == ["1", "2", "4", "4"]
    assert str(error).startswith(f"{path}: 4 unusable rows, the first: {path}:1: caption")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.problems, copy.path) == (str(error), error.problems, path)
    assert not any("\n" in text for text in [str(error), *error.problems])


def test_the_same_passage_twice_needs_ids(folder: Path) -> None:
    record = {"audio": "a.wav", "caption": "x", "start": 2}
    (found,) = problems(write(folder / "train.jsonl", [record, record]))
    assert found.startswith(":2: a.wav@2 is taken by")
    assert found.endswith(":1: give the captions of one passage as one list, or ids")
    named = [record | {"id": "one"}, record | {"id": "two"}]
    assert len(read_manifest(write(folder / "train.jsonl", named))) == 2


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("train.jsonl", "", ": no rows"),
        ("train.csv", "audio,caption\n", ": no rows"),
        ("train.csv", "", ": no rows"),
        ("train.json", "[]", ": no rows"),
        ("train.json", '{"audio": "a.wav", "caption": "x"}', ": expected a list of objects"),
        ("train.json", "[", ": Expecting value: line 1 column 2"),
        ("train.parquet", "no parquet", ": "),
        ("train.txt", "a.wav x", ": not a manifest, expected .jsonl"),
    ],
)
def test_a_manifest_without_rows_is_refused(
    folder: Path, name: str, content: str, expected: str
) -> None:
    (folder / name).write_text(content)
    (found,) = problems(folder / name)
    assert found.startswith(expected)


def test_a_manifest_that_is_not_there_is_refused(folder: Path) -> None:
    assert problems(folder / "train.jsonl") == [": No such file or directory"]


def test_files_need_not_exist_where_they_are_not_checked(folder: Path) -> None:
    path = write(folder / "train.jsonl", [{"audio": "gone.wav", "caption": "x"}])
    assert read_manifest(path, check_files=False)[0].audio == folder / "gone.wav"


def test_parquet_without_its_library_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(folder / "train.parquet", [{"audio": "a.wav", "caption": "x"}])
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r'pip install "muscall\[train\]"'):
        read_manifest(path)


@pytest.mark.parametrize("suffix", FORMATS)
@given(caption=st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip))
def test_any_text_survives(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, caption: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
    write(path, [{"audio": "a.wav", "caption": caption}])
    assert read_manifest(path, check_files=False)[0].captions == (caption,)


def test_separators_of_lines_that_json_does_not_escape_are_text(folder: Path) -> None:
    path = folder / "train.jsonl"
    path.write_text('\ufeff{"audio": "a.wav", "caption": "one\u2028two"}\r\n', encoding="utf-8")
    assert read_manifest(path)[0].captions == ("one\u2028two",)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("column", ["label", "labels"])
def test_labels_are_read_in_every_format(folder: Path, suffix: str, column: str) -> None:
    records = [{"audio": "a.wav", column: "jazz"}, {"audio": "b.flac", column: "new age"}]
    rows = read_manifest(write(folder / f"rows.{suffix}", records), needs="labels")
    assert [row.labels for row in rows] == [("jazz",), ("new age",)]
    assert [row.captions for row in rows] == [(), ()]


@pytest.mark.parametrize("suffix", ["jsonl", "json", "parquet"])
def test_a_row_may_have_several_labels_or_none_of_them(folder: Path, suffix: str) -> None:
    records = [
        {"audio": "a.wav", "labels": ["slow", "solo", "slow"], "caption": "A slow solo"},
        {"audio": "b.flac", "labels": [], "caption": "Noise"},
    ]
    path = write(folder / f"rows.{suffix}", records)
    for needs in ("labels", "captions"):
        assert [row.labels for row in read_manifest(path, needs=needs)] == [("slow", "solo"), ()]


def test_what_no_row_has_is_told_once(folder: Path) -> None:
    labelled = [{"audio": name, "label": "x"} for name in ("a.wav", "b.flac")]
    path = write(folder / "labelled.jsonl", labelled)
    assert problems(path) == [": no row has captions, and this needs them"]
    captioned = [{"audio": name, "caption": "x"} for name in ("a.wav", "b.flac")]
    path = write(folder / "captioned.jsonl", captioned)
    assert problems(path, needs="labels") == [": no row has labels, and this needs them"]
    path = write(folder / "mixed.jsonl", [*captioned[:1], *labelled[1:]])
    assert problems(path) == [":2: caption: field required"]
    assert problems(path, needs="labels") == [":1: label: field required"]


def test_written_rows_are_read_again(folder: Path, tmp_path_factory: Any) -> None:
    rows = [
        Row("1", folder / "a.wav", ("“Slow”\u2028piano", "two"), 1.5, 2.0, "train", None, True),
        Row("2", folder / "b.flac", (), labels=("jazz", "new age")),
        Row("3", folder / "sub/c.ogg", labels=()),
    ]
    path = tmp_path_factory.mktemp("elsewhere") / "rows.jsonl"
    write_rows(rows[1:], path)
    assert read_manifest(path, needs="labels") == rows[1:]
    write_rows(rows[:1], path)
    assert read_manifest(path) == rows[:1]


ROWS = [("a.wav", "slow strings, one"), ("b.flac", '12" drums'), ("sub/c.ogg", "Straße")]
WRITTEN = {
    "semicolon.csv": 'audio;caption\r\na.wav;slow strings, one\r\nb.flac;12" drums\r\n'
    "sub/c.ogg;Straße\r\n",
    "sep.csv": 'sep=;\r\naudio;caption\r\na.wav;slow strings, one\r\nb.flac;"12"" drums"\r\n'
    "sub/c.ogg;Straße\r\n",
    "capitals.csv": 'Audio,CAPTION\na.wav,"slow strings, one"\nb.flac,12" drums\n'
    "sub/c.ogg,Straße\n",
    "space.csv": 'audio, caption\na.wav, "slow strings, one"\nb.flac, 12" drums\n'
    "sub/c.ogg, Straße\n",
    "tabs.csv": 'audio\tcaption\na.wav\tslow strings, one\nb.flac\t12" drums\nsub/c.ogg\tStraße\n',
    "quotes.tsv": 'audio\tcaption\na.wav\tslow strings, one\nb.flac\t12" drums\n'
    "sub/c.ogg\tStraße\n",
    "excel.tsv": 'audio\tcaption\na.wav\t"slow strings, one"\nb.flac\t"12"" drums"\n'
    "sub/c.ogg\tStraße\n",
    "windows.csv": 'audio,caption\n.\\a.wav,"slow strings, one"\nb.flac,12" drums\n'
    "sub\\c.ogg,Straße\n",
    "blank.csv": '\n\naudio,caption\na.wav,"slow strings, one"\nb.flac,12" drums\n'
    "sub/c.ogg,Straße\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", WRITTEN)
def test_tables_as_people_have_them(folder: Path, name: str, encoding: str) -> None:
    path = folder / name
    path.write_bytes(WRITTEN[name].encode(encoding))
    found = read_manifest(path)
    expected = [(folder / audio, (caption,)) for audio, caption in ROWS]
    assert [(row.audio, row.captions) for row in found] == expected


def test_a_text_that_begins_with_a_quotation_mark_stays_whole(folder: Path) -> None:
    path = folder / "rows.tsv"
    path.write_text('audio\tcaption\na.wav\t"Happy" tune with a 12" feel\nb.flac\tx\n')
    assert read_manifest(path)[0].captions == ('"Happy" tune with a 12" feel',)


def test_paths_as_people_write_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    spaced = folder / "my song.wav"
    spaced.touch()
    uri = spaced.as_uri()
    records = [{"audio": name, "caption": "x"} for name in ("~/a.wav", uri, "sub\\c.ogg")]
    rows = read_manifest(write(folder / "rows.jsonl", records))
    assert [row.audio for row in rows] == [folder / "a.wav", spaced, folder / "sub/c.ogg"]
    (found,) = problems(write(folder / "far.jsonl", [{"audio": "D:\\a.wav", "caption": "x"}]))
    assert found.endswith(": a path of Windows, of another machine")
    odd = folder / "a\\b.wav"  # a name that may have one
    odd.touch()
    named = [{"audio": odd.name, "caption": "x"}]
    assert read_manifest(write(folder / "odd.jsonl", named))[0].audio == odd
