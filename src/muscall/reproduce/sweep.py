"""Studies from the first training to the page."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch

from muscall.errors import ConfigError, MuscallError
from muscall.processes import end_with_parent
from muscall.reproduce.corpus import Corpus
from muscall.reproduce.provenance import hardware
from muscall.reproduce.results import StudyResults
from muscall.reproduce.runs import DONE, Run
from muscall.reproduce.scores import HeldOut
from muscall.reproduce.sizes import Size
from muscall.reproduce.studies import STUDIES, Study
from muscall.reproduce.written import write
from muscall.several import several

LOG = "log.txt"
_LOOK = 2.0  # seconds between two looks at how far the trainings are

Progress = Callable[[str], AbstractContextManager[Callable[..., None] | None]]
"""What is done -> a bar that is fed by `(done, total, note="")`, or None where nobody watches."""

logger = logging.getLogger("muscall")


@dataclass(frozen=True)
class Options:
    """What a sweep is run on and with. Every study of it shares the trainings.

    Args:
        manifests: of each of SPLITS.
        labelled: further manifests with labels, by name, for what is measured with labels.
        configs: folder of the configurations.
        runs: where trainings are kept, and the unpacked sound.
        out: where pages are written to.
        vectors: word vectors of the baseline.
        jobs: trainings beside each other; None for as many as there are cores, on a GPU 1.
    """

    size: Size
    seeds: Sequence[int]
    manifests: Mapping[str, Path]
    labelled: Mapping[str, Path] = field(default_factory=dict)
    configs: Path = Path("configs")
    runs: Path = Path("runs/reproduce")
    out: Path = Path("docs/results")
    vectors: Path | None = None
    device: str = "auto"
    jobs: int | None = None


@dataclass(frozen=True)
class State:
    """How far a study is: trainings, those of them that are scored, and what is left to be heard
    in training, in seconds of sound; why it cannot be run, if so.
    """

    study: Study
    trainings: int = 0
    scored: int = 0
    sound_seconds: float = 0.0
    obstacle: str = ""


def chosen(names: str | Sequence[str]) -> list[Study]:
    """The studies of these names; "all" is every one.

    Raises:
        ConfigError: an unknown name.
    """
    names = several(names)
    for name in names:
        if name not in STUDIES and name != "all":
            raise ConfigError(f"there is no study {name!r}: {', '.join(STUDIES)}, or all")
    return [study for name, study in STUDIES.items() if name in names or "all" in names]


class Sweep:
    """Studies of one size, on one corpus."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.corpus = Corpus.read(options.manifests, options.size.rows, options.runs / "data")
        self.on_gpu = options.device != "cpu" and torch.cuda.is_available()
        self.jobs = options.jobs or (1 if self.on_gpu else os.cpu_count() or 1)

    @cached_property
    def held(self) -> HeldOut:
        """What models are measured on."""
        labelled = self.corpus.labelled() | dict(self.options.labelled)
        return HeldOut(self.corpus.manifest("test"), tuple(labelled.items()))

    def runs(self, study: Study) -> dict[str, list[Run]]:
        """The trainings of a study: by variant, one for each seed.

        Raises:
            ConfigError: a configuration that is not there or does not fit.
        """
        options = self.options
        machine = [f"train.device={options.device}"]
        # A loader's process beside each training is worth it on a GPU alone.
        machine.append(f"data.workers={min(16, os.cpu_count() or 1) if self.on_gpu else 0}")
        if self.jobs > 1:
            machine.append("train.threads=1")
        return {
            variant.name: [
                variant.run(
                    seed,
                    options.size,
                    self.corpus,
                    configs=options.configs,
                    runs=options.runs,
                    vectors=options.vectors,
                    machine=tuple(machine),
                )
                for seed in options.seeds
            ]
            for variant in study.variants(options.size)
        }

    def state(self, study: Study) -> State:
        """How far a study is."""
        try:
            self.held.check(study.measure)
            runs = _different(self.runs(study))
        except MuscallError as error:
            return State(study, obstacle=str(error))
        left = sum(run.seconds_of_sound * (1 - run.steps_done / max(1, run.steps)) for run in runs)
        scored = sum(run.scored(study.measure, self.held) for run in runs)
        return State(study, len(runs), scored, left)

    def pace(self) -> float | None:
        """Seconds of sound a second that trainings have heard on this hardware, all jobs
        together; None before the first is finished.
        """
        here, paces = hardware(), []
        for path in self.options.runs.glob(f"*/{DONE}"):
            told = json.loads(path.read_text("utf-8"))
            if told["seconds"] and told["hardware"] == here:
                paces.append(told["sound_seconds"] / told["seconds"])
        return self.jobs * sum(paces) / len(paces) if paces else None

    def reproduce(self, study: Study, progress: Progress) -> Path:
        """Train and score what is missing, and write the page.

        Trainings that other studies have done are not repeated. Stopped anywhere, it goes on there.

        Returns:
            The page.

        Raises:
            MuscallError: something that the study needs is missing or does not fit.
        """
        self.held.check(study.measure)
        groups = self.runs(study)
        shares = sorted({variant.share for variant in study.variants(self.options.size)})
        parts = [("train", share) for share in shares] + [("val", 1.0), ("test", 1.0)]
        if study.measure != "retrieval":
            parts += [("train", 1.0)]
        with progress("unpacking") as bar:
            self.corpus.unpack(parts, bar)
        self._score(study, _different(groups), progress)
        scores = {
            name: [run.scores(study.measure, self.held) for run in group]
            for name, group in groups.items()
        }
        variants = study.variants(self.options.size)
        results = StudyResults(variants, groups, scores, study.numbers, self.corpus, self.held)
        return write(study, results, self.options.size, self.options.seeds, self.options.out)

    def _score(self, study: Study, runs: Sequence[Run], progress: Progress) -> None:
        missing = [run for run in runs if not run.scored(study.measure, self.held)]
        if not missing:
            return
        if self.jobs == 1:
            for number, run in enumerate(missing, 1):
                logger.info("%s, %d of %d: %s", study.name, number, len(missing), run.name)
                run.score(study.measure, self.held)
            return
        with progress(study.name) as bar:
            self._beside_each_other(study, missing, bar)

    def _beside_each_other(
        self, study: Study, runs: Sequence[Run], bar: Callable[..., None] | None
    ) -> None:
        waiting = list(runs)
        working: dict[Future[None], Run] = {}
        steps = sum(run.steps for run in runs)
        # Not forked: the threads of a process do not survive it.
        context = multiprocessing.get_context("spawn")
        jobs = min(self.jobs, len(runs))
        with ProcessPoolExecutor(jobs, context, end_with_parent) as pool:
            while waiting or working:
                # No more at once than work at once: after Ctrl-C nothing new begins.
                while waiting and len(working) < self.jobs:
                    run = waiting.pop(0)
                    working[pool.submit(_scored, run, study.measure, self.held)] = run
                done, _ = wait(working, _LOOK, FIRST_COMPLETED)
                for future in done:
                    run = working.pop(future)
                    future.result()
                    logger.info("%s: %s", study.name, run.name)
                if bar is not None:
                    names = ", ".join(run.name for run in working.values())
                    bar(sum(run.steps_done for run in runs), steps, names)


def _different(groups: Mapping[str, Sequence[Run]]) -> list[Run]:
    """Each training once: the base model may be several of the variants."""
    return list({run.folder: run for group in groups.values() for run in group}.values())


def _scored(run: Run, measure: str, held: HeldOut) -> None:
    """Score a run in a process of its own, whose messages go to the run's folder."""
    run.folder.mkdir(parents=True, exist_ok=True)
    with (run.folder / LOG).open("a", encoding="utf-8") as log:
        sys.stdout = sys.stderr = log
        handler = logging.StreamHandler(log)
        logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
        torch.set_num_threads(1)
        try:
            run.score(measure, held)
        finally:
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
