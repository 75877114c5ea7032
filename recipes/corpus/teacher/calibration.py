"""Which concepts hold for a recording, from tag probabilities and measurements.

    python -m recipes.corpus.teacher.calibration CORPUS/facts

writes calibration.json from what is stored in the facts of a corpus's recordings. The raw
probabilities cannot be compared: the teacher gives `guitar` 0.3 lightly and `harp` hardly ever. So
a concept is stated where it stands out among the recordings and is likely besides, or is likely
beyond doubt; and what contradicts something as likely is not stated at all.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from recipes.corpus.teacher.concepts import CONCEPTS, CONTRADICTIONS

CALIBRATION = Path(__file__).parent / "calibration.json"
_STANDS_OUT = 0.75  # of the recordings score less
_LEVELS = np.linspace(0, 1, 21)


def stated(measures: Mapping[str, float]) -> list[str]:
    """The concepts that hold, those that stand out most first."""
    ranks = {}
    for name, concept in CONCEPTS.items():
        score = concept.score(measures)
        rank = float(np.interp(score, calibration()[name], _LEVELS))
        if score >= concept.sure or (score >= concept.floor and rank >= _STANDS_OUT):
            ranks[name] = rank
    unsure: set[str] = set()
    for some, others in CONTRADICTIONS:
        if some & ranks.keys() and others & ranks.keys():
            unsure |= some | others
    sure = ranks.keys() - unsure
    needless = {wider for name in sure for wider in CONCEPTS[name].within}
    return sorted(sure - needless, key=lambda name: (-ranks[name], name))


@cache
def calibration() -> dict[str, list[float]]:
    """Of each concept, the quantiles of its score in steps of 5 % over the recordings."""
    quantiles: dict[str, list[float]] = json.loads(CALIBRATION.read_text())["quantiles"]
    return quantiles


def calibrate(rows: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """The quantiles of each concept's score, from the tags and measurements of many clips."""
    return {
        name: np.quantile([concept.score(row) for row in rows], _LEVELS).round(4).tolist()
        for name, concept in CONCEPTS.items()
    }


def main() -> None:
    """Calibrate on the tagged clips of a corpus."""
    stored = [json.loads(path.read_text())["facts"] for path in Path(sys.argv[1]).glob("*.json")]
    rows = [facts["tags"] | facts["measured"] for facts in stored if "tags" in facts]
    if not rows:
        sys.exit(f"{sys.argv[1]}: no facts with tags")
    lines = ",\n".join(f'  "{name}": {value}' for name, value in calibrate(rows).items())
    CALIBRATION.write_text(f'{{"clips": {len(rows)}, "quantiles": {{\n{lines}\n}}}}\n')


if __name__ == "__main__":
    main()
