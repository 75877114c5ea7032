"""The whole command on a few clips: what it writes, what it reuses, and how it goes on."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import soundfile

from muscall.data.manifest import read_manifest
from muscall.errors import ConfigError, ManifestError
from muscall.reproduce import runs
from muscall.reproduce.paper import TABLE_4
from muscall.reproduce.scores import HeldOut
from muscall.reproduce.sizes import TINY
from muscall.reproduce.studies import STUDIES
from muscall.reproduce.sweep import Options, Sweep, chosen

CONFIGS = Path(__file__).parents[2] / "configs"


class _Quiet:
    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


@pytest.fixture(scope="module")
def options(manifests: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Options:
    folder = tmp_path_factory.mktemp("sweep")
    return Options(
        TINY, [0], manifests, configs=CONFIGS, runs=folder / "runs", out=folder / "out",
        device="cpu", jobs=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def pages(options: Options) -> dict[str, Path]:
    """The pages of the studies that need nothing further, by study."""
    names = ("probes", "table2", "table3", "table4", "figure3", "figure4", "batch", "scaling")
    sweep = Sweep(options)
    return {name: sweep.reproduce(STUDIES[name], _Quiet) for name in names}


def numbers(page: Path) -> dict[str, dict]:
    return json.loads(page.with_suffix(".json").read_text())


def test_every_page_has_its_figure_its_numbers_and_where_they_come_from(
    pages: dict[str, Path], options: Options
) -> None:
    for name, page in pages.items():
        text, told = page.read_text(), numbers(page)
        assert page == options.out / f"{name}-tiny.md"
        assert text.startswith(f"# {STUDIES[name].title}")
        for linked in re.findall(r"\]\(([^)]+)\)", text):
            assert (page.parent / linked).exists(), linked
        if name != "table3":
            assert page.with_suffix(".svg").read_text().count("<svg") == 1
        assert {"commit", "hardware", "date", "data", "seeds"} <= told.keys()
        variants = [variant.name for variant in STUDIES[name].variants(TINY)]
        assert list(told["rows"]) == variants
        assert not re.search(r"nan|None", text)


def test_table_4_stands_beside_the_papers(pages: dict[str, Path]) -> None:
    text = pages["table4"].read_text()
    ours_first = text[: text.index("audio to text")].splitlines()
    lines = {line.split(" | ")[0].strip("| "): line for line in ours_first if " | " in line}
    for name, theirs in TABLE_4.items():
        for value in theirs.values():
            assert f" {value} " in lines[name].replace("|", " ")
    assert "| random crop helps | +6.4 |" in text
    ours = numbers(pages["table4"])["rows"]["base"]["T→A R@10"]
    assert f"{ours[0]:.1f} ({ours[1]:.1f}-{ours[2]:.1f})" in lines["base"]


def test_figure_3_has_every_depth_and_length(pages: dict[str, Path]) -> None:
    picture = pages["figure3"].with_suffix(".svg").read_text()
    for told in ("layers of the text encoder", "attention pooling", "average pooling"):
        assert told in picture
    told = numbers(pages["figure3"])
    assert len(told["rows"]) == len(TINY.depths) + 2 * len(TINY.lengths)
    # The base model is a depth and a length, and trained once.
    runs = {name: trainings[0]["run"] for name, trainings in told["trainings"].items()}
    assert runs["1 layer"] == runs["2 s, attention pooling"]
    assert len(set(runs.values())) == len(runs) - 1


def test_scaling_trains_on_parts_that_hold_each_other(options: Options) -> None:
    corpus = Sweep(options).corpus
    parts = [
        {row.id for row in read_manifest(corpus.manifest("train", share))} for share in TINY.shares
    ]
    assert [len(part) for part in parts] == [16, 32, 64]
    assert parts[0] <= parts[1] <= parts[2]


class _Sources(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_failures_can_be_listened_to(pages: dict[str, Path]) -> None:
    page = pages["table3"].with_suffix("") / "index.html"
    assert f"`{page.parent.name}/{page.name}`" in pages["table3"].read_text()
    parsed = _Sources()
    parsed.feed(page.read_text())
    assert parsed.found
    assert "In common: calm, flute, hertz" in parsed.text
    for source in parsed.found:
        sound, rate = soundfile.read(page.parent / source)
        assert len(sound) == 3 * rate
    assert "calm, flute, hertz" in pages["table3"].read_text()


def test_what_is_done_is_not_done_again(
    pages: dict[str, Path], options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pages["table4"].read_text()
    monkeypatch.setattr(runs, "train", None)
    monkeypatch.setattr(runs, "MEASURES", {})
    again = Sweep(options)
    assert again.state(STUDIES["table4"]).scored == 7
    assert again.state(STUDIES["table4"]).sound_seconds == 0
    assert again.reproduce(STUDIES["table4"], _Quiet).read_text() == before
    assert (again.pace() or 0) > 0


def test_what_matters_gives_another_run(options: Options) -> None:
    def folder(**changes: object) -> Path:
        return Sweep(replace(options, **changes)).runs(STUDIES["figure4"])["base"][0].folder  # type: ignore[arg-type]

    assert folder() == folder(jobs=2)
    assert folder() != folder(seeds=[1])
    swapped = {**options.manifests, "train": options.manifests["test"]}
    assert folder() != folder(manifests=swapped)
    searched = {**options.manifests, "test": options.manifests["train"]}
    assert folder() == folder(manifests=searched)


def test_trainings_beside_each_other_and_killed_ones_go_on(
    manifests: dict[str, Path], tmp_path: Path
) -> None:
    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "muscall", "reproduce", "batch", "--size", "tiny"]
        command += ["--jobs", "2", "--device", "cpu", "--configs", str(CONFIGS)]
        command += ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
        for split, path in manifests.items():
            command += [f"--{split}", str(path)]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    first = start()
    while not list(tmp_path.glob("runs/*/metrics.jsonl")) and first.poll() is None:
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert first.returncode == -signal.SIGKILL
    again = start()
    out, err = again.communicate()
    assert again.returncode == 0, err
    assert out.strip() == str(tmp_path / "out" / "batch-tiny.md")
    finished = list(tmp_path.glob("runs/*/run.json"))
    assert len(finished) == len(TINY.batches)
    assert not list(tmp_path.glob("runs/*/state"))


def test_what_cannot_be_run_is_one_line(options: Options, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="table1, table2"):
        chosen(["tabel4"])
    assert [study.name for study in chosen(["all"])] == list(STUDIES)
    assert chosen("table4") == chosen(["table4"])
    lost = Sweep(replace(options, configs=tmp_path))
    assert "base.yaml" in lost.state(STUDIES["table4"]).obstacle
    with pytest.raises(ConfigError, match=r"base\.yaml") as caught:
        lost.reproduce(STUDIES["table4"], _Quiet)
    assert "\n" not in str(caught.value)


def test_labels_that_are_not_there_are_missed_before_training(
    options: Options, tmp_path: Path
) -> None:
    options = replace(options, runs=tmp_path / "runs", labelled={"GTZAN": options.manifests["val"]})
    sweep = Sweep(options)
    assert "labels" in sweep.state(STUDIES["table2"]).obstacle
    with pytest.raises(ManifestError, match="labels"):
        sweep.reproduce(STUDIES["table2"], _Quiet)
    assert not list(tmp_path.glob("runs/*/config.json"))
    assert sweep.state(STUDIES["table4"]).obstacle == ""


def test_labels_of_one_split_each_are_not_probed(
    pages: dict[str, Path], options: Options, tmp_path: Path
) -> None:
    rows = [
        json.loads(line) | {"labels": [split], "split": split}
        for split, path in options.manifests.items()
        for line in path.read_text().splitlines()
    ]
    apart = options.manifests["test"].with_name("apart.jsonl")
    apart.write_text("".join(json.dumps(row) + "\n" for row in rows))
    sweep = Sweep(replace(options, labelled={"apart": apart}, out=tmp_path))
    page = sweep.reproduce(STUDIES["probes"], _Quiet)
    assert numbers(page)["rows"] == numbers(pages["probes"])["rows"]
    alone = HeldOut(options.manifests["test"], (("apart", apart),))
    alone.check("zeroshot")
    with pytest.raises(ConfigError, match="no label is in all"):
        alone.check("probe")
