"""`muscall reproduce`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from muscall.cli.common import exit_on_failures, message, progress_bar
from muscall.errors import ConfigError, MuscallError, needs

if TYPE_CHECKING:
    from muscall.reproduce.sweep import Sweep

_OPEN = Path("corpora/open")


def reproduce(
    studies: Annotated[
        list[str] | None,
        typer.Argument(metavar="STUDY", help="Studies as --list names them, or all."),
    ] = None,
    size: Annotated[
        str,
        typer.Option(
            help="paper: as the paper, GPUs and days; full: one GPU; reduced: two cores overnight; "
            "short: two hours; tiny: a trial."
        ),
    ] = "reduced",
    seeds: Annotated[str, typer.Option(help="A training for each, as in 0,1,2.")] = "0",
    train: Annotated[Path, typer.Option(help="Pairs to train on.")] = _OPEN / "train.jsonl",
    val: Annotated[Path, typer.Option(help="Pairs to validate on.")] = _OPEN / "val.jsonl",
    test: Annotated[Path, typer.Option(help="Pairs to search.")] = _OPEN / "test.jsonl",
    vectors: Annotated[
        Path | None, typer.Option(help="Word vectors of the baseline (table1).")
    ] = None,
    gtzan: Annotated[
        Path | None, typer.Option(help="GTZAN as a manifest with labels (table2, probes).")
    ] = None,
    magnatagatune: Annotated[Path | None, typer.Option(help="MagnaTagATune likewise.")] = None,
    configs: Annotated[Path, typer.Option(help="Folder of configurations.")] = Path("configs"),
    runs: Annotated[Path, typer.Option(help="Where trainings are kept.")] = Path("runs/reproduce"),
    out: Annotated[Path, typer.Option(help="Where pages are written.")] = Path("docs/results"),
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Trainings beside each other; one a core, or one on a GPU."),
    ] = None,
    device: Annotated[str, typer.Option(help="As train.device.")] = "auto",
    list_: Annotated[
        bool, typer.Option("--list", help="Say what each study needs and what is done.")
    ] = False,
) -> None:
    """Regenerate the paper's tables and figures, beside its numbers.

    Trains what is missing and reuses what is there. Stop it anywhere; the same command goes on.
    Prints where each page is.
    """
    if not studies and not list_:
        raise typer.BadParameter("which one? see muscall reproduce --list", param_hint="STUDY")
    with needs("train", "muscall reproduce"):
        import matplotlib  # noqa: F401 - before hours of training, not after them

        from muscall.reproduce.sizes import SIZES
        from muscall.reproduce.sweep import Options, Sweep, chosen

    if size not in SIZES:
        known = ", ".join(SIZES)
        raise typer.BadParameter(f"{size!r} is not one of {known}", param_hint="'--size'")
    try:
        wanted = chosen(studies or ["all"])
    except ConfigError as error:
        raise typer.BadParameter(str(error), param_hint="STUDY") from None
    options = Options(
        size=SIZES[size],
        seeds=_numbers(seeds),
        manifests={"train": train, "val": val, "test": test},
        labelled={
            name: path
            for name, path in (("GTZAN", gtzan), ("MagnaTagATune", magnatagatune))
            if path is not None
        },
        configs=configs,
        runs=runs,
        out=out,
        vectors=vectors,
        jobs=jobs,
        device=device,
    )
    sweep = Sweep(options)
    if list_:
        _print_states(sweep, wanted)
        return
    failed = []
    for study in wanted:
        try:
            print(sweep.reproduce(study, progress_bar), flush=True)
        except MuscallError as error:
            if len(wanted) == 1:
                raise
            message(f"{study.name}: {error}")
            failed.append(study)
    exit_on_failures(failed)


def _numbers(text: str) -> list[int]:
    parts = text.replace(",", " ").split()
    if not parts or not all(part.isdecimal() for part in parts):
        raise typer.BadParameter(
            f"{text!r}, expected numbers such as 0,1,2", param_hint="'--seeds'"
        )
    return list(dict.fromkeys(map(int, parts)))


def _print_states(sweep: Sweep, studies: list[Any]) -> None:
    pace = sweep.pace()
    for study in studies:
        state = sweep.state(study)
        if state.obstacle:
            told = f"cannot be run: {state.obstacle}"
        else:
            hours = state.sound_seconds / 3600
            left = f"{hours:,.1f} h of sound to hear"
            if pace:
                left += f", about {hours / pace:.1f} h here"
            told = f"{state.scored:3} of {state.trainings:3} done, {left}"
            if state.scored == state.trainings:
                told = f"{state.scored:3} of {state.trainings:3} done"
        print(f"{study.name:9} {told}   {study.title}", flush=True)
    if pace is None:
        message("how long it takes here is known once a training is finished")
