"""Put a trained checkpoint into the package as the weights of `muscall.load()`.

    python recipes/first-weights/pack.py runs/first/minilm/best corpora/first/test.jsonl

Matrices are stored in half precision, everything else as it is. Prints what that, and the bfloat16
of the audio network, change about retrieval on the manifest.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

import muscall
from muscall.data.manifest import read_manifest
from muscall.evaluation.retrieval import evaluate_retrieval

TARGET = Path(__file__).parents[2] / "src" / "muscall" / "weights" / "default"
CARD = Path(__file__).with_name("card.md")
LIMIT = 60e6


def halved(model: muscall.MusCALL) -> muscall.MusCALL:
    """Matrices and convolutions in half precision; norms, biases and statistics stay."""
    for parameter in model.parameters():
        if parameter.ndim >= 2:
            parameter.data = parameter.data.half()
    return model


def scores(model: muscall.MusCALL, manifest: str) -> str:
    result = evaluate_retrieval(model, read_manifest(manifest))
    ways = (("T→A", result.text_to_audio), ("A→T", result.audio_to_text))
    return "  ".join(
        f"{way} R@1 {way_scores['R@1']:.2f} R@10 {way_scores['R@10']:.2f} "
        f"mAP10 {way_scores['mAP10']:.2f}"
        for way, way_scores in ways
    )


def main(source: str, manifest: str) -> None:
    exact = muscall.load(source, device="cpu")
    exact.precision = torch.float32
    print(f"fp32 weights, fp32 audio network: {scores(exact, manifest)}")
    halved(muscall.load(source, device="cpu")).save_pretrained(
        TARGET, model_card_kwargs={"details": CARD.read_text("utf-8")}
    )
    size = sum(path.stat().st_size for path in TARGET.iterdir())
    if size > LIMIT:
        raise SystemExit(f"{size / 1e6:.1f} MB are more than {LIMIT / 1e6:.0f} MB")
    packed = muscall.load(device="cpu")
    packed.precision = torch.float32
    print(f"fp16 weights, fp32 audio network: {scores(packed, manifest)}")
    packed.precision = torch.bfloat16
    print(f"fp16 weights, bf16 audio network: {scores(packed, manifest)}")
    print(f"{TARGET}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
