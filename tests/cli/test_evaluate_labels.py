"""What `muscall evaluate zeroshot` and `probe` print."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def labelled(music: Path, tmp_path: Path) -> Path:
    """Each file in every split, with one label."""
    rows = [
        {"audio": str(path), "id": f"{split}{path.stem}", "label": label, "split": split}
        for split in ("train", "val", "test")
        for path, label in zip(
            sorted(music.rglob("*.wav")), ["low", "low", "mid", "high", "high"], strict=True
        )
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_zeroshot_prints_plain_prompt_and_ensemble(
    run: Run, labelled: Path, tiny_checkpoint: Path
) -> None:
    done = run("evaluate", "zeroshot", tiny_checkpoint, labelled, "--split", "test")
    assert (done.code, done.err) == (0, "")
    head, *rows = done.out.splitlines()
    assert head.split() == ["5", "items,", "3", "labels", "accuracy"]
    asked = ["{label}", "A {label} track", "mean of 7", "by chance"]
    assert [row[:17].rstrip() for row in rows] == asked
    assert rows[-1].endswith(" 33.3")


def test_zeroshot_takes_other_templates(run: Run, labelled: Path, tiny_checkpoint: Path) -> None:
    templates = ["--template", "{label} tones", "--template", "It is {label}", "--ensemble"]
    done = run("evaluate", "zeroshot", tiny_checkpoint, labelled, *templates, "--json")
    assert (done.code, done.err) == (0, "")
    result = json.loads(done.out)
    assert set(result) == {"scores", "intervals", "chance", "items", "labels"}
    asked = ["{label}", "{label} tones", "It is {label}", "mean of 2"]
    assert list(result["scores"]) == list(result["intervals"]) == asked
    assert (result["items"], result["labels"]) == (15, ["high", "low", "mid"])


def test_models_are_compared_side_by_side(
    run: Run, labelled: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(tiny_checkpoint, tmp_path / "other")
    both = [labelled, "--model", tiny_checkpoint, "--model", other]
    for command, asked in (
        ("zeroshot", ["{label}", "A {label} track", "mean of 7"]),
        ("probe", ["linear probe"]),
    ):
        done = run("evaluate", command, *both)
        assert (done.code, done.err) == (0, "")
        _, *rows, _ = done.out.splitlines()
        told = [f"{name}  {text}" for name in (tiny_checkpoint, other) for text in asked]
        assert [row[: len(name)] for row, name in zip(rows, told, strict=True)] == told
        scores = [row[len(name) :].split() for row, name in zip(rows, told, strict=True)]
        assert scores[: len(asked)] == scores[len(asked) :]
        objects = json.loads(run("evaluate", command, *both, "--json").out)
        assert list(objects) == [str(tiny_checkpoint), str(other)]


@pytest.mark.parametrize(
    "options", [["--template", "A track"], ["--ensemble"], ["--template", "{label}", "--ensemble"]]
)
def test_templates_that_make_no_sense_are_wrong_usage(
    run: Run, labelled: Path, tiny_checkpoint: Path, options: list[str]
) -> None:
    done = run("evaluate", "zeroshot", tiny_checkpoint, labelled, *options)
    assert (done.code, done.out) == (2, "")


def test_probe_prints_an_object_and_a_table(
    run: Run, labelled: Path, tiny_checkpoint: Path
) -> None:
    done = run("evaluate", "probe", tiny_checkpoint, labelled, "--json")
    assert (done.code, done.err) == (0, "")
    result = json.loads(done.out)
    assert (result["items"], result["trained_on"]) == (5, 5)
    # The same files are in all splits.
    assert result["scores"] == {"linear probe": {"accuracy": 100.0}}
    done = run("evaluate", "probe", tiny_checkpoint, labelled, "--features")
    assert done.out.splitlines()[1].split()[:2] == ["linear", "probe"]


def test_a_manifest_that_lacks_what_is_needed_is_one_line(
    run: Run, labelled: Path, manifest: Path, tiny_checkpoint: Path
) -> None:
    for command, given, needed in (
        ("retrieval", labelled, "captions"),
        ("zeroshot", manifest, "labels"),
        ("probe", manifest, "labels"),
    ):
        done = run("evaluate", command, tiny_checkpoint, given)
        assert (done.code, done.out) == (1, "")
        assert done.err == f"muscall: {given}: no row has {needed}, and this needs them\n"
    done = run("evaluate", "zeroshot", tiny_checkpoint, labelled, "--split", "valid")
    assert done.err == "muscall: no rows of split valid, the splits are: test, train, val\n"
