"""Going on from a released model with music of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from muscall.data.manifest import read_manifest
from muscall.data.splits import kept_aside
from muscall.data.tagged import write_manifest
from muscall.errors import ConfigError
from muscall.training.config import Config

BATCH, VAL_SHARE = 64, 0.15
SETTINGS: dict[str, Any] = {
    "steps": 100,
    "lr": 2e-4,
    "warmup": 0.1,
    "micro_batch": 32,
    "recompute": False,
    "validate_every": 25,
    "blend": 0.5,
}
"""Minutes on two processor cores; half of the initial weights stays, against forgetting."""


def fine_tuning(init: str, music: Path, overrides: str | Sequence[str] = ()) -> Config:
    """Settings for training `init` on a manifest, or on a music folder with the words of its tags.

    Args:
        init: as `muscall.load` takes it.
        music: a manifest or a folder.
        overrides: further settings, `a.b=value`; they win.

    Raises:
        ManifestError: naming every unusable row.
        MuscallError: a folder in which no file has tags.
        ConfigError: a wrong override, or too few rows.
    """
    out = Path("runs") / f"tuned-{music.resolve().stem}"
    manifest = music
    if music.is_dir():
        manifest = out / "tags.jsonl"
        write_manifest(music, manifest)
    rows = len(read_manifest(manifest))
    left = rows - kept_aside(rows, VAL_SHARE)
    if left < 2:
        raise ConfigError(f"{music}: {rows} rows are too few to train and to validate on")
    values = {
        "data": {"train": str(manifest), "val_share": VAL_SHARE, "augment": {"enabled": False}},
        "train": {**SETTINGS, "init": init, "out": str(out), "batch_size": min(BATCH, left)},
    }
    return Config.build(values, overrides, str(music))
