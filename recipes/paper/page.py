"""Write what the trainings came to: tables, Figure 3, and which of the paper's claims hold.

    python -m recipes.paper.page runs/paper docs/results --trained "2026-11-27, one H100"

Reads `results.jsonl` and what was kept for Table 2; writes `paper.md`, `paper.svg`,
`paper-curves.svg` and `paper.json`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from muscall.evaluation.zeroshot import TEMPLATES
from muscall.reproduce.paper import TABLE_1, TABLE_4
from recipes.paper import variants
from recipes.paper.figures import DEPTHS, LENGTHS, curves, figure
from recipes.paper.scores import Runs, paired, read, spread, summary
from recipes.paper.variants import AVERAGE, BARE, BASE, NORMALISED, PRINTED, PUBLISHED, SSL

WAYS = {"T2A": "text to audio", "A2T": "audio to text"}
PAPERS_WAY = {"T2A": "T→A", "A2T": "A→T"}
MEASURES = ("R@1", "R@5", "R@10", "mAP10", "MedR")
TABLE_4_ROWS = (BARE, "no random crop", AVERAGE, "no augmentation", BASE, PRINTED, NORMALISED,
                PUBLISHED)  # fmt: skip
ABOUT = Path(__file__).with_name("about.md")


def verdict(found: Mapping[str, float]) -> str:
    """Whether a difference is above zero for other queries and for other seeds."""
    if found["low"] <= 0 <= found["high"]:
        return "not decided"
    says = "holds" if found["mean"] > 0 else "does not hold"
    return says if abs(found["mean"]) > found["spread"] else f"{says} for these seeds"


def same(found: Mapping[str, float], within: float = 5.0) -> str:
    """Whether both intervals of a difference are within so many points of zero."""
    ends = (found["low"], found["high"],
            found["mean"] - found["spread"], found["mean"] + found["spread"])  # fmt: skip
    if max(map(abs, ends)) <= within:
        return "holds"
    return "does not hold" if found["high"] < -within or found["low"] > within else "not decided"


def told(found: Mapping[str, float]) -> str:
    """A difference with its intervals."""
    return (
        f"{found['mean']:+.1f} ({found['low']:+.1f} to {found['high']:+.1f}) ±{found['spread']:.1f}"
    )


def diverged(runs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the loss of a training is not a number any more."""
    return not all(np.isfinite(run["loss"]).all() for run in runs)


def cell(runs: Sequence[Mapping[str, Any]], way: str, measure: str) -> str:
    """The mean over trainings, ± half of Student's interval."""
    values = [run[way][measure] for run in runs]
    if measure == "MedR":
        return f"{np.mean(values):.0f}"
    text = f"{np.mean(values):.1f}"
    return text if len(values) < 2 else f"{text} ±{spread(values):.1f}"


