"""Build a music-language corpus: plan it, render what is missing, write its manifests."""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import yaml

from muscall.processes import end_with_parent
from recipes.corpus.manifests import audio_path, facts_path, write_manifests
from recipes.corpus.packages import PackageError, ReservedError
from recipes.corpus.plan import Plan, PlanError, read_plan
from recipes.corpus.rows import Clip, ClipError, Part
from recipes.corpus.sound import fonts, realism, store
from recipes.corpus.splits import split_groups

_HERE = Path(__file__).parent
CACHE = _HERE.parents[1] / "corpora" / "cache"
_RENEWED = 200  # clips that one process renders
_FADE, _EDGE = 0.8, 0.02  # seconds at the end of a rendering, and of a piece of a recording


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _module(part: str) -> str:
    """A part of this folder, or a module of that name from elsewhere."""
    return f"recipes.corpus.{part}" if (_HERE / part).is_dir() else part


def load_parts(plan: Plan) -> dict[str, Part]:
    """The plan's parts, with its options; one whose libraries are missing is left out."""
    parts: dict[str, Part] = {}
    for name, wanted in plan.parts.items():
        try:
            part: Part = importlib.import_module(_module(name)).PART
        except (ImportError, AttributeError) as error:
            _say(f"part {name} left out: {error}")
            continue
        try:
            parts[name] = replace(part, **wanted.options) if wanted.options else part
        except TypeError as error:
            raise PlanError(f"part {name}: {error}") from error
    return parts


def plan_clips(plan: Plan, parts: dict[str, Part], cache: Path) -> list[Clip]:
    """Every clip: what is held out first, so that an early stop leaves all that models are measured
    on, and the parts interleaved, so that it leaves some of each.
    """
    placed: list[tuple[float, Clip]] = []
    for name in list(parts):
        try:
            clips = parts[name].plan(plan.parts[name].clips, plan.seed, cache)
        except PackageError as error:
            _say(f"part {name} left out: {error}")
            del parts[name]
            continue
        placed += [(n / len(clips), clip) for n, clip in enumerate(clips)]
    splits = split_groups([clip for _, clip in placed], plan.splits)
    placed.sort(key=lambda entry: (splits[entry[1].group] == "train", entry[0], entry[1].id))
    clips = [clip for _, clip in placed]
    if twice := [name for name, n in Counter(clip.id for clip in clips).items() if n > 1]:
        raise PlanError(f"{len(twice)} ids are not unique, {twice[0]} among them")
    return clips


class _Worker:
    """Renders clips in a process of its own."""

    def __init__(self, plan: Plan, parts: dict[str, Part], out: Path) -> None:
        self.plan, self.parts, self.out = plan, parts, out

    def __call__(self, clip: Clip) -> str | None:
        """Render one clip: its audio first, then the facts that mark it as done."""
        try:
            self._render(clip)
        except ClipError as error:
            return f"{clip.id} skipped: {error}"
        except ReservedError:
            raise
        # A file that a library chokes on costs one clip, not the night.
        except Exception as error:
            return f"{clip.id} failed: {type(error).__name__}: {' '.join(str(error).split())}"
        return None

    def _render(self, clip: Clip) -> None:
        part = self.parts[clip.part]
        take = part.render(clip)
        sound = store.trim(store.mono(take.samples, take.rate))
        chain: list[str] = []
        seed = f"{clip.seed}|{clip.id}"
        if part.synthetic:
            sound, chain = realism.apply(sound, store.RATE, seed, self.plan.effects)
        peak = random.Random(f"{seed}|level").uniform(-11.0, -2.5)
        sound = store.level(sound, peak, _FADE if part.synthetic else _EDGE)
        heard = store.write_checked(sound, audio_path(self.out, clip))
        stored = {"id": clip.id, "facts": take.facts, "effects": chain, **heard}
        place = facts_path(self.out, clip)
        aside = place.with_suffix(".part")
        aside.write_text(json.dumps(stored))
        aside.rename(place)


