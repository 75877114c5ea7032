"""One training: in a folder named by all that its result depends on, done once, scored once."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

import muscall
from muscall.models.checkpoint import written_aside
from muscall.records import former_name
from muscall.reproduce.provenance import provenance
from muscall.reproduce.scores import MEASURES, HeldOut
from muscall.training import Config, train
from muscall.training.folder import BEST, LAST, STATE, comparable
from muscall.training.journal import METRICS, read_metrics

DONE = "run.json"


@dataclass(frozen=True)
class Run:
    """A training and its model, in `folder`."""

    name: str
    config: Config

    @classmethod
    def of(cls, name: str, config: Config, runs: Path) -> Run:
        """The run of these settings below the folder `runs`; its data are named by what they hold.

        A machine's own settings (device, threads, workers) do not matter, and neither do settings
        at their defaults: one that is added later leaves the runs before it as they are.
        """
        usual = comparable(Config())
        told = {
            former_name(name): v for name, v in comparable(config).items() if usual.get(name) != v
        }
        told |= {name: Path(str(told[name])).name for name in ("data.train", "data.val")}
        key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]
        settings = config.train.model_copy(update={"out": str(runs / key)})
        return cls(name, config.model_copy(update={"train": settings}))

    @property
    def folder(self) -> Path:
        return Path(self.config.train.out)

    @property
    def steps(self) -> int:
        return self.config.train.steps or 0

    @property
    def finished(self) -> bool:
        """Whether it is trained."""
        return (self.folder / DONE).exists()

    @property
    def steps_done(self) -> int:
        """Steps that it has behind it."""
        if self.finished:
            return self.steps
        return sum(record["kind"] == "train" for record in read_metrics(self.folder / METRICS))

    @property
    def seconds_of_sound(self) -> float:
        """What its audio encoder hears in training."""
        views = 2 if self.config.loss.ssl_weight else 1
        clip = self.config.model.audio.window_seconds
        return self.steps * self.config.train.batch_size * views * clip

    def scored(self, measure: str, held: HeldOut) -> bool:
        """Whether it is trained and `measure` is taken."""
        return self.finished and self._kept(measure, held).exists()

    def score(self, measure: str, held: HeldOut) -> dict[str, Any]:
        """What `measure` (one of MEASURES) says of it; trains and measures what is missing.

        Another process that works on it is waited for.
        """
        kept = self._kept(measure, held)
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            self._train()
            if not kept.exists():
                model = muscall.load(self.folder / BEST, device=_device(self.config.train.device))
                _write(kept, MEASURES[measure](model, held, self.folder))
        return self.scores(measure, held)

    def scores(self, measure: str, held: HeldOut) -> dict[str, Any]:
        """What was measured, with what is known of the training."""
        told: dict[str, Any] = json.loads(self._kept(measure, held).read_text("utf-8"))
        return told | {"run": json.loads((self.folder / DONE).read_text("utf-8"))}

    def _kept(self, measure: str, held: HeldOut) -> Path:
        return self.folder / f"{measure}-{held.key(measure)}.json"

    def _train(self) -> None:
        if self.finished:
            return
        fresh = self.steps_done == 0
        began = time.monotonic()
        train(self.config)
        # Of an interrupted run it is not known how long it took.
        seconds = time.monotonic() - began if fresh else None
        for name in (STATE, LAST):  # three times the size of what is kept
            shutil.rmtree(self.folder / name, ignore_errors=True)
        _write(
            self.folder / DONE,
            {
                "name": self.name,
                **provenance(),
                "sound_seconds": self.seconds_of_sound,
                "seconds": seconds,
            },
        )


def _device(name: str) -> torch.device | None:
    return None if name == "auto" else torch.device(name)


def _write(path: Path, values: Mapping[str, Any]) -> None:
    with written_aside(path.parent) as aside:
        (aside / path.name).write_text(json.dumps(values, indent=1) + "\n", "utf-8")
