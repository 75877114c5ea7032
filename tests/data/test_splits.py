"""Which rows are trained on and which are kept aside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from muscall.data.dataset import DataConfig
from muscall.data.splits import rows_of


def table(path: Path, count: int) -> str:
    lines = []
    for number in range(count):
        (path.parent / f"{number}.wav").touch()
        lines.append(json.dumps({"audio": f"{number}.wav", "caption": str(number)}))
    path.write_text("\n".join(lines))
    return str(path)


def test_a_share_is_kept_aside_and_stays_aside_in_a_longer_table(tmp_path: Path) -> None:
    short = DataConfig(train=table(tmp_path / "short.jsonl", 40), val_share=0.25)
    train, val = rows_of(short, most=100, seed=0)
    assert (len(train), len(val)) == (30, 10)
    assert not {row.id for row in train} & {row.id for row in val}
    longer = DataConfig(train=table(tmp_path / "longer.jsonl", 44), val_share=0.25)
    again = {row.id for row in rows_of(longer, most=100, seed=5)[1]}
    assert len({row.id for row in val} - again) <= 2


def test_a_table_of_its_own_comes_first(tmp_path: Path) -> None:
    train, val = table(tmp_path / "train.jsonl", 20), table(tmp_path / "val.jsonl", 8)
    data = DataConfig(train=train, val=val, val_share=0.5)
    assert [len(rows) for rows in rows_of(data, most=100, seed=0)] == [20, 8]
    some = rows_of(data, most=3, seed=0)[1]
    assert len(some) == 3
    assert rows_of(data, most=3, seed=0)[1] == some != rows_of(data, most=3, seed=1)[1]


def test_rows_of_one_file_stay_on_one_side(tmp_path: Path) -> None:
    lines = []
    for number in range(48):
        (tmp_path / f"{number // 4}.wav").touch()
        row = {"audio": f"{number // 4}.wav", "start": number % 4, "duration": 1, "caption": "x"}
        lines.append(json.dumps(row))
    (tmp_path / "passages.jsonl").write_text("\n".join(lines))
    data = DataConfig(train=str(tmp_path / "passages.jsonl"), val_share=0.15)
    train, val = rows_of(data, most=99, seed=0)
    assert not {row.audio for row in train} & {row.audio for row in val}
    assert (len(train), len(val)) == (40, 8)


def test_files_in_both_tables_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    train, val = table(tmp_path / "train.jsonl", 20), table(tmp_path / "val.jsonl", 8)
    rows_of(DataConfig(train=train, val=val), most=100, seed=0)
    assert caplog.messages == [
        "8 files are both trained and validated on: the scores will be too good"
    ]
