"""A model among those that a study compares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from muscall.reproduce.corpus import Corpus
from muscall.reproduce.runs import Run
from muscall.reproduce.sizes import Size
from muscall.training import Config


@dataclass(frozen=True)
class Variant:
    """A configuration (a file of `configs/`) with changed settings, trained on a share of the rows.

    `batch` pairs are contrasted; None for as many as the size says. `baseline` has the baseline's
    encoders, which take a file of word vectors. In a figure with an axis it stands `at` a place of
    a `series`.
    """

    name: str
    settings: tuple[str, ...] = ()
    config: str = "base"
    share: float = 1.0
    batch: int | None = None
    baseline: bool = False
    series: str = ""
    at: float = 0.0

    def run(
        self,
        seed: int,
        size: Size,
        corpus: Corpus,
        *,
        configs: Path,
        runs: Path,
        vectors: Path | None = None,
        machine: tuple[str, ...] = (),
    ) -> Run:
        """Its training with this seed; `machine` are settings that change nothing in the result.

        Raises:
            ConfigError: a configuration that is not there or does not fit.
        """
        changes = size.overrides(len(corpus.part("train", self.share)), self.batch)
        if not self.baseline:
            changes += size.encoders
        elif vectors is not None:
            changes.append(f"model.text.vectors={vectors}")
        changes += self.settings
        for split, share in (("train", self.share), ("val", 1.0)):
            changes.append(f"data.{split}={corpus.manifest(split, share)}")
        changes += [f"train.seed={seed}", *machine]
        return Run.of(self.name, Config.read(configs / f"{self.config}.yaml", changes), runs)
