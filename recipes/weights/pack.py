"""Put a trained model among the released ones: the default into the package, others in `weights/`.

    python -m recipes.weights.pack NAME

Matrices are stored in half precision, everything else as it is. The model card says what that
changes about retrieval, and all that `make evaluate` measures.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch

import muscall
from muscall.data.manifest import read_manifest
from muscall.evaluation.retrieval import evaluate_retrieval
from muscall.models import checkpoint
from recipes.evaluate.evaluate import CORPUS, measured, page

REPOSITORY = Path(__file__).parents[2]
WEIGHTS = REPOSITORY / "weights"
LIMITS = {checkpoint.DEFAULT: 60e6}  # bytes
LIMIT = 90e6  # of any other
MEASURES = ("R@1", "R@5", "R@10", "mAP10", "MedR")


def lighter(model: muscall.MusCALL) -> muscall.MusCALL:
    """Matrices and convolutions in half precision; norms, biases and statistics stay. Without the
    heads that were needed for training alone.
    """
    model.ssl_head = model.teacher_head = None
    model.config = model.config.model_copy(update={"ssl_dim": 0, "teacher_dim": 0})
    for parameter in model.parameters():
        if parameter.ndim >= 2:
            parameter.data = parameter.data.half()
    return model


def precision(model: muscall.MusCALL, packed: muscall.MusCALL, manifest: Path) -> str:
    """Markdown of what half precision, and the bfloat16 of the networks, change."""
    columns = [f"{way} {name}" for way in ("T→A", "A→T") for name in MEASURES]
    lines = ["| | " + " | ".join(columns) + " |", "|---" + "|---:" * len(columns) + "|"]
    rows = read_manifest(manifest)
    for name, one, run in (
        ("as trained, run in fp32", model, torch.float32),
        ("as stored, run in fp32", packed, torch.float32),
        ("as stored, run in bf16", packed, torch.bfloat16),
    ):
        one.precision = run
        result = evaluate_retrieval(one, rows)
        found = [way[k] for way in (result.text_to_audio, result.audio_to_text) for k in MEASURES]
        lines.append(f"| {name} | " + " | ".join(f"{value:.1f}" for value in found) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Put a trained model among the released ones.")
    parser.add_argument("name", choices=checkpoint.RELEASED)
    parser.add_argument("--runs", type=Path, default=Path("runs/weights"))
    options = parser.parse_args()
    name = options.name
    best = options.runs / name / "best"
    package = REPOSITORY / "src" / "muscall" / "weights"
    target = (package if name == checkpoint.DEFAULT else WEIGHTS) / name
    lighter(muscall.load(best, device="cpu")).save_pretrained(target)
    size = sum(path.stat().st_size for path in target.iterdir())
    if size > LIMITS.get(name, LIMIT):
        raise SystemExit(f"{target}: {size / 1e6:.1f} MB are more than the limit")
    exact, packed = (muscall.load(folder, device="cpu") for folder in (best, target))
    changed = precision(exact, packed, CORPUS)
    text = page(*measured({name: str(target)}))
    told = Path(__file__).with_name("cards") / f"{name}.md"
    details = [
        told.read_text("utf-8").strip(),
        f"## In half precision: {size / 1e6:.0f} MB\n\n{changed}",
        re.sub("^#", "##", text, flags=re.MULTILINE),
    ]
    lighter(packed).save_pretrained(target, model_card_kwargs={"details": "\n\n".join(details)})
    if name != checkpoint.DEFAULT:
        checkpoint.write_checksums(WEIGHTS)
    print(f"{target}: {size / 1e6:.1f} MB\n\n{changed}")


if __name__ == "__main__":
    main()
