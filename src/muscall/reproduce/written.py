"""Writing a study: its page, its figures, and the numbers behind them as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from muscall.models.checkpoint import written_aside
from muscall.reproduce.corpus import SPLITS
from muscall.reproduce.provenance import provenance
from muscall.reproduce.results import StudyResults
from muscall.reproduce.sizes import Size
from muscall.reproduce.studies import Study

_USE = {"train": "train on", "val": "validate on", "test": "search"}


def write(
    study: Study, results: StudyResults, size: Size, seeds: Sequence[int], folder: Path
) -> Path:
    """Write all of a study's results into a folder.

    Returns:
        The page.
    """
    stem = folder / f"{study.name}-{size.name}"
    folder.mkdir(parents=True, exist_ok=True)
    body = study.page(results, stem, study.claims)
    now = provenance()
    about = _about(study, results, size, seeds, written=now["date"])
    values = {
        "study": study.name,
        "size": size.name,
        "seeds": list(seeds),
        "data": {split: results.corpus.manifest(split).stem for split in SPLITS},
        **now,
        "rows": {
            name: {column: list(value) for column, value in row.items()}
            for name, row in results.rows().items()
        },
        "paper": study.numbers,
        "trainings": {
            name: [
                {"run": run.folder.name, "values": s["values"], "training": s["run"]}
                for run, s in zip(results.runs[name], results.scores[name], strict=True)
            ]
            for name in results.runs
        },
    }
    page = stem.with_name(f"{stem.name}.md")
    with written_aside(folder) as aside:
        text = json.dumps(values, indent=1, ensure_ascii=False)
        (aside / f"{stem.name}.json").write_text(text + "\n", "utf-8")
        text = f"# {study.title}\n\n{study.told}\n\n{body}\n\n{about}\n"
        (aside / page.name).write_text(text, "utf-8")
    return page


def _about(
    study: Study, results: StudyResults, size: Size, seeds: Sequence[int], *, written: str
) -> str:
    """The section about data, hardware and dates."""
    trained = [s["run"] for group in results.scores.values() for s in group]
    machines = sorted({run["hardware"] for run in trained})
    commits = sorted({run["commit"] for run in trained})
    days = sorted({run["date"] for run in trained})
    counts = ", ".join(f"{len(results.corpus.part(s)):,} to {_USE[s]}" for s in SPLITS)
    data = ", ".join(f"`{results.corpus.manifest(split).stem}`" for split in SPLITS)
    numbers = f"{study.name}-{size.name}.json"
    spread = "; ± is half the width of the one over trainings (Student)"
    return "\n".join(
        [
            "## What this is",
            "",
            f"`muscall reproduce {study.name} --size {size.name} --seeds "
            f"{','.join(map(str, seeds))}`: {size.length} of {size.batch} "
            f"pairs, clips of {size.seconds:g} s, where a row does not say otherwise. "
            "In brackets the 95 % interval over queries (bootstrap)"
            f"{spread if len(seeds) > 1 else ''}. The paper's numbers are on other "
            "data: 1,000 pairs of a licensed catalogue, after training on 200,000.",
            "",
            f"- data: {counts} ({data})",
            f"- hardware: {'; '.join(machines)}",
            f"- commit: {', '.join(commits)}",
            f"- trained: {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''}, written: {written}",
            f"- numbers: [{numbers}]({numbers})",
        ]
    )
