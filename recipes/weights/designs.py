"""What each choice in the design of the default weights is worth, on real music.

    PYTHONPATH=recipes/open-corpus python recipes/weights/designs.py [NAME...] [--seeds 0 1]

Equal trainings, each with one choice more or less than `configs/minilm.yaml`, on rows of which half
are recordings, as in `train.py`; run, scored and printed as the experiments of the corpus are.
"""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from experiments import OPEN, Experiment, main
from train import taught
from unpacking import RECORDED, Row, rows_of

OUT = Path("runs/designs")
TARGETS = OUT / "targets.npz"


def half_recorded(row: Row) -> bool:
    """All recordings, and one rendered clip in nine."""
    return row["part"] == RECORDED or crc32(row["id"].encode()) % 9 == 0


def design(*settings: str) -> Experiment:
    """A training with these settings."""
    return Experiment(OPEN, half_recorded, settings=("data.augment.enabled=false", *settings))


DESIGNS = {
    "as it is": design(),
    "level-free": design("model.audio.mel.relative=true"),
    "levels drawn within 12 dB": design(
        "data.augment.enabled=true",
        "data.augment.gain=1",
        *(f"data.augment.{other}=0" for other in ("polarity", "noise", "pitch_shift")),
    ),
    "alike sentences are no negatives": design("loss.alike=0.85"),
    "taught the tags of recordings": design(
        "model.teacher_dim=100", "loss.distillation_weight=1", f"data.targets={TARGETS}"
    ),
    "text adapter": design("model.text_adapter=512"),
    "64 mel bands": design("model.audio.mel.n_mels=64"),
    "ten-second windows": design("model.audio.window_seconds=10"),
    "width 32": design("model.audio.width=32"),
    "batch 128": design("train.batch_size=128"),
    "text encoder fine-tuned": design("model.text.frozen=false"),
}

if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    taught(rows_of(OPEN / "train.jsonl"), TARGETS)
    main(DESIGNS, OUT)
