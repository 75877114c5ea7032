"""Measuring and reproducing on bad input: the last sections of docs/bad-input.md."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.cli.bad_input.session import Session

CONFIGS = Path(__file__).parents[3] / "configs"
SPLITS = ("train", "val", "test")
SETS = ("gtzan", "magnatagatune", "musiccaps", "song-describer", "mtg-jamendo")


def make_studies() -> None:
    """Manifests with labels, and folders that are nearly data sets."""

    def labelled(
        name: str, labels: Sequence[Any], splits: Sequence[str | None] = SPLITS, audio: str = "many"
    ) -> None:
        rows = [
            {"id": number, "audio": f"{audio}/{number}.wav", "labels": labels[number % len(labels)]}
            | {"split": splits[number // 2 % len(splits)]}
            for number in range(12)
        ]
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    labelled("labels", ["low", "high"])
    labelled("one-label", ["low"])
    labelled("wrong-labels", [3, [["low"]], {"low": 1}, "", None, [None]])
    labelled("no-labels", [[]])
    labelled("all-labels", [["low", "high"]])
    labelled("one-of-train", ["low", "low", "low", "low", "high", "high"])
    labelled("no-splits", ["low", "high"], [None])
    labelled("no-val", ["low", "high"], ["train", "test"])
    labelled("gone", ["low", "high"], audio="gone")
    bad = [{"audio": f"bad/{name}.wav", "labels": "low", "id": name} for name in ("nan", "empty")]
    rows = "".join(json.dumps({**row, "split": "test"}) + "\n" for row in bad)
    Path("some-bad-labels.jsonl").write_text(Path("labels.jsonl").read_text() + rows)

    def data_set(name: str, table: str, text: str | bytes) -> None:
        Path(name).mkdir()
        Path(name, table).write_bytes(text if isinstance(text, bytes) else text.encode())

    table, head = "musiccaps-public.csv", "ytid,caption,is_audioset_eval\n"
    data_set("caps-columns", table, "file,text\na,b\n")
    data_set("caps-binary", table, head.encode() + b"\xff\xfe,a,b\n")
    data_set("caps-short", table, f"{head}-0Gj8-vB1q4,a caption\n")
    data_set("caps-none", table, head)
    data_set("caps-silent", table, f"{head}-0Gj8-vB1q4,a caption,True\n")
    data_set("caps-half", table, f"{head}-0Gj8-vB1q4,a,True\n-0SdAVK79lg,b,False\n")
    shutil.copy("good.wav", "caps-half/-0Gj8-vB1q4.wav")
    Path("caps-folder", table).mkdir(parents=True)
    tags = "clip_id\tguitar\tmp3_path\n2\t1\tz/song-0-29.mp3\n"
    data_set("tags-folders", "annotations_final.csv", tags)
    data_set("genres-lists", "train_filtered.txt", "polka/polka.00001.wav\n")
    data_set("genres-one", "train_filtered.txt", "jazz/jazz.00001.wav\n")
    Path("configs").mkdir()
    Path("configs/base.yaml").write_text("train: {steps: 2\nmodel: [")


def labels(run: Session) -> None:
    run.section("Labels: evaluate zeroshot and evaluate probe")
    for command in ("zeroshot", "probe"):
        for what, name, expected in (
            ("captions, but no labels", "pairs", 1),
            ("labels that are none", "wrong-labels", 1),
            ("one label alone", "one-label", 1),
            ("no row has a label", "no-labels", 1),
            ("all rows have all labels", "all-labels", 1),
            ("some files are bad", "some-bad-labels", 3),
            ("all files are gone", "gone", 1),
            ("no rows", "none", 1),
            ("no such file", "nowhere", 1),
        ):
            run.try_(what, f"evaluate {command} MODEL {name}.jsonl", expected)
    run.try_("no such model", "evaluate zeroshot nowhere labels.jsonl", 1)
    run.try_("an unknown split", "evaluate zeroshot MODEL labels.jsonl --split valid", 1)
    zeroshot = "evaluate zeroshot MODEL labels.jsonl"
    run.try_("a template without a label", f"{zeroshot} --template music", 2)
    run.try_("the mean of one template", f"{zeroshot} --template {{label}}! --ensemble", 2)
    run.try_("a template with more in it", f"{zeroshot} --template {{label}}-{{x}}{{", 0)
    run.try_("no splits", "evaluate probe MODEL no-splits.jsonl", 1)
    run.try_("one of the splits is missing", "evaluate probe MODEL no-val.jsonl", 1)
    run.try_("one label alone to learn from", "evaluate probe MODEL one-of-train.jsonl", 1)


def sets(run: Session) -> None:
    run.section("Data sets: manifest")
    for kind in SETS:
        for what, folder in (
            ("no such folder", "nowhere"),
            ("a file", "good.wav"),
            ("a folder that is no data set", "many"),
        ):
            run.try_(what, f"manifest {kind} {folder} -o rows.jsonl", 1)
    for what, kind, folder in (
        ("a table of something else", "musiccaps", "caps-columns"),
        ("a table that is not UTF-8", "musiccaps", "caps-binary"),
        ("a row with too few cells", "musiccaps", "caps-short"),
        ("a table without rows", "musiccaps", "caps-none"),
        ("a folder for a table", "musiccaps", "caps-folder"),
        ("a table without its sound", "musiccaps", "caps-silent"),
        ("no such folder of sound", "musiccaps", "caps-half --audio nowhere"),
        ("clips in none of its folders", "magnatagatune", "tags-folders"),
        ("lists of something else", "gtzan", "genres-lists"),
        ("one of three lists", "gtzan", "genres-one"),
    ):
        run.try_(what, f"manifest {kind} {folder} -o rows.jsonl", 1)
    run.check("rows.jsonl was not written", not Path("rows.jsonl").exists())
    half = "manifest musiccaps caps-half"
    run.try_("clips that are not there", f"{half} -o rows.jsonl", 3)
    run.try_("an unknown split", f"{half} -o rows.jsonl --split valid", 1)
    run.try_("no folder to write into", f"{half} -o no/such/rows.jsonl", 1)
    run.try_("a folder to write", f"{half} -o bad", 2)
    run.try_("another format to write", f"{half} -o rows.csv", 2)
    run.try_("an unknown set", "manifest polka many -o rows.jsonl", 2)
    run.try_("no tags", "manifest magnatagatune many -o rows.jsonl --tags 0", 2)
    run.try_("a split that there is not", "manifest mtg-jamendo many -o rows.jsonl --fold 5", 2)
    run.try_("unknown tags", "manifest mtg-jamendo many -o rows.jsonl --subset weather", 2)


def reproducing(run: Session) -> None:
    run.section("Reproducing: reproduce")
    pairs = "--train pairs.jsonl --val pairs.jsonl --test pairs.jsonl --size tiny --device cpu"
    pairs += f" --jobs 1 --configs {CONFIGS}"

    def reproduce(what: str, command: str, expected: int = 1, given: str = pairs) -> None:
        run.try_(what, f"reproduce {given} {command}", expected, shown=f"reproduce {command}")

    reproduce("no study", "", 2)
    reproduce("an unknown study", "figure9", 2)
    reproduce("an unknown size", "figure4 --size huge", 2)
    reproduce("seeds that are none", "figure4 --seeds one", 2)
    reproduce("no trainings at once", "figure4 --jobs 0", 2)
    reproduce("an unknown option", "figure4 --epochs 3", 2)
    reproduce("no manifests", "figure4", given="")
    reproduce("a manifest that is missing", "figure4 --train nowhere.jsonl")
    reproduce("every kind of wrong row", "figure4 --train wrong.csv")
    reproduce("no configurations", "figure4 --configs nowhere")
    reproduce("a configuration that is broken", "figure4 --configs configs")
    reproduce("no such device", "figure4 --device abacus --runs none")
    reproduce("no word vectors", "table1")
    reproduce("word vectors that are missing", "table1 --vectors nowhere.vec")
    reproduce("labels that are missing", "table2 --gtzan nowhere.jsonl")
    reproduce("labels that are none", "table2 --gtzan pairs.jsonl")
    reproduce("a file where the runs should be", "figure4 --runs in-the-way")
    reproduce("a file where the pages should be", "figure4 --out in-the-way")


STUDIES = (labels, sets, reproducing)
