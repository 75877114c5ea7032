"""`muscall train`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.yaml", help="Settings of the run.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="SETTING=VALUE", help="As in data.train=train.jsonl."),
    ] = None,
) -> None:
    """Train a model on (audio, sentence) pairs.

    Prints where the best checkpoint is. Run the same command again after an interruption and it
    goes on where it stopped.
    """
    from muscall.training import Config
    from muscall.training import train as run

    print(run(Config.read(config, settings or [])), flush=True)
