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
from muscall.training.config import Config
from muscall.training.sentences import EQUAL

BATCH, VAL_SHARE = 64, 0.15
SETTINGS: dict[str, Any] = {
    "steps": 100,
    "lr": 2e-4,
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
    values = {
        "data": {"train": str(manifest), "val_share": VAL_SHARE, "augment": {"enabled": False}},
        # Half of a tagged folder may be "Rock music".
        "loss": {"false_negative_threshold": 0.99, "sentence_encoder": EQUAL},
        "train": {**SETTINGS, "init": init, "out": str(out), "batch_size": min(BATCH, left)},
    }
    return Config.build(values, overrides, str(music))
