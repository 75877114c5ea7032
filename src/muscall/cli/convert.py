"""`muscall convert`"""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from muscall.cli.common import load_model


def convert(
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="PUBLISHED.pth CONFIG.yaml OUT_DIR",
            help="With --to onnx: MODEL OUT_DIR.",
            show_default=False,
        ),
    ],
    to: Annotated[
        Literal["onnx"] | None,
        typer.Option("--to", help="Export a model, a checkpoint folder or hub name."),
    ] = None,
) -> None:
    """Import a checkpoint in the published format, or export a model to ONNX.

    PUBLISHED.pth holds the `state_dict`, CONFIG.yaml its sizes; OUT_DIR is the checkpoint folder
    to write. With --to onnx it is the folder for both encoders, in float32 and with weights of
    eight bits, and for the tokenizer.
    """
    if len(given) != (2 if to else 3):
        wanted = "MODEL OUT_DIR" if to else "PUBLISHED.pth CONFIG.yaml OUT_DIR"
        raise typer.BadParameter(f"{len(given)} arguments; expected {wanted}")
    if to is None:
        from muscall.models.published import convert as run

        print(run(given[0], given[1], given[2]), flush=True)
        return
    from muscall.library.embedding_version import embedding_version_of
    from muscall.models.onnx import export

    model = load_model(given[0], None)
    for path in export(model, given[1], version=embedding_version_of(model)):
        print(path, flush=True)
