"""`muscall evaluate`"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from muscall.cli.common import (
    Json,
    Threads,
    exit_on_failures,
    load_model,
    print_json,
    progress_bar,
)

if TYPE_CHECKING:
    from muscall.evaluation.labelling import LabelResult

app = typer.Typer(help="Measure a model.", no_args_is_help=True)

Model = Annotated[str, typer.Argument(help="Checkpoint folder or hub name.")]
Labelled = Annotated[Path, typer.Argument(help="Audio with labels.")]
Split = Annotated[str | None, typer.Option(help="Only rows of this split.")]
Whole = Annotated[
    bool, typer.Option("--whole", help="Embed whole tracks instead of their central window.")
]


@app.command()
def retrieval(
    model: Model,
    manifest: Annotated[Path, typer.Argument(help="Pairs of audio and sentences.")],
    split: Split = None,
    captions: Annotated[
        Literal["first", "every"] | None,
        typer.Option(
            help="Which captions of a row ask for it. By default the first; every one where the "
            "manifest is of a set for which this is standard."
        ),
    ] = None,
    whole: Whole = False,
    as_json: Json = False,
    threads: Threads = None,
) -> None:
    """Score retrieval in both directions.

    Rows that share a caption are right for each other.
    """
    from muscall.data.manifest import read_manifest

    # An audio file that is not there is one failed row here, not a reason to measure nothing.
    rows = read_manifest(manifest, split=split, check_files=False)
    loaded = load_model(model, threads)
    from muscall.evaluation.retrieval import evaluate_retrieval

    with progress_bar("Listening") as progress:
        result = evaluate_retrieval(
            loaded,
            rows,
            captions=captions,
            windows="all" if whole else "centre",
            progress=progress,
        )
    if as_json:
        print_json(result.as_dict())
    else:
        names = list(result.text_to_audio)
        print(f"{result.items:7} items   " + "".join(f"{name:>8}" for name in names))
        print("text to audio   " + "".join(f"{result.text_to_audio[name]:8.1f}" for name in names))
        print("audio to text   " + "".join(f"{result.audio_to_text[name]:8.1f}" for name in names))
        if result.captions == "every":
            print(f"every caption asks: {len(result.text)}; any caption of a track is right for it")
        if result.shared:
            print(f"captions of several rows, which are right for each other: {result.shared}")
        sys.stdout.flush()
    exit_on_failures(result.failures)


@app.command()
def zeroshot(
    model: Model,
    manifest: Labelled,
    template: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT", help="In place of the paper's 'A {label} track'; as often as needed."
        ),
    ] = None,
    ensemble: Annotated[
        bool,
        typer.Option("--ensemble", help="Take the mean of these templates, not of the usual ones."),
    ] = False,
    split: Split = None,
    whole: Whole = False,
    as_json: Json = False,
    threads: Threads = None,
) -> None:
    """Score labels as sentences: plain, in a template, and as the mean of several templates.

    Accuracy where every row has one label, ROC-AUC and PR-AUC where rows have several or none;
    with 95 % intervals.
    """
    from muscall.data.manifest import in_split, read_manifest

    for text in template or ():
        if "{label}" not in text:
            raise typer.BadParameter(f"{text!r} has no {{label}} in it", param_hint="'--template'")
    if ensemble and len(template or ()) < 2:
        raise typer.BadParameter("give two or more --template", param_hint="'--ensemble'")
    rows = read_manifest(manifest, check_files=False, needs="labels")
    asked = in_split(rows, split)
    loaded = load_model(model, threads)
    from muscall.evaluation.labelling import Labelling, evaluate_zeroshot
    from muscall.evaluation.zeroshot import ENSEMBLE, PLAIN, PROMPT

    templates = template or PROMPT
    several = templates if ensemble else ENSEMBLE
    prompts: dict[str, Sequence[str]] = {text: (text,) for text in (*PLAIN, *templates)}
    prompts[f"mean of {len(several)}"] = several
    with progress_bar("Listening") as progress:
        result = evaluate_zeroshot(
            loaded,
            asked,
            Labelling.of(rows),
            prompts,
            windows="all" if whole else "centre",
            progress=progress,
        )
    _print_labels(result, as_json)


@app.command()
def probe(
    model: Model,
    manifest: Labelled,
    features: Annotated[
        bool, typer.Option("--features", help="Probe what comes before the projection.")
    ] = False,
    whole: Whole = False,
    as_json: Json = False,
    threads: Threads = None,
) -> None:
    """Train a linear probe on the frozen audio embedding, and score it on labels.

    Logistic regression on the rows of split train; its regularisation is chosen on split val, and
    split test scores it. The measures are those of `evaluate zeroshot`.
    """
    from muscall.data.manifest import read_manifest

    rows = read_manifest(manifest, check_files=False, needs="labels")
    loaded = load_model(model, threads)
    from muscall.evaluation.probe import evaluate_probe

    with progress_bar("Listening") as progress:
        result = evaluate_probe(
            loaded,
            rows,
            features=features,
            windows="all" if whole else "centre",
            progress=progress,
        )
    _print_labels(result, as_json)


def _print_labels(result: LabelResult, as_json: bool) -> None:
    if as_json:
        print_json(result.as_dict())
    else:
        head = f"{result.items} items, {len(result.labels)} labels"
        width = max(map(len, [head, *result.scores, "by chance"]))
        columns = next(iter(result.scores.values()))
        print(f"{head:{width}}" + "".join(f"{name:>20}" for name in columns))
        for asked, scores in result.scores.items():
            intervals = result.intervals[asked]
            cells = [
                f"{score:.1f} ({low:.1f}-{high:.1f})"
                for score, (low, high) in zip(scores.values(), intervals.values(), strict=True)
            ]
            print(f"{asked:{width}}" + "".join(f"{cell:>20}" for cell in cells), flush=True)
        by_chance = "".join(f"{score:>20.1f}" for score in result.chance.values())
        print(f"{'by chance':{width}}{by_chance}", flush=True)
    exit_on_failures(result.failures)
