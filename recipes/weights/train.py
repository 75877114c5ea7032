"""Train one of the released models, from the corpus to a checkpoint.

    PYTHONPATH=recipes/open-corpus python recipes/weights/train.py NAME [SETTING=VALUE ...]

Unpacks `corpora/open` once, has the teacher listen where the model learns from it, trains
`configs/NAME.yaml`, and scores the best checkpoint on the held-out clips. On a GPU the
configuration is trained as it is; on a processor with the changes in FITTED, which make it a matter
of hours on two cores. Resumable: the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

import numpy as np
import torch
import yaml
from teacher.tagging import listen
from unpacking import Row, muscall, rows_of, unpack, write

CONFIGS = Path(__file__).parents[2] / "configs"
NAMES = ("default", "base", "ssl", "weighted")
SPLITS = ("train", "val", "test")
PIECES = 3  # rows that a real recording becomes, as there are few beside the rendered clips
TAUGHT = 3000  # rendered clips that the teacher hears, beside all recordings
FITTED = [
    "model.audio.window_seconds=5",
    "train.batch_size=128",
    "train.micro_batch=32",
    "train.recompute=false",
    "train.lr=1e-3",
    "train.warmup=0.05",
    "train.steps=6000",
    "train.validate_every=500",
    "train.validation_items=800",
    "data.augment.enabled=false",
]


def pieces(row: Row) -> list[Row]:
    """A recording as PIECES rows of its parts, one after the other; a rendered clip as it is."""
    if row["part"] != "recordings":
        return [row]
    seconds = row["duration"] / PIECES
    return [
        row | {"id": f"{row['id']}@{n}", "start": n * seconds, "duration": seconds}
        for n in range(PIECES)
    ]


def hear(rows: list[Row], folder: Path) -> Path:
    """What the teacher hears in all recordings and TAUGHT other rows, as `data.targets`.

    A vector has the log-odds of its 100 tags and its 400 features.
    """
    recorded = [row for row in rows if row["part"] == "recordings"]
    others = [row for row in rows if row["part"] != "recordings"]
    chosen = recorded + random.Random(0).sample(others, min(TAUGHT, len(others)))
    paths = [folder / row["audio"] for row in chosen]
    store = folder / "heard.npz"
    for done, _ in listen(paths, store):
        if done % 100 == 0:
            print(f"the teacher has heard {done} of {len(paths)}", file=sys.stderr)
    with np.load(store) as table:
        kept = np.clip(table["probabilities"], 1e-4, 1 - 1e-4)
        vectors = np.concatenate([np.log(kept / (1 - kept)), table["features"]], axis=1)
        heard = dict(zip((Path(p).stem for p in table["paths"]), vectors, strict=True))
    ids = [(piece["id"], row["id"]) for row in chosen for piece in pieces(row)]
    targets = folder / "targets.npz"
    np.savez(targets, ids=[piece for piece, _ in ids], vectors=[heard[own] for _, own in ids])
    return targets


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Train a released model.")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("settings", nargs="*", metavar="SETTING=VALUE")
    parser.add_argument("--corpus", type=Path, default=Path("corpora/open"))
    parser.add_argument("--out", type=Path, default=Path("runs/weights"))
    options = parser.parse_args()
    config = CONFIGS / f"{options.name}.yaml"
    folder = options.out / "corpus"
    changes = [] if torch.cuda.is_available() else list(FITTED)
    for split in SPLITS:
        rows = unpack(rows_of(options.corpus / f"{split}.jsonl"), options.corpus, folder)
        if split == "train":
            if yaml.safe_load(config.read_text())["loss"].get("distillation_weight"):
                changes.append(f"data.targets={hear(rows, folder)}")
            rows = [piece for row in rows for piece in pieces(row)]
        if split != "test":
            changes.append(f"data.{split}={write(rows, folder / f'{split}.jsonl')}")
        else:
            test = write(rows, folder / "test.jsonl")
    out = options.out / options.name
    best = muscall("train", config, *changes, f"train.out={out}", *options.settings).strip()
    scores = json.loads(muscall("evaluate", "retrieval", best, test, "--json"))
    (out / "test.json").write_text(json.dumps(scores, indent=2) + "\n")
    print(best)


if __name__ == "__main__":
    main()
