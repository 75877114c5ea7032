"""Train one of the released models, from the corpus to a checkpoint.

    PYTHONPATH=recipes/open-corpus python recipes/weights/train.py NAME [SETTING=VALUE ...]

Unpacks `corpora/open` once, trains `configs/NAME.yaml`, and scores the best checkpoint on the
held-out clips. On a GPU the configuration is trained as it is; on a processor with the changes in
FITTED and CHANGES, which make it a matter of hours on two cores. Resumable: the same command goes
on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import yaml
from unpacking import Row, muscall, rows_of, unpack, write

CONFIGS = Path(__file__).parents[2] / "configs"
SPLITS = ("train", "val", "test")
# Rows that a clip of a recording becomes, so that nearly half of all rows are recordings: they are
# worth more than rendered clips (docs/experiments.md). Each is a third of the clip.
PIECES, LENGTH = 8, 1 / 3
FITTED = [
    "model.audio.window_seconds=5",
    "train.batch_size=128",
    "train.micro_batch=32",
    "train.recompute=false",
    "train.lr=1e-3",
    "train.warmup=0.05",
    "train.validate_every=500",
    "train.validation_items=800",
    "data.augment.enabled=false",
]

# On a processor. 3e-4 was found after all but ssl were trained (docs/experiments.md), and a step of
# ssl takes half as long again.
CHANGES = {
    "default": ["train.steps=8000"],
    "base": ["train.steps=1500"],
    "ssl": ["train.steps=800", "train.lr=3e-4"],
    "weighted": ["train.steps=1500"],
}


def pieces(row: Row) -> list[Row]:
    """A recording as PIECES rows of overlapping parts of it; a rendered clip as it is."""
    if row["part"] != "recordings":
        return [row]
    seconds = row["duration"] * LENGTH
    starts = np.linspace(0, row["duration"] - seconds, PIECES).tolist()
    return [
        row | {"id": f"{row['id']}@{n}", "start": start, "duration": seconds}
        for n, start in enumerate(starts)
    ]


def taught(rows: list[Row], folder: Path) -> Path:
    """What the teacher heard in the recordings, and so in their pieces, as `data.targets`: the
    log-odds of its 100 tags.
    """
    recorded = [row for row in rows if row["part"] == "recordings"]
    names = sorted(recorded[0]["facts"]["tags"])
    heard = np.array([[row["facts"]["tags"][name] for name in names] for row in recorded])
    heard = np.clip(heard, 1e-4, 1 - 1e-4)
    ids = [piece["id"] for row in recorded for piece in (row, *pieces(row))]
    targets = folder / "targets.npz"
    np.savez(targets, ids=ids, vectors=np.log(heard / (1 - heard)).repeat(1 + PIECES, axis=0))
    return targets


def trained(config: Path, changes: Sequence[str]) -> str:
    """Train on the GPU, or in a process for each core, which is faster than threads are; the
    folder of the best checkpoint.
    """
    if torch.cuda.is_available():
        return muscall("train", config, *changes).strip()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(os.cpu_count()), "-m", "muscall", "train", str(config)]
    one = os.environ | {"OMP_NUM_THREADS": "1"}
    told = subprocess.run([*command, *changes], check=True, stdout=subprocess.PIPE, env=one)
    return told.stdout.decode().splitlines()[-1]


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Train a released model.")
    parser.add_argument("name", choices=CHANGES)
    parser.add_argument("settings", nargs="*", metavar="SETTING=VALUE")
    parser.add_argument("--corpus", type=Path, default=Path("corpora/open"))
    parser.add_argument("--out", type=Path, default=Path("runs/weights"))
    options = parser.parse_args()
    config = CONFIGS / f"{options.name}.yaml"
    folder = options.out / "corpus"
    changes = []
    if not torch.cuda.is_available():
        changes = [*FITTED, *CHANGES[options.name]]
    for split in SPLITS:
        rows = unpack(rows_of(options.corpus / f"{split}.jsonl"), options.corpus, folder)
        if split == "train":
            if yaml.safe_load(config.read_text())["loss"].get("distillation_weight"):
                changes.append(f"data.targets={taught(rows, folder)}")
            rows = [piece for row in rows for piece in pieces(row)]
        if split != "test":
            changes.append(f"data.{split}={write(rows, folder / f'{split}.jsonl')}")
        else:
            test = write(rows, folder / "test.jsonl")
    out = options.out / options.name
    best = trained(config, [*changes, f"train.out={out}", *options.settings])
    scores = json.loads(muscall("evaluate", "retrieval", best, test, "--json"))
    (out / "test.json").write_text(json.dumps(scores, indent=2) + "\n")
    print(best)


if __name__ == "__main__":
    main()
