"""Figures of results, as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muscall.evaluation.score import Score
from muscall.reproduce.fitting import PowerLaw

OURS, THEIRS, FAINT = "#cf3d22", "#33658a", "0.6"
_POINTS = 1000  # of each modality: more of them hide each other
_PAIRS = 100_000


@dataclass(frozen=True)
class Line:
    """A series of scores."""

    name: str
    at: Sequence[float]
    scores: Sequence[Score]


@dataclass(frozen=True)
class Panel:
    """Series that share one axis."""

    label: str
    lines: Sequence[Line]
    log: bool = False


def dots(ours: Mapping[str, Score], theirs: Mapping[str, float], label: str, path: Path) -> None:
    """A row for each variant: our score with its interval, and in a second panel the paper's."""
    panels = 2 if theirs else 1
    names = list(ours)
    with _figure(path, panels, height=1.2 + 0.35 * len(names)) as (left, *right):
        places = np.arange(len(names))[::-1]
        _bars(left, list(ours.values()), places, OURS, "ours", sideways=True)
        left.set(yticks=places, yticklabels=names, xlabel=label, title="ours")
        left.set_xlim(0, _end(v.high or v.value for v in ours.values()))
        for axes in right:
            known = [
                (theirs[n], place) for n, place in zip(names, places, strict=True) if n in theirs
            ]
            axes.plot(*zip(*known, strict=True), "o", color=THEIRS)
            axes.set(yticks=places, yticklabels=[], xlabel=label, title="the paper's data")
            axes.set(xlim=(0, _end(theirs.values())), ylim=left.get_ylim())


def lines(
    panels: Sequence[Panel],
    label: str,
    path: Path,
    *,
    law: PowerLaw | None = None,
    chance: float | None = None,
) -> None:
    """Series with their intervals. With a power law, the axes are logarithmic."""
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    with _figure(path, len(panels)) as all_axes:
        for panel, axes in zip(panels, all_axes, strict=True):
            for line, colour in zip(panel.lines, (OURS, THEIRS, FAINT), strict=False):
                _bars(axes, line.scores, line.at, colour, line.name)
                axes.plot(line.at, [score.value for score in line.scores], color=colour)
            ticks = sorted({at for line in panel.lines for at in line.at})
            if panel.log:
                axes.set_xscale("log")
            axes.set_xticks(ticks, [f"{at:g}" for at in ticks])
            axes.set(xlabel=panel.label, ylabel=label)
            if law is not None:
                axes.plot(ticks, law(ticks), "--", color=THEIRS, label=f"∝ x^{law.exponent:.2f}")
                axes.set_yscale("log")
                axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            else:
                axes.set_ylim(0, None)
            axes.minorticks_off()
            if chance is not None:
                axes.axhline(chance, color=FAINT, linewidth=1, label="by chance")
            if len(panel.lines) > 1 or law is not None:
                axes.legend()


def joint_space(
    aligned: np.ndarray, random: np.ndarray, audio: np.ndarray, text: np.ndarray, path: Path
) -> None:
    """Densities of the similarities of pairs, (n,), and a t-SNE of the embeddings, (n, dim)."""
    from scipy.stats import gaussian_kde
    from sklearn.manifold import TSNE

    generator = np.random.default_rng(0)
    random = generator.permutation(random)[:_PAIRS]
    chosen = generator.permutation(len(audio))[:_POINTS]
    points = np.concatenate([audio[chosen], text[chosen]])
    placed = TSNE(
        perplexity=min(30.0, (len(points) - 1) / 3), metric="cosine", init="pca", random_state=0
    ).fit_transform(points)
    ends = min(aligned.min(), random.min()), max(aligned.max(), random.max())
    margin = 0.1 * (ends[1] - ends[0])
    at = np.linspace(ends[0] - margin, ends[1] + margin, 400)
    with _figure(path, 2) as (left, right):
        for name, values, colour in (("aligned", aligned, OURS), ("random", random, THEIRS)):
            density = gaussian_kde(values)(at)
            left.plot(at, density, color=colour, label=f"{name} pairs")
            left.fill_between(at, density, alpha=0.2, color=colour, linewidth=0)
        left.set(xlabel="cosine similarity", ylabel="density", ylim=(0, None))
        left.legend()
        parts = np.split(placed, 2)
        for name, part, colour in zip(("audio", "text"), parts, (OURS, THEIRS), strict=True):
            right.scatter(*part.T, s=4, color=colour, label=name, linewidth=0)
        right.set(xticks=[], yticks=[], title="t-SNE")
        right.legend(markerscale=4)


def _end(values: Iterable[float]) -> float:
    """The end of an axis on which the largest value is seen whole; never zero."""
    return 1.08 * max(1.0, *values)


def _bars(
    axes: Any,
    scores: Sequence[Score],
    at: Sequence[float] | np.ndarray,
    colour: str,
    name: str,
    *,
    sideways: bool = False,
) -> None:
    middle = np.array([score.value for score in scores])
    # Rounding can put an end on the wrong side of the value, which matplotlib refuses.
    below = [max(0.0, s.value - s.low) if s.low is not None else 0.0 for s in scores]
    above = [max(0.0, s.high - s.value) if s.high is not None else 0.0 for s in scores]
    style = {"fmt": "o", "color": colour, "label": name, "capsize": 2}
    if sideways:
        axes.errorbar(middle, at, xerr=[below, above], **style)
    else:
        axes.errorbar(at, middle, yerr=[below, above], **style)


@contextmanager
def _figure(path: Path, panels: int, height: float = 3.6) -> Iterator[list[Any]]:
    """The axes to draw on; written to `path` afterwards."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    with matplotlib.rc_context(
        {
            # Text stays text, and the same numbers give the same file.
            "svg.fonttype": "none",
            "svg.hashsalt": "muscall",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
        }
    ):
        figure, axes = plt.subplots(
            1, panels, figsize=(4.6 * panels, height), squeeze=False, layout="constrained"
        )
        try:
            yield list(axes[0])
            figure.savefig(path, metadata={"Date": None})
        finally:
            plt.close(figure)
