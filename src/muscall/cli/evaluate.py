"""`muscall evaluate`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muscall.cli.common import (
    Json,
    Threads,
    exit_on_failures,
    load_model,
    print_json,
    progress_bar,
)

app = typer.Typer(help="Measure a model.", no_args_is_help=True)


@app.command()
def retrieval(
    model: Annotated[str, typer.Argument(help="Checkpoint folder or hub name.")],
    manifest: Annotated[Path, typer.Argument(help="Pairs of audio and sentences.")],
    split: Annotated[str | None, typer.Option(help="Only rows of this split.")] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Embed whole tracks instead of their central window.")
    ] = False,
    as_json: Json = False,
    threads: Threads = None,
) -> None:
    """Score retrieval in both directions."""
    from muscall.data.manifest import read_manifest

    # An audio file that is not there is one failed row here, not a reason to measure nothing.
    rows = read_manifest(manifest, split=split, check_files=False)
    loaded = load_model(model, threads)
    from muscall.evaluation.retrieval import evaluate_retrieval

    with progress_bar("Listening") as progress:
        result = evaluate_retrieval(
            loaded, rows, windows="all" if whole else "centre", progress=progress
        )
    if as_json:
        print_json(result.as_dict())
    else:
        names = list(result.text_to_audio)
        print(f"{result.items:7} items   " + "".join(f"{name:>8}" for name in names))
        print("text to audio   " + "".join(f"{result.text_to_audio[name]:8.1f}" for name in names))
        print(
            "audio to text   " + "".join(f"{result.audio_to_text[name]:8.1f}" for name in names),
            flush=True,
        )
    exit_on_failures(result.failures)
