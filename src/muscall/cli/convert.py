"""`muscall convert`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    weights: Annotated[Path, typer.Argument(metavar="PUBLISHED.pth")],
    config: Annotated[Path, typer.Argument(metavar="CONFIG.yaml")],
    folder: Annotated[Path, typer.Argument(metavar="OUT_DIR")],
) -> None:
    """Import a checkpoint in the published format.

    PUBLISHED.pth holds the `state_dict`, CONFIG.yaml its sizes; OUT_DIR is the checkpoint folder
    to write.
    """
    from muscall.models.published import convert as run

    print(run(weights, config, folder), flush=True)
