"""Render a first open music-language corpus from the grooves of Debian's `mma`."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from pathlib import Path

from grooves import discover, families
from manifests import write_manifests
from plan import jobs
from render import ClipError, Job, render


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _attempt(job: Job) -> str | None:
    try:
        render(job)
    except ClipError as error:
        return f"{job.groove.key} variation {job.variation + 1} skipped: {error}"
    return None


def _render_all(rows: list[Job], workers: int) -> int:
    """Render what is still missing; returns how many clips had to be skipped."""
    todo = [row for row in rows if not row.facts.exists()]
    _say(f"{len(rows)} clips planned, {len(rows) - len(todo)} there already")
    began, skipped = time.monotonic(), 0
    with multiprocessing.Pool(workers) as pool:
        for done, error in enumerate(pool.imap_unordered(_attempt, todo), start=1):
            if error:
                skipped += 1
                _say(error)
            if done % 50 == 0 or done == len(todo):
                spent = time.monotonic() - began
                left = spent / done * (len(todo) - done)
                _say(f"{done}/{len(todo)} clips, {spent / 60:.1f} min, {left / 60:.1f} min left")
    return skipped


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the corpus")
    parser.add_argument("--clips", type=int, default=4200, help="how many clips to plan")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, default=1, help="seed of every choice")
    parser.add_argument("--captions-only", action="store_true", help="only rewrite the manifests")
    options = parser.parse_args()

    for folder in ("audio", "facts"):
        (options.out / folder).mkdir(parents=True, exist_ok=True)
    table = families()
    grooves = discover(table, options.out / "grooves.json", _say)
    rows = jobs(grooves, table, options.clips, options.seed, options.out)
    if not options.captions_only:
        skipped = _render_all(rows, options.jobs)
        _say(f"{skipped} clips skipped")
    counts = write_manifests(rows, options.out)
    _say(", ".join(f"{split}: {count} rows" for split, count in counts.items()))


if __name__ == "__main__":
    main()
