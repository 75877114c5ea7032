"""The command's options; what it does is tested in tests/reproduce."""

from collections.abc import Callable
from pathlib import Path

import pytest

CONFIGS = Path(__file__).parents[2] / "configs"


def test_lists_what_there_is(run: Callable, manifest: Path, tmp_path: Path) -> None:
    given = [part for split in ("train", "val", "test") for part in (f"--{split}", manifest)]
    done = run("reproduce", "--list", "--size", "tiny", "--runs", tmp_path, "--configs", CONFIGS,
               "--device", "cpu", *given)  # fmt: skip
    assert done.code == 0
    lines = {line.split()[0]: line for line in done.out.splitlines()}
    assert {"table1", "table4", "figure3", "batch", "scaling", "losses", "probes"} <= lines.keys()
    assert "--gtzan" in lines["probes"]
    assert [name for name in lines if "cannot be run" in lines[name]] == ["table2", "probes"]
    assert "0 of   7 done" in lines["table4"]
    assert "Table 4: ablations" in lines["table4"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ((), "--list"),
        (("figure9",), "there is no study 'figure9'"),
        (("figure4", "--size", "huge"), "'--size': 'huge' is not one of"),
        (("figure4", "--seeds", "a"), "'--seeds': 'a'"),
    ],
)
def test_wrong_usage(run: Callable, wrong: tuple[str, ...], told: str) -> None:
    done = run("reproduce", *wrong)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_a_manifest_that_is_missing_is_one_line(run: Callable) -> None:
    done = run("reproduce", "figure4", "--train", "nowhere.jsonl")
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    assert "nowhere.jsonl" in line
