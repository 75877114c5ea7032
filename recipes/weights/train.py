"""Train one of the paper's models, from the corpus to a checkpoint.

    python -m recipes.weights.train NAME [SETTING=VALUE ...]

Unpacks `corpora/open` once, trains its configuration (`configs/NAME.yaml`, for `weighted`
`configs/weighted-published.yaml`), and scores the best checkpoint on the
held-out clips. On a GPU a configuration is trained as it is; on a processor with the changes in
FITTED and CHANGES, which make it a matter of hours on two cores. Resumable: the same command goes
on where it was stopped. (The default weights have a recipe of their own, `default.py`.)
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

from muscall.processes import run
from recipes.corpus.unpacking import RECORDED, Row, muscall, rows_of, unpack, write

CONFIGS = Path(__file__).parents[2] / "configs"
SPLITS = ("train", "val", "test")
# A clip of a recording becomes this many rows at least, each a third of it: all of it is in them.
PIECES, LENGTH = 3, 1 / 3
FITTED = [
    "model.audio.window_seconds=5",
    "train.batch_size=128",
    "train.micro_batch=32",
    "train.gradient_caching=false",
    "train.lr=1e-3",
    "train.warmup=0.05",
    "train.validate_every=500",
    "train.validation_items=800",
    "data.augment.enabled=false",
]

# On a processor. 3e-4 was found after base and weighted were trained (docs/experiments.md), and a
# step of ssl takes half as long again.
CHANGES = {
    "base": ["train.steps=1500"],
    "ssl": ["train.steps=800", "train.lr=3e-4"],
    "weighted": ["train.steps=1500"],
}
CONFIG_OF = {"weighted": "weighted-published"}
"""The configuration of a model that has another name."""


def in_pieces(rows: list[Row]) -> list[Row]:
    """Each recording as overlapping pieces of it, as many as make half of all rows pieces: they are
    worth more than rendered clips (docs/experiments.md). Rendered clips as they are.
    """
    recorded = sum(row["part"] == RECORDED for row in rows)
    count = max(PIECES, round((len(rows) - recorded) / max(recorded, 1)))
    return [piece for row in rows for piece in pieces(row, count)]


def pieces(row: Row, count: int) -> list[Row]:
    """A recording as rows of `count` parts of it, from its start to its end; others as they are."""
    if row["part"] != RECORDED:
        return [row]
    seconds = row["duration"] * LENGTH
    starts = np.linspace(0, row["duration"] - seconds, count).tolist()
    return [
        row | {"id": f"{row['id']}@{n}", "start": start, "duration": seconds}
        for n, start in enumerate(starts)
    ]


def trained(config: Path, changes: Sequence[str]) -> str:
    """Train on the GPU, or in a process for each core, which is faster than threads are; the
    folder of the best checkpoint.
    """
    if torch.cuda.is_available():
        return muscall("train", config, *changes).strip()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(os.cpu_count()), "-m", "muscall", "train", str(config)]
    one = os.environ | {"OMP_NUM_THREADS": "1"}
    told = run([*command, *changes], check=True, stdout=subprocess.PIPE, env=one)
    return str(told.stdout.decode().splitlines()[-1])


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Train a released model.")
    parser.add_argument("name", choices=[*CHANGES])
    parser.add_argument("settings", nargs="*", metavar="SETTING=VALUE")
    parser.add_argument("--corpus", type=Path, default=Path("corpora/open"))
    parser.add_argument("--out", type=Path, default=Path("runs/weights"))
    options = parser.parse_intermixed_args()
    folder = options.out / "corpus"
    rows = {
        split: unpack(rows_of(options.corpus / f"{split}.jsonl"), options.corpus, folder)
        for split in SPLITS
    }
    rows["train"] = in_pieces(rows["train"])
    manifests = {split: write(own, folder / f"{split}.jsonl") for split, own in rows.items()}
    data = [f"data.{split}={manifests[split]}" for split in ("train", "val")]

    changes = [*data, f"train.out={options.out / options.name}"]
    if not torch.cuda.is_available():
        changes += [*FITTED, *CHANGES[options.name]]
    config = CONFIGS / f"{CONFIG_OF.get(options.name, options.name)}.yaml"
    best = trained(config, [*changes, *options.settings])
    scores = json.loads(muscall("evaluate", "retrieval", best, manifests["test"], "--json"))
    out = options.out / options.name
    (out / "test.json").write_text(json.dumps(scores, indent=2) + "\n")
    print(best)


if __name__ == "__main__":
    main()
