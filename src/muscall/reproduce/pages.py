"""Pages of results in Markdown: ours beside the paper's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muscall.evaluation.metrics import chance_metrics
from muscall.evaluation.score import Score, Scores, markdown, mean
from muscall.reproduce import figures
from muscall.reproduce.figures import Line, Panel
from muscall.reproduce.fitting import power_law
from muscall.reproduce.paper import A2T, NAMES, T2A
from muscall.reproduce.results import StudyResults

R10 = f"{T2A} R@10"
WAYS = {T2A: "text to audio", A2T: "audio to text"}
LITTLE = 5.0
"""Points of R@10 within which two variants are called equal."""
_FORMS = {"MedR": ".0f", "MedR, paper": "g"}


@dataclass(frozen=True)
class Claim:
    """What the paper claims of two variants: `better` has the higher R@10, or they are `equal`."""

    text: str
    better: str
    worse: str
    equal: bool = False

    def verdict(self, difference: Score) -> str:
        """Whether the interval of our difference agrees with the claim."""
        low, high = difference.low, difference.high
        if low is None or high is None:
            return "not decided"
        if self.equal:
            if low >= -LITTLE and high <= LITTLE:
                return "agrees"
            return "disagrees" if low > LITTLE or high < -LITTLE else "not decided"
        if low <= 0 <= high:
            return "not decided"
        return "agrees" if low > 0 else "disagrees"


Page = Callable[[StudyResults, Path, Sequence[Claim]], str]
"""Writes a page: results, the page's path without suffix, the paper's claims -> Markdown.

