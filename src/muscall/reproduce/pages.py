"""Pages of results in Markdown: ours beside the paper's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muscall.evaluation.metrics import chance_metrics
from muscall.evaluation.tables import Row, Value, markdown, mean
from muscall.reproduce import figures
from muscall.reproduce.figures import Line, Panel
from muscall.reproduce.fitting import power_law
from muscall.reproduce.found import Found
from muscall.reproduce.paper import A2T, NAMES, T2A

R10 = f"{T2A} R@10"
WAYS = {T2A: "text to audio", A2T: "audio to text"}
LITTLE = 5.0
"""Points of R@10 within which two variants are called equal."""
_FORMS = {"MedR": ".0f", "MedR, paper": "g"}


@dataclass(frozen=True)
class Claim:
    """What the paper says of two variants: which has the higher R@10, or that they are `equal`."""

    told: str
    better: str
    worse: str
    equal: bool = False

    def verdict(self, difference: Value) -> str:
        """Whether the interval of our difference bears it out."""
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


Page = Callable[[Found, Path, Sequence[Claim]], str]
"""What was found, the page's path without suffix, and what the paper claims -> Markdown.

Pictures, and whatever else belongs to the page, are written beside it.
"""


def retrieval(found: Found, stem: Path, claims: Sequence[Claim]) -> str:
    """Both directions, what the paper claims, and R@10 as a figure."""
    rows = found.rows()
    theirs = {name: numbers[R10] for name, numbers in found.numbers.items() if R10 in numbers}
    figures.dots({name: row[R10] for name, row in rows.items()}, theirs, R10, _picture(stem))
    return _joined(*_ways(found, rows), _claims(found, claims), _shown(stem))


def depths_and_lengths(found: Found, stem: Path, claims: Sequence[Claim]) -> str:
    """R@10 over the depth of the text encoder, and over the length of a clip by pooling."""
    depth, *lengths = _lines(found)
    panels = [Panel("layers of the text encoder", [depth]), Panel("seconds of audio", lengths)]
    figures.lines(panels, R10, _picture(stem))
    return _joined(*_ways(found, found.rows()), _claims(found, claims), _shown(stem))


def batches(found: Found, stem: Path, claims: Sequence[Claim]) -> str:
    """R@10 over the size of a batch."""
    panel = Panel("pairs in a batch", _lines(found), log=True)
    figures.lines([panel], R10, _picture(stem))
    return _joined(*_ways(found, found.rows()), _claims(found, claims), _shown(stem))


def scaling(found: Found, stem: Path, claims: Sequence[Claim]) -> str:
    """R@10 over the number of pairs that are trained on, with a power law."""
    counts = [len(found.corpus.part("train", variant.share)) for variant in found.variants]
    rows = found.rows()
    values = [rows[variant.name][R10] for variant in found.variants]
    each = [
        (count, scores["values"][R10][0])
        for count, variant in zip(counts, found.variants, strict=True)
        for scores in found.scores[variant.name]
    ]
    law = power_law(*zip(*each, strict=True))
    chance = chance_metrics(found.items)["R@10"]
    panel = Panel("pairs to train on", [Line("base", counts, values)], log=True)
    figures.lines([panel], R10, _picture(stem), law=law, chance=chance)
    told = "Too few points above zero for a fit."
    if law is not None:
        told = (
            f"R@10 = {law.factor:.3g} · pairs^{law.exponent:.3f}, the exponent's 95 % interval "
            f"{law.low:.3f} to {law.high:.3f}: least squares between the logarithms, a point for "
            "each training. A rule for the range that was measured."
        )
    named = {
        f"{count:,} pairs": rows[v.name] for count, v in zip(counts, found.variants, strict=True)
    }
    return _joined(*_ways(found, named), told, _claims(found, claims), _shown(stem))


def joint_space(found: Found, stem: Path, claims: Sequence[Claim]) -> str:
    """Densities of similarities, and t-SNE of both modalities."""
    (variant,) = found.variants
    audio, text = found.embeddings(variant.name)
    similarity = text @ audio.T
    aligned = np.diagonal(similarity)
    random = similarity[~np.eye(len(similarity), dtype=bool)]
    figures.joint_space(aligned, random, audio, text, _picture(stem))
    spread = float(np.sqrt((aligned.var() + random.var()) / 2))
    # The centres of both clouds in the space itself: t-SNE may mix what is apart.
    apart = float(np.linalg.norm(audio.mean(axis=0) - text.mean(axis=0)))
    table = {
        name: {"mean": Value(float(part.mean())), "standard deviation": Value(float(part.std()))}
        for name, part in (("aligned pairs", aligned), ("random pairs", random))
    }
    told = (
        f"The means are {(aligned.mean() - random.mean()) / max(spread, 1e-9):.2f} standard "
        f"deviations apart; the centres of audio and text are {apart:.3f} apart in the joint "
        "space, in which every embedding has length 1. The paper shows both without numbers: "
        "aligned pairs distinctly higher, and no separation between the modalities."
    )
    forms = {"mean": ".3f", "standard deviation": ".3f"}
    return _joined(markdown(table, forms), told, _claims(found, claims), _shown(stem))


def labels(found: Found, stem: Path, claims: Sequence[Claim]) -> str:
    """What is measured with labels: a row for each variant and way of asking."""
    table: dict[str, dict[str, Value]] = {}
    for variant in found.variants:
        for column, value in found.row(variant.name).items():
            way, _, name = column.partition(": ")
            table.setdefault(f"{variant.name}, {way}", {})[name] = value
    chance = next(iter(found.scores.values()))[0]["chance"]
    measure = next(iter(chance))
    ours = {name: row[measure] for name, row in table.items()}
    theirs = {name: row[measure] for name, row in found.numbers.items() if measure in row}
    figures.dots(ours, theirs, measure, _picture(stem))
    for name, numbers in found.numbers.items():
        theirs_too = {f"{column}, paper": Value(value) for column, value in numbers.items()}
        table.setdefault(name, {}).update(theirs_too)
    table["by chance"] = {name: Value(value) for name, value in chance.items()}
    return _joined(markdown(table), _claims(found, claims), _shown(stem))


def _ways(found: Found, rows: dict[str, Row]) -> list[str]:
    return [_way(found, rows, way) for way in WAYS]


def _way(found: Found, rows: dict[str, Row], way: str) -> str:
    table: dict[str, dict[str, Value]] = {}
    for name, row in rows.items():
        table[name] = {}
        theirs = found.numbers.get(name, {})
        for measure in NAMES:
            table[name][measure] = row[f"{way} {measure}"]
            if f"{way} {measure}" in theirs:
                table[name][f"{measure}, paper"] = Value(theirs[f"{way} {measure}"])
    by_chance = chance_metrics(found.items)
    table["by chance"] = {name: Value(value) for name, value in by_chance.items()}
    return f"**{WAYS[way]}**, {found.items:,} pairs\n\n{markdown(table, _FORMS)}"


def _claims(found: Found, claims: Sequence[Claim]) -> str:
    if not claims:
        return ""
    lines = ["| what the paper says | its R@10 | our R@10 | |", "|---|---:|---:|---|"]
    for claim in claims:
        hits = found.hits(claim.better, T2A) - found.hits(claim.worse, T2A)
        ours = mean(100 * hits)
        theirs = found.numbers[claim.better][R10] - found.numbers[claim.worse][R10]
        interval = f"{ours.value:+.1f} ({ours.low:+.1f} to {ours.high:+.1f})"
        lines.append(f"| {claim.told} | {theirs:+.1f} | {interval} | {claim.verdict(ours)} |")
    told = (
        "Differences in text-to-audio R@10, ours with the 95 % interval over queries. What the "
        "interval leaves open is not decided."
    )
    return "\n".join(lines) + f"\n\n{told}"


def _lines(found: Found) -> list[Line]:
    """A line for each series of the variants."""
    rows = found.rows()
    series: dict[str, list[tuple[float, Value]]] = {}
    for variant in found.variants:
        series.setdefault(variant.series, []).append((variant.at, rows[variant.name][R10]))
    return [Line(name, *map(list, zip(*points, strict=True))) for name, points in series.items()]


def _picture(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.svg")


def _shown(stem: Path) -> str:
    return f"![{stem.name}]({_picture(stem).name})"


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
