"""`muscall train`"""

from __future__ import annotations

from typing import Annotated

import typer


def train(
    source: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG.yaml|MUSIC",
            help="Settings of the run; with --init, a manifest or a folder of tagged music.",
        ),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="SETTING=VALUE", help="As in data.train=train.jsonl."),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            "--init", metavar="MODEL", help="Fine-tune this model; 'default' is the packaged one."
        ),
    ] = None,
) -> None:
    """Train a model on (audio, sentence) pairs, or fine-tune one on your own music.

    Prints where the best checkpoint is. Run the same command again after an interruption and it
    goes on where it stopped.
    """
    from muscall.training import Config, fine_tuning
    from muscall.training import train as run

    if init is None:
        config = Config.read(source, settings or [])
    else:
        config = fine_tuning(init, source, settings or [])
    print(run(config), flush=True)
