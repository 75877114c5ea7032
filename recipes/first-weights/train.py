"""Train the paper's variants on the first open corpus with two processor cores, and compare them.

    python recipes/first-weights/train.py corpora/first runs/first [VARIANT...]

The shipped configurations are trained with the changes in `FITTED`. Resumable: what is finished is
not repeated. Prints a Markdown table of retrieval on the held-out test rows, all styles of which
are unknown to the models, and writes it with the settings as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from muscall.data.unpacking import unpack as decode

CONFIGS = Path(__file__).parents[2] / "configs"
# Each with its shipped configuration and what else it changes.
VARIANTS = {
    "minilm": ("minilm", []),
    "base": ("base", []),
    "weighted": ("weighted", []),
    "ssl": ("ssl", []),
    "weighted-eq3": ("weighted", ["loss.weighting=content", "loss.kappa=0.005"]),
}
SPLITS = ("train", "val", "test")
FITTED = [
    "model.audio.window_seconds=5",
    "train.steps=500",
    "train.batch_size=64",
    "train.micro_batch=32",
    "train.recompute=false",
    "train.lr=1e-3",
    "train.warmup=0.1",
    "train.validate_every=100",
    "train.validation_items=400",
]


def unpack(corpus: Path, out: Path) -> None:
    """Decode the corpus once: reading WAV leaves both cores to the model."""
    (out / "audio").mkdir(parents=True, exist_ok=True)
    sources = {}
    for split in SPLITS:
        lines = []
        for line in (corpus / f"{split}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            target = Path("audio") / f"{Path(row['audio']).stem}.wav"
            sources[out / target] = corpus / row["audio"]
            lines.append(json.dumps(row | {"audio": str(target)}))
        (out / f"{split}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    for failure in decode(sources):
        raise failure


def muscall(*arguments: str) -> str:
    """Run the command; its messages go on to the terminal."""
    command = [sys.executable, "-m", "muscall", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(corpus: Path, out: Path, variants: list[str]) -> None:
    unpack(corpus, out / "corpus")
    manifests = {split: str(out / "corpus" / f"{split}.jsonl") for split in SPLITS}
    for variant in variants:
        config, changes = VARIANTS[variant]
        muscall(
            "train",
            str(CONFIGS / f"{config}.yaml"),
            f"data.train={manifests['train']}",
            f"data.val={manifests['val']}",
            f"train.out={out / variant}",
            *FITTED,
            *changes,
        )
        scores = muscall(
            "evaluate", "retrieval", str(out / variant / "best"), manifests["test"], "--json"
        )
        (out / variant / "test.json").write_text(scores)
    print(table(out))


def table(out: Path) -> str:
    """Markdown of every variant that has been evaluated."""
    names = ("R@1", "R@5", "R@10", "mAP10", "MedR")
    head = ["variant", "items", *(f"T→A {n}" for n in names), *(f"A→T {n}" for n in names)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for path in sorted(out.glob("*/test.json")):
        scores = json.loads(path.read_text())
        numbers = [
            f"{scores[way][name]:.1f}"
            for way in ("text_to_audio", "audio_to_text")
            for name in names
        ]
        row = [path.parent.name, str(scores["items"]), *numbers]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or list(VARIANTS))
