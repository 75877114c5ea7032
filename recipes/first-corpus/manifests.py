"""The manifests of a corpus, written from the facts stored beside its audio."""

from __future__ import annotations

import json
import random
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from captions import captions
from plan import split_families
from render import Job
from songs import row_random

SPLITS = ("train", "val", "test")
_WORDS_LICENCE = "GPL-2.0-or-later"


def package_version(package: str) -> str | None:
    """The installed version of a Debian package, or None where dpkg does not know it."""
    try:
        done = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def row(
    job: Job, stored: dict[str, Any], split: str, versions: dict[str, str | None]
) -> dict[str, Any]:
    """One manifest row."""
    groove, font = job.groove, stored["soundfont"]
    facts = {**stored["facts"], "style": list(job.family.words)}
    rng: random.Random = row_random(job.seed, groove.key, job.variation, "captions")
    texts, kinds = captions(facts, groove.description, groove.doc, rng)
    return {
        "id": job.id,
        "audio": f"audio/{job.id}.ogg",
        "caption": texts,
        "caption_kind": kinds,
        "split": split,
        "duration": stored["duration"],
        "facts": {**facts, "peak_dbfs": stored["peak_dbfs"], "rms_dbfs": stored["rms_dbfs"]},
        "source": {
            "package": "mma",
            "version": versions["mma"],
            "style_file": groove.style,
            "family": groove.family,
            "groove": groove.name,
            "author": groove.author,
            "soundfont": {"package": font["package"], "version": versions[font["package"]]},
            "progression": stored["song"]["progression"],
            "chords": stored["chords"],
            "variation": job.variation,
            "seed": job.seed,
        },
        "licence": {"words": _WORDS_LICENCE, "soundfont": font["licence"]},
        "words_from": f"GrooveDoc and Doc of mma's {groove.style}.mma; facts of the rendered MIDI",
    }


def write_manifests(jobs: list[Job], out: Path) -> dict[str, int]:
    """Write `manifest.jsonl` and one file per split; returns the rows of each split."""
    splits = split_families(Counter(job.groove.family for job in jobs))
    done = [job for job in jobs if job.facts.exists() and job.audio.exists()]
    stored = {job.id: json.loads(job.facts.read_text()) for job in done}
    packages = {"mma"} | {entry["soundfont"]["package"] for entry in stored.values()}
    versions = {package: package_version(package) for package in packages}
    lines: dict[str, list[str]] = {split: [] for split in SPLITS}
    for job in sorted(done, key=lambda job: job.id):
        split = splits[job.groove.family]
        lines[split].append(json.dumps(row(job, stored[job.id], split, versions)) + "\n")
    whole = [line for split in SPLITS for line in lines[split]]
    for name, content in [("manifest", whole), *lines.items()]:
        aside = out / f"{name}.part"
        aside.write_text("".join(content))
        aside.rename(out / f"{name}.jsonl")
    return {split: len(content) for split, content in lines.items()}