def table(runs: Runs, names: Sequence[str], paper: Mapping[str, Mapping[str, float]]) -> str:
    """Both directions of some variants; the paper's R@10 beside ours."""
    parts = []
    for way, words in WAYS.items():
        theirs = {name: own.get(f"{PAPERS_WAY[way]} R@10") for name, own in paper.items()}
        shown = any(value is not None for value in theirs.values())
        lines = [f"| {words} | " + " | ".join(MEASURES) + (" | R@10, paper |" if shown else " |")]
        lines.append("|---|" + "---:|" * (len(MEASURES) + shown))
        for name in names:
            if name not in runs:
                continue
            cells = [cell(runs[name], way, measure) for measure in MEASURES]
            if diverged(runs[name]):
                cells = ["diverged"] * len(MEASURES)
            if shown:
                value = theirs.get(name)
                cells.append("" if value is None else f"{value:g}")
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def zero_shot(folder: Path, seed_of: Mapping[str, Sequence[int]]) -> dict[str, dict[str, Any]]:
    """By model and way of asking, ROC-AUC and PR-AUC of each fact's labels, one a training."""
    known = json.loads((folder / "rows.json").read_text("utf-8"))
    test = [row for row in known["rows"] if row["split"] == "test"]
    count = sum(map(len, known["labels"].values()))
    found: dict[str, dict[str, Any]] = {}
    for name, seeds in seed_of.items():
        for seed in seeds:
            with np.load(folder / f"kept-{name}-{seed}.npz") as kept:
                audio = kept["audio"].astype(np.float32)
                labels = kept["labels"].astype(np.float32).reshape(-1, count, audio.shape[1])
            for asked, templates in TEMPLATES.items():
                chosen = [TEMPLATES["ensemble"].index(one) for one in templates]
                scores = audio @ labels[chosen].mean(axis=0).T
                start = 0
                for fact, own in known["labels"].items():
                    columns = scores[:, start : start + len(own)]
                    start += len(own)
                    rows = [row[fact] for row in test]
                    has = np.array([[label in (row or ()) for label in own] for row in rows])
                    some = np.array([row is not None for row in rows])
                    for measure, score in (("ROC-AUC", roc_auc_score),
                                           ("PR-AUC", average_precision_score)):  # fmt: skip
                        value = 100 * score(has[some], columns[some], average="macro")
                        row = found.setdefault(f"{name}, {asked}", {})
                        row.setdefault(f"{fact} {measure}", []).append(float(value))
    return found


def claims(runs: Runs) -> list[tuple[str, str, str]]:
    """What the paper says, what ours says, and the verdict, of whatever has been trained."""
    stated = [
        ("MusCALL is above the DCASE baseline", BASE, "DCASE", verdict),
        ("and above it with the contrastive loss", BASE, "DCASE + CL", verdict),
        ("random crop helps", BASE, "no random crop", verdict),
        ("augmentation helps", BASE, "no augmentation", verdict),
        ("attention pooling helps, 5 s", BASE, AVERAGE, verdict),
        *(
            (f"attention pooling helps, {s:g} s", variants.length(s, "attention"),
             variants.length(s, "average"), verdict)
            for s in variants.LENGTHS
        ),
        ("longer clips help, 10 s over 5 s", variants.length(10, "attention"), BASE, verdict),
        ("four layers of text are better than two", BASE, variants.depth(2), verdict),
        ("eight layers are no better than four", variants.depth(8), BASE, same),
        ("loss weighting changes little, as published", PUBLISHED, BASE, same),
        ("loss weighting changes little, Eq. 3 with mean one", NORMALISED, BASE, same),
        ("loss weighting changes little, Eq. 3 as printed", PRINTED, BASE, same),
    ]  # fmt: skip
    found = []
    for words, better, worse, judge in stated:
        if better not in runs or worse not in runs:
            continue
        if diverged(runs[better]):
            found.append((words, "", "does not hold: it diverges"))
            continue
        apart = summary(paired(runs, better, worse))
        found.append((words, told(apart), judge(apart)))
    return found + gain_by_length(runs)


def gain_by_length(runs: Runs) -> list[tuple[str, str, str]]:
    """What attention pooling gains on the longest clips over what it gains on the shortest."""
    both = [
        seconds
        for seconds in LENGTHS
        if all(variants.length(seconds, pooling) in runs for pooling in ("attention", "average"))
    ]
    if len(both) < 2:
        return []
    long, short = (
        paired(runs, variants.length(s, "attention"), variants.length(s, "average"))
        for s in (both[-1], both[0])
    )
    apart = summary({seed: long[seed] - short[seed] for seed in long.keys() & short.keys()})
    words = f"attention pooling helps more with {both[-1]:g} s than with {both[0]:g} s"
    return [(words, told(apart), verdict(apart))]


