"""Fine-tuning a model on your own music."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from muscall.data.manifest import read_manifest
from muscall.data.splits import kept_aside
from muscall.data.tagged import write_manifest
from muscall.errors import ConfigError
from muscall.models.muscall import load
from muscall.training.config import Config
from muscall.training.sentences import EQUAL

BATCH, VAL_SHARE = 64, 0.15
LR, HEADS_LR = 2e-4, 1e-3
"""Learning rates: where an encoder learns, and where both are frozen."""
SETTINGS: dict[str, Any] = {
    "steps": 100,
    "warmup": 0.1,
    "micro_batch": 32,
    "gradient_caching": False,
    "validate_every": 25,
    "weight_interpolation": 0.5,
}
"""These take minutes on two processor cores."""


def fine_tuning(init: str, music: str | Path, overrides: str | Sequence[str] = ()) -> Config:
    """Settings to fine-tune `init` on a manifest, or on a music folder by its tags.

    Args:
        init: as `muscall.load` takes it.
        music: a manifest or a folder.
        overrides: further settings, `a.b=value`, which take precedence.

    Raises:
        CheckpointError: there is no such model.
        ManifestError: naming every unusable row.
        MuscallError: a folder in which no file has tags.
        ConfigError: a wrong override, or too few rows.
    """
    name = re.sub(r"[*?{}\[\]]+", "-", Path(music).resolve().stem)  # of a pattern
    out = Path("runs") / f"tuned-{name}"
    manifest = music
    if Path(music).is_dir():
        manifest = out / "tags.jsonl"
        write_manifest(Path(music), manifest)
    rows = len(read_manifest(manifest))
    left = rows - kept_aside(rows, VAL_SHARE)
    if left < 2:
        raise ConfigError(f"{music}: {rows} rows are too few to train and to validate on")
    model = load(init, device="cpu")
    learns = any(p.requires_grad for part in (model.audio, model.text) for p in part.parameters())
    settings = {**SETTINGS, "lr": LR if learns else HEADS_LR}
    values = {
        "data": {"train": str(manifest), "val_share": VAL_SHARE, "augment": {"enabled": False}},
        # Half of a tagged folder may be "Rock music".
        "loss": {"false_negative_threshold": 0.99, "sentence_encoder": EQUAL},
        "train": {**settings, "init": init, "out": str(out), "batch_size": min(BATCH, left)},
    }
    return Config.build(values, overrides, str(music))