Figures and other files of the page are written beside it.
"""


def retrieval(results: StudyResults, stem: Path, claims: Sequence[Claim]) -> str:
    """Tables of both directions and of the claims, and a figure of R@10."""
    rows = results.rows()
    theirs = {name: numbers[R10] for name, numbers in results.numbers.items() if R10 in numbers}
    figures.dots({name: row[R10] for name, row in rows.items()}, theirs, R10, _picture(stem))
    return _joined(*_ways(results, rows), _claims(results, claims), _shown(stem))


def depths_and_lengths(results: StudyResults, stem: Path, claims: Sequence[Claim]) -> str:
    """R@10 against the depth of the text encoder, and against the clip length for each pooling."""
    depth, *lengths = _lines(results)
    panels = [Panel("layers of the text encoder", [depth]), Panel("seconds of audio", lengths)]
    figures.lines(panels, R10, _picture(stem))
    return _joined(*_ways(results, results.rows()), _claims(results, claims), _shown(stem))


def batches(results: StudyResults, stem: Path, claims: Sequence[Claim]) -> str:
    """R@10 against the batch size."""
    panel = Panel("pairs in a batch", _lines(results), log=True)
    figures.lines([panel], R10, _picture(stem))
    return _joined(*_ways(results, results.rows()), _claims(results, claims), _shown(stem))


def scaling(results: StudyResults, stem: Path, claims: Sequence[Claim]) -> str:
    """R@10 against the number of training pairs, with a fitted power law."""
    counts = [len(results.corpus.part("train", variant.share)) for variant in results.variants]
    rows = results.rows()
    values = [rows[variant.name][R10] for variant in results.variants]
    each = [
        (count, scores["values"][R10][0])
        for count, variant in zip(counts, results.variants, strict=True)
        for scores in results.scores[variant.name]
    ]
    law = power_law(*zip(*each, strict=True))
    chance = chance_metrics(results.items)["R@10"]
    panel = Panel("pairs to train on", [Line("base", counts, values)], log=True)
    figures.lines([panel], R10, _picture(stem), law=law, chance=chance)
    fit = "Too few points above zero for a fit."
    if law is not None:
        fit = (
            f"R@10 = {law.factor:.3g} · pairs^{law.exponent:.3f}, the exponent's 95 % interval "
            f"{law.low:.3f} to {law.high:.3f}: least squares between the logarithms, a point for "
            "each training. A rule for the range that was measured."
        )
    named = {
        f"{count:,} pairs": rows[v.name] for count, v in zip(counts, results.variants, strict=True)
    }
    return _joined(*_ways(results, named), fit, _claims(results, claims), _shown(stem))


def joint_space(results: StudyResults, stem: Path, claims: Sequence[Claim]) -> str:
    """Densities of the similarities, and a t-SNE of both modalities."""
    (variant,) = results.variants
    audio, text = results.embeddings(variant.name)
    similarity = text @ audio.T
    aligned = np.diagonal(similarity)
    random = similarity[~np.eye(len(similarity), dtype=bool)]
    figures.joint_space(aligned, random, audio, text, _picture(stem))
    spread = float(np.sqrt((aligned.var() + random.var()) / 2))
    # Measured in the space itself, as t-SNE may mix clouds that are apart.
    apart = float(np.linalg.norm(audio.mean(axis=0) - text.mean(axis=0)))
    table = {
        name: {"mean": Score(float(part.mean())), "standard deviation": Score(float(part.std()))}
        for name, part in (("aligned pairs", aligned), ("random pairs", random))
    }
    summary = (
        f"The means are {(aligned.mean() - random.mean()) / max(spread, 1e-9):.2f} standard "
        f"deviations apart; the centres of audio and text are {apart:.3f} apart in the joint "
        "space, in which every embedding has length 1. The paper shows both without numbers: "
        "aligned pairs distinctly higher, and no separation between the modalities."
    )
    forms = {"mean": ".3f", "standard deviation": ".3f"}
    return _joined(markdown(table, forms), summary, _claims(results, claims), _shown(stem))


def labels(results: StudyResults, stem: Path, claims: Sequence[Claim]) -> str:
    """A table of label scores, with a row for each variant and prompt."""
    table: dict[str, dict[str, Score]] = {}
    for variant in results.variants:
        for column, value in results.row(variant.name).items():
            way, _, name = column.partition(": ")
            table.setdefault(f"{variant.name}, {way}", {})[name] = value
    chance = next(iter(results.scores.values()))[0]["chance"]
    measure = next(iter(chance))
    ours = {name: row[measure] for name, row in table.items()}
    theirs = {name: row[measure] for name, row in results.numbers.items() if measure in row}
    figures.dots(ours, theirs, measure, _picture(stem))
    for name, numbers in results.numbers.items():
        theirs_too = {f"{column}, paper": Score(value) for column, value in numbers.items()}
        table.setdefault(name, {}).update(theirs_too)
    table["by chance"] = {name: Score(value) for name, value in chance.items()}
    return _joined(markdown(table), _claims(results, claims), _shown(stem))


def _ways(results: StudyResults, rows: dict[str, Scores]) -> list[str]:
    return [_way(results, rows, way) for way in WAYS]


def _way(results: StudyResults, rows: dict[str, Scores], way: str) -> str:
    table: dict[str, dict[str, Score]] = {}
    for name, row in rows.items():
        table[name] = {}
        theirs = results.numbers.get(name, {})
        for measure in NAMES:
            table[name][measure] = row[f"{way} {measure}"]
            if f"{way} {measure}" in theirs:
                table[name][f"{measure}, paper"] = Score(theirs[f"{way} {measure}"])
    by_chance = chance_metrics(results.items)
    table["by chance"] = {name: Score(value) for name, value in by_chance.items()}
    return f"**{WAYS[way]}**, {results.items:,} pairs\n\n{markdown(table, _FORMS)}"


def _claims(results: StudyResults, claims: Sequence[Claim]) -> str:
    if not claims:
        return ""
    lines = ["| what the paper says | its R@10 | our R@10 | |", "|---|---:|---:|---|"]
    for claim in claims:
        hits = results.hits(claim.better, T2A) - results.hits(claim.worse, T2A)
        ours = mean(100 * hits)
        theirs = results.numbers[claim.better][R10] - results.numbers[claim.worse][R10]
        interval = f"{ours.value:+.1f} ({ours.low:+.1f} to {ours.high:+.1f})"
        lines.append(f"| {claim.text} | {theirs:+.1f} | {interval} | {claim.verdict(ours)} |")
    note = (
        "Differences in text-to-audio R@10, ours with the 95 % interval over queries. A claim is "
        "not decided where the interval allows both answers."
    )
    return "\n".join(lines) + f"\n\n{note}"


def _lines(results: StudyResults) -> list[Line]:
    """One line for each series of variants."""
    rows = results.rows()
    series: dict[str, list[tuple[float, Score]]] = {}
    for variant in results.variants:
        series.setdefault(variant.series, []).append((variant.at, rows[variant.name][R10]))
    return [Line(name, *map(list, zip(*points, strict=True))) for name, points in series.items()]


def _picture(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.svg")


def _shown(stem: Path) -> str:
    return f"![{stem.name}]({_picture(stem).name})"


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
