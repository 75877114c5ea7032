"""Records of a run: progress, TensorBoard scalars, a metrics JSONL and a picture of the curves."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from muscall.errors import MissingExtra, needs
from muscall.models.checkpoint import written_aside

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

logger = logging.getLogger("muscall")

METRICS, CURVES, TENSORBOARD = "metrics.jsonl", "curves.png", "tensorboard"


class Journal:
    """Records of one run in `folder`. `start` is the first step to come.

    Records of steps from `start` on are deleted: an interrupted run left them, and will repeat
    these steps.
    """

    def __init__(self, folder: Path, start: int, total: int) -> None:
        self.folder = folder
        self.path = folder / METRICS
        kept = [record for record in read_metrics(self.path) if record["step"] < start]
        with written_aside(folder) as aside:
            lines = "".join(json.dumps(record) + "\n" for record in kept)
            (aside / METRICS).write_text(lines, "utf-8")
        self.file = self.path.open("a", encoding="utf-8")
        self.board = _board(folder / TENSORBOARD, start)
        console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self.task = self.progress.add_task("training", total=total, completed=start, note="")
        self.began = time.monotonic()
        self.progress.start()

    def close(self) -> None:
        """End the progress display and the files."""
        self.progress.stop()
        self.file.close()
        if self.board:
            self.board.close()

    def record(self, step: int, values: Mapping[str, float], *, kind: str) -> None:
        """Write `values` of `step`; `kind` is "train" or "validation"."""
        self.file.write(json.dumps({"step": step, "kind": kind, **values}) + "\n")
        self.file.flush()
        if self.board:
            for name, value in values.items():
                self.board.add_scalar(f"{kind}/{name}", value, step)
        if kind == "validation":
            seconds = time.monotonic() - self.began
            text = "  ".join(f"{name} {value:.1f}" for name, value in values.items())
            logger.info("step %d, %.0f s: %s", step + 1, seconds, text)

    def advance(self, note: str) -> None:
        """Count one step."""
        self.progress.update(self.task, advance=1, note=note)


def _board(folder: Path, start: int) -> SummaryWriter | None:
    """What writes TensorBoard's scalars, if it is installed."""
    try:
        with needs("train", "TensorBoard"):
            from torch.utils.tensorboard import SummaryWriter
    except MissingExtra as missing:
        logger.warning("no scalars: %s", missing)
        return None
    return SummaryWriter(str(folder), purge_step=start)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The records of a metrics JSONL, without a last line that is cut off."""
    records = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                break
    return records


def draw_curves(folder: Path) -> None:
    """Draw loss, validation recall, and learning rate of the run in `folder`, if we can."""
    try:
        with needs("train", "matplotlib"):
            import matplotlib
    except MissingExtra as missing:
        logger.warning("no picture of the curves: %s", missing)
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    records = read_metrics(folder / METRICS)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), constrained_layout=True)
    train = [record for record in records if record["kind"] == "train"]
    steps = [record["step"] + 1 for record in train]
    for name in ("loss", "contrastive", "ssl"):
        points = [(s, r[name]) for s, r in zip(steps, train, strict=True) if name in r]
        if points and not (name == "contrastive" and "ssl" not in train[0]):
            left.plot(*zip(*points, strict=True), label=name, linewidth=1)
    left.set(xlabel="step", ylabel="loss", title="training")
    left.legend()
    rate = left.twinx()
    rate.plot(steps, [record["lr"] for record in train], color="0.7", linewidth=1)
    rate.set_ylabel("learning rate", color="0.5")
    validation = [record for record in records if record["kind"] == "validation"]
    for name in ("R@1", "R@5", "R@10", "mAP10"):
        right.plot(
            [record["step"] + 1 for record in validation],
            [record[name] for record in validation],
            marker=".",
            label=name,
        )
    right.set(xlabel="step", ylabel="percent", title="validation, text to audio", ylim=(0, None))
    right.legend()
    figure.savefig(folder / CURVES, dpi=120)
    plt.close(figure)
    logger.info("curves: %s", folder / CURVES)
