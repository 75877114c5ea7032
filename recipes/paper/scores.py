"""Means over seeds and differences over queries, of the lines that `train` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

ROUNDS = 2000  # of the bootstrap

Runs = Mapping[str, Sequence[Mapping[str, Any]]]
"""By variant, its trainings, one for each seed."""


def read(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The trainings of a `results.jsonl`, those of a variant by their seed."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in path.read_text("utf-8").splitlines():
        told = json.loads(line)
        found.setdefault(told["name"], []).append(told)
    return {name: sorted(own, key=lambda run: run["seed"]) for name, own in found.items()}


def spread(values: Sequence[float]) -> float:
    """Half the width of Student's 95 % interval of the mean; NaN for one value."""
    if len(values) < 2:
        return float("nan")
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return float(student.ppf(0.975, len(values) - 1) * error)


def hits(run: Mapping[str, Any], way: str = "T2A", k: int = 10) -> np.ndarray:
    """(queries,) 100 where the right item is among the first k, else 0."""
    return 100.0 * (np.array(run["ranks"][way]) <= k)


def over_queries(values: np.ndarray) -> tuple[float, float]:
    """The 95 % bootstrap interval of a mean over queries."""
    drawn = np.random.default_rng(0).integers(len(values), size=(ROUNDS, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def paired(runs: Runs, better: str, worse: str) -> dict[int, np.ndarray]:
    """By seed, (queries,) the difference in R@10, text to audio, of one variant over another."""
    others = {run["seed"]: hits(run) for run in runs[worse]}
    return {
        run["seed"]: hits(run) - others[run["seed"]]
        for run in runs[better]
        if run["seed"] in others
    }


def summary(pairs: Mapping[int, np.ndarray]) -> dict[str, float]:
    """The mean of differences, its interval over queries, and half of that over seeds."""
    each = [float(pair.mean()) for pair in pairs.values()]
    low, high = over_queries(np.mean(list(pairs.values()), axis=0))
    return {"mean": float(np.mean(each)), "low": low, "high": high, "spread": spread(each)}
