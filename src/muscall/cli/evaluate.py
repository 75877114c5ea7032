"""`muscall evaluate`"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
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
    from muscall.evaluation.retrieval import RetrievalResult

app = typer.Typer(help="Measure a model.", no_args_is_help=True)

Captioned = Annotated[
    list[str],
    typer.Argument(
        metavar="[MODEL] MANIFEST", help="Pairs of audio and sentences.", show_default=False
    ),
]
Labelled = Annotated[
    list[str],
    typer.Argument(metavar="[MODEL] MANIFEST", help="Audio with labels.", show_default=False),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Checkpoint folder or hub name; several times, to compare models side by side.",
    ),
]
Split = Annotated[str | None, typer.Option(help="Only rows of this split.")]
Whole = Annotated[
    bool, typer.Option("--whole", help="Embed whole tracks instead of their central window.")
]


@app.command()
def retrieval(
    given: Captioned,
    model: Models = None,
    split: Split = None,
    captions: Annotated[
        Literal["first", "every"] | None,
        typer.Option(
            help="Which captions of a row are queries. By default the first; every one where the "
            "manifest asks for it, as those of Song Describer and MusicCaps do."
        ),
    ] = None,
    items: Annotated[
        int | None,
        typer.Option(
            min=1, help="Draw so many rows. The paper's test set has 1,000. By default all rows."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Which draw. It depends on the rows' ids and not on their order.")
    ] = 0,
    whole: Whole = False,
    as_json: Json = False,
    threads: Threads = None,
) -> None:
    """Score retrieval in both directions.

    Rows that share a caption are right for each other.
    """
    from muscall.data.manifest import read_manifest

    names, manifest = _asked(given, model)
    # A missing file is one failed row; the others are still scored.
    rows = read_manifest(manifest, split=split, check_files=False)

    def measured(name: str) -> RetrievalResult:
        loaded = load_model(name, threads)
        from muscall.evaluation.retrieval import draw, evaluate_retrieval
        from muscall.models.text import warn_of_long

        drawn = rows if items is None else draw(rows, items, seed)
        warn_of_long(loaded.text, [caption for row in drawn for caption in row.captions])
        with progress_bar("Listening") as progress:
            return evaluate_retrieval(
                loaded,
                drawn,
                captions=captions,
                windows="all" if whole else "centre",
                progress=progress,
            )

    results = {name: measured(name) for name in names}
    result, *_ = results.values()
    if as_json:
        _print_objects(results)
    else:
        width = max(map(len, names)) if len(names) > 1 else 0
        columns = list(result.text_to_audio)
        head = f"{result.items:7} items   {'':{width}}"
        print(head + "".join(f"{column:>8}" for column in columns))
        for way in ("text_to_audio", "audio_to_text"):
            for name, found in results.items():
                scores = getattr(found, way)
                label = f"{way.replace('_', ' ')}   {name if width else '':{width}}"
                print(label + "".join(f"{scores[column]:8.1f}" for column in columns))
        if result.captions == "every":
            print(f"every caption is a query: {len(result.text)}; each is right for its track")
        if result.shared:
            print(f"captions of several rows, which count as right for each other: {result.shared}")
        sys.stdout.flush()
    exit_on_failures(result.failures)


@app.command()
def zeroshot(
    given: Labelled,
    model: Models = None,
    template: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT", help="Used instead of the paper's 'A {label} track'. May be repeated."
        ),
    ] = None,
    ensemble: Annotated[
        bool,
        typer.Option(
            "--ensemble", help="Take the mean of these templates instead of the built-in ones."
        ),
    ] = False,
    split: Split = None,
    whole: Whole = False,
    as_json: Json = False,
    threads: Threads = None,
) -> None:
    """Score zero-shot labels: each alone, in a template, and as the mean of several templates.

    Accuracy where every row has one label, ROC-AUC and PR-AUC where rows have several or none;
    with 95 % intervals.
    """
    from muscall.data.manifest import in_split, read_manifest

    for text in template or ():
        if "{label}" not in text:
            raise typer.BadParameter(f"{text!r} has no {{label}} in it", param_hint="'--template'")
    if ensemble and len(template or ()) < 2:
        raise typer.BadParameter("give two or more --template", param_hint="'--ensemble'")
    names, manifest = _asked(given, model)
    rows = read_manifest(manifest, check_files=False, needs="labels")
    asked = in_split(rows, split)

    def measured(name: str) -> LabelResult:
        loaded = load_model(name, threads)
        from muscall.evaluation.labelling import Labelling, evaluate_zeroshot
        from muscall.evaluation.zeroshot import ENSEMBLE, PLAIN, PROMPT

        templates = template or PROMPT
        several = templates if ensemble else ENSEMBLE
        prompts: dict[str, Sequence[str]] = {text: (text,) for text in (*PLAIN, *templates)}
        prompts[f"mean of {len(several)}"] = several
        with progress_bar("Listening") as progress:
            return evaluate_zeroshot(
                loaded,
                asked,
                Labelling.of(rows),
                prompts,
                windows="all" if whole else "centre",
                progress=progress,
            )

    _print_labels({name: measured(name) for name in names}, as_json)


@app.command()
def probe(
    given: Labelled,
    model: Models = None,
    features: Annotated[
        bool, typer.Option("--features", help="Probe the features before the projection.")
    ] = False,
    whole: Whole = False,
    as_json: Json = False,
    threads: Threads = None,
) -> None:
    """Train a linear probe on the frozen audio embedding, and score it on labels.

    Logistic regression is fitted on split train, its regularisation is chosen on split val, and
    split test is scored. The scores are those of `evaluate zeroshot`.
    """
    from muscall.data.manifest import read_manifest

    names, manifest = _asked(given, model)
    rows = read_manifest(manifest, check_files=False, needs="labels")

    def measured(name: str) -> LabelResult:
        loaded = load_model(name, threads)
        from muscall.evaluation.probe import evaluate_probe

        with progress_bar("Listening") as progress:
            return evaluate_probe(
                loaded,
                rows,
                features=features,
                windows="all" if whole else "centre",
                progress=progress,
            )

    _print_labels({name: measured(name) for name in names}, as_json)


def _asked(given: list[str], models: list[str] | None) -> tuple[list[str], str]:
    """The names of the models, each once, and the manifest."""
    *first, manifest = given
    names = list(dict.fromkeys([*first, *(models or ())]))
    if len(first) > 1 or not names:
        raise typer.BadParameter("expected MODEL MANIFEST, or MANIFEST --model MODEL ...")
    return names, manifest


def _print_objects(results: Mapping[str, RetrievalResult | LabelResult]) -> None:
    """That of the only model, or those of several by their names."""
    objects = {name: result.as_dict() for name, result in results.items()}
    print_json(objects if len(objects) > 1 else next(iter(objects.values())))


def _print_labels(results: Mapping[str, LabelResult], as_json: bool) -> None:
    result, *_ = results.values()
    if as_json:
        _print_objects(results)
    else:
        head = f"{result.items} items, {len(result.labels)} labels"
        rows = {
            f"{name}  {asked}" if len(results) > 1 else asked: scores
            for name, found in results.items()
            for asked, scores in found.scores.items()
        }
        width = max(map(len, [head, *rows, "by chance"]))
        print(f"{head:{width}}" + "".join(f"{name:>20}" for name in result.chance))
        for label, scores in rows.items():
            cells = "".join(f"{f'{score:.1f}':>20}" for score in scores.values())
            print(f"{label:{width}}{cells}", flush=True)
        by_chance = "".join(f"{score:>20.1f}" for score in result.chance.values())
        print(f"{'by chance':{width}}{by_chance}", flush=True)
    exit_on_failures(result.failures)