_worker: _Worker  # set in the parent; workers inherit it by fork


def _attempt(clip: Clip) -> str | None:
    return _worker(clip)


def _start_worker() -> None:
    end_with_parent()
    # Ctrl-C reaches the whole group; the parent alone acts on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def render_missing(worker: _Worker, clips: Sequence[Clip], jobs: int) -> int:
    """Render what is still missing; returns how many clips had to be skipped."""
    global _worker
    _worker = worker
    todo = [clip for clip in clips if not facts_path(worker.out, clip).exists()]
    _say(f"{len(clips)} clips planned, {len(clips) - len(todo)} there already")
    began, done, skipped = time.monotonic(), 0, 0
    # Processes are renewed now and then: libraries of decoders and scores keep what they took.
    for first in range(0, len(todo), jobs * _RENEWED):
        for error in _attempts(todo[first : first + jobs * _RENEWED], jobs):
            done += 1
            if error:
                skipped += 1
                _say(error)
            if done % 100 == 0 or done == len(todo):
                spent = time.monotonic() - began
                left = spent / done * (len(todo) - done)
                _say(f"{done}/{len(todo)} clips, {spent / 60:.1f} min, {left / 60:.1f} min left")
    return skipped


def _attempts(clips: Sequence[Clip], jobs: int) -> Iterator[str | None]:
    """The error of each clip or None, as they come; that its process died is an error."""
    fork = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(jobs, fork, _start_worker)
    try:
        futures = {pool.submit(_attempt, clip): clip for clip in clips}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield f"{futures[future].id} skipped: a process died, run this again"
    finally:
        pool.shutdown(cancel_futures=True)


def settle(plan: Plan, out: Path) -> None:
    """Make the corpus's folders, and check that what is in them was rendered by this plan.

    Raises:
        PlanError: the folder holds another plan's corpus.
    """
    for folder in ("audio", "facts"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    place, wanted = out / "plan.yaml", plan.sound()
    if place.exists():
        before = yaml.safe_load(place.read_text())
        # Parts may come and go: their clips do not touch one another's.
        shared = before["parts"].keys() & wanted["parts"].keys()
        for name, value in wanted.items():
            then, now = before[name], value
            if name == "parts":
                then, now = ({p: d[p] for p in shared} for d in (before["parts"], value))
            if then != now:
                raise PlanError(f"{out}: built with {name} {then}, not {now}; take another folder")
        wanted["parts"] = before["parts"] | wanted["parts"]
    place.write_text(yaml.safe_dump(wanted, sort_keys=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the corpus")
    parser.add_argument("--plan", type=Path, default=_HERE / "plans" / "open.yaml")
    parser.add_argument("--without", nargs="+", default=[], metavar="NAME",
                        help="parts, effects or SoundFonts of the plan to leave out")  # fmt: skip
    parser.add_argument("--clips", type=int, help="about this many clips in all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of fetched packages")
    parser.add_argument("--captions-only", action="store_true", help="only rewrite the manifests")
    options = parser.parse_args()

    # A clip has one core. To be set before a part loads torch, which reads it then.
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        plan = read_plan(options.plan).without(options.without)
        plan = plan.scaled(options.clips) if options.clips else plan
        settle(plan, options.out)
        fonts.settings = fonts.Settings(
            plan.soundfonts, options.cache, plan.human, plan.doubled, plan.reverb
        )
        parts = load_parts(plan)
        clips = plan_clips(plan, parts, options.cache)
        if not options.captions_only:
            if any(part.synthetic for part in parts.values()):
                for name in plan.soundfonts:
                    fonts.package(fonts.SOUNDFONTS[name])
            skipped = render_missing(_Worker(plan, parts, options.out), clips, options.jobs)
            _say(f"{skipped} clips skipped")
    except (PlanError, PackageError, ReservedError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on from here")
    counts = write_manifests(clips, parts, plan.splits, options.out)
    _say(", ".join(f"{split}: {count} rows" for split, count in counts.items()))


if __name__ == "__main__":
    main()
