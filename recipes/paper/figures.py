"""Figure 3, and the losses of the loss weightings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

from recipes.paper import variants
from recipes.paper.scores import Runs, spread
from recipes.paper.variants import BASE, NORMALISED, PRINTED, PUBLISHED

DEPTHS = sorted((*variants.DEPTHS, 4))
LENGTHS = sorted((*variants.LENGTHS, variants.SECONDS))
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "muscall"}


def figure(runs: Runs, path: Path) -> None:
    """Figure 3: R@10 over the depth of the text encoder, and over the length by pooling."""
    series = [("depth", "layers of the text encoder", DEPTHS, [("", variants.depth)])]
    by_pooling = [
        (f"{pooling} pooling", lambda at, p=pooling: variants.length(at, p))
        for pooling in ("attention", "average")
    ]
    series.append(("length", "seconds of audio", LENGTHS, by_pooling))
    with plt.rc_context(STYLE):
        made, axes = plt.subplots(1, 2, figsize=(9.2, 3.6), layout="constrained")
        for axis, (_, label, places, lines) in zip(axes, series, strict=True):
            for name, of in lines:
                there = [at for at in places if of(at) in runs]
                values = [[run["T2A"]["R@10"] for run in runs[of(at)]] for at in there]
                means = [float(np.mean(own)) for own in values]
                bars = [np.nan_to_num(spread(own)) for own in values]
                axis.errorbar(there, means, bars, marker="o", capsize=3, label=name)
            axis.set(xlabel=label, ylabel="R@10, text to audio", xlim=(0, None))
            axis.set_xticks(there, [f"{at:g}" for at in there])
            axis.spines[["top", "right"]].set_visible(False)
        axes[1].legend(frameon=False)
        made.savefig(path, metadata={"Date": None})
        plt.close(made)


def curves(runs: Runs, path: Path) -> None:
    """Loss over the first of each loss weighting, and the base, relative to its start."""
    with plt.rc_context(STYLE):
        made, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
        for name in (BASE, PUBLISHED, NORMALISED, PRINTED):
            if name in runs:
                losses = np.array(runs[name][0]["loss"], float)
                at = np.minimum(10 * np.arange(len(losses)), runs[name][0]["steps"] - 1)
                lone = (
                    np.isfinite(losses).sum() == 1
                )  # of what has diverged only the start is there
                axis.plot(at, losses / losses[0], "x" if lone else "-", label=name)
        axis.set(xlabel="step", ylabel="loss over its first value", ylim=(0, 1.6))
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False)
        made.savefig(path, metadata={"Date": None})
        plt.close(made)