def gain_by_ssl(asked: Mapping[str, Mapping[str, Sequence[float]]]) -> list[tuple[str, str, str]]:
    """What self-supervision gains in zero-shot ROC-AUC, over seeds."""
    found = []
    for way in TEMPLATES:
        base, ssl = asked.get(f"{BASE}, {way}"), asked.get(f"{SSL}, {way}")
        if base is None or ssl is None:
            continue
        for column in base:
            if not column.endswith("ROC-AUC") or len(base[column]) != len(ssl[column]):
                continue
            apart = np.subtract(ssl[column], base[column])
            sure = abs(apart.mean()) > spread(list(apart))
            says = ("holds" if apart.mean() > 0 else "does not hold") if sure else "not decided"
            words = f"self-supervision helps zero-shot, {column}, {way}"
            found.append((words, f"{apart.mean():+.1f} ±{spread(list(apart)):.1f}", says))
    return found


def small(run: Mapping[str, Any]) -> dict[str, Any]:
    """What of a training is kept with the page: no ranks, and the curves rounded."""
    kept = {name: value for name, value in run.items() if name != "ranks"}
    for name in ("loss", "gradient_norm"):
        kept[name] = [float(f"{x:.4g}") if np.isfinite(x) else None for x in run[name]]
    return kept


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Write the page of recipes.paper.")
    parser.add_argument("folder", type=Path, help="of recipes.paper.train")
    parser.add_argument("out", type=Path)
    parser.add_argument("--trained", required=True, help="when, and on what")
    options = parser.parse_args()
    runs = read(options.folder / "results.jsonl")
    asked = zero_shot(
        options.folder,
        {name: [run["seed"] for run in runs[name]] for name in (BASE, SSL) if name in runs},
    )
    figure(runs, options.out / "paper.svg")
    curves(runs, options.out / "paper-curves.svg")
    columns = list(next(iter(asked.values())))
    second = ["| | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, row in asked.items():
        cells = [f"{np.mean(row[c]):.1f} ±{spread(row[c]):.1f}" for c in columns]
        second.append(f"| {name} | " + " | ".join(cells) + " |")
    third = {f"{n} layer{'s' * (n > 1)}": variants.depth(n) for n in DEPTHS}
    third |= {
        f"{s:g} s, {p} pooling": variants.length(s, p)
        for p in ("attention", "average")
        for s in LENGTHS
    }
    shown = {row: runs[name] for row, name in third.items() if name in runs}
    stated = [
        "| what the paper says | ours: points of R@10, text to audio, where no other is named | |",
        "|---|---:|---|",
    ]
    judged = claims(runs) + gain_by_ssl(asked)
    stated += [f"| {words} | {ours} | {says} |" for words, ours, says in judged]
    first = runs[BASE][0]
    about = ABOUT.read_text("utf-8").format(
        steps=first["steps"], batch=first["batch"], rows=first["train_rows"],
        items=len(first["ranks"]["T2A"]), seeds=len(runs[BASE]), trained=options.trained,
    )  # fmt: skip
    parts = [
        about.rstrip(), "## What holds", "\n".join(stated),
        "## Table 1", table(runs, [job.name for job in variants.TABLE_1], TABLE_1),
        "## Table 2", "\n".join(second),
        "## Table 4", table(runs, TABLE_4_ROWS, TABLE_4 | {BASE: TABLE_4["base"]}),
        "The loss of Eq. 3 as printed is 1e34 at the first step and not a number ten steps later.",
        "![The losses of the weightings](paper-curves.svg)",
        "## Figure 3", "![Figure 3](paper.svg)", table(shown, list(shown), {}),
    ]  # fmt: skip
    (options.out / "paper.md").write_text("\n\n".join(parts) + "\n", "utf-8")
    kept = {name: [small(run) for run in own] for name, own in runs.items()}
    numbers = {"trainings": kept, "zero_shot": asked}
    (options.out / "paper.json").write_text(json.dumps(numbers, indent=None) + "\n", "utf-8")


if __name__ == "__main__":
    main()
