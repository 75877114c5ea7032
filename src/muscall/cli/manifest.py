"""`muscall manifest`"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from muscall.cli.common import exit_on_failures, message

if TYPE_CHECKING:
    from muscall.data.sets import FoundClips

_SHOWN_NAMES = 10

app = typer.Typer(
    help="Write a manifest of a public data set, as it lies on this disk.", no_args_is_help=True
)


def _is_lines(path: Path) -> Path:
    """Refuse a name by which what is written could not be read again."""
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        raise typer.BadParameter(f"{path}: JSON lines are written, to a name with .jsonl")
    return path


Folder = Annotated[Path, typer.Argument(help="The set: its tables and, below it, its sound.")]
Output = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="ROWS.jsonl",
        dir_okay=False,
        callback=_is_lines,
        help="The manifest to write.",
    ),
]
Audio = Annotated[
    Path | None, typer.Option("--audio", metavar="DIR", help="Where the sound is, if elsewhere.")
]
Split = Annotated[str | None, typer.Option(help="Only rows of this split.")]


@app.command()
def gtzan(folder: Folder, output: Output, audio: Audio = None, split: Split = None) -> None:
    """GTZAN: 1,000 clips of ten genres, with the filtered split where its lists are there."""
    from muscall.data import sets

    _write(sets.gtzan(folder, audio), output, split)


@app.command()
def magnatagatune(
    folder: Folder,
    output: Output,
    audio: Audio = None,
    split: Split = None,
    tags: Annotated[int, typer.Option(min=1, help="How many of the most frequent tags.")] = 50,
    merge_synonyms: Annotated[
        bool, typer.Option("--merge-synonyms", help="Count tags that mean the same as one.")
    ] = False,
    only_tagged: Annotated[
        bool, typer.Option("--only-tagged", help="Without clips that have none of the tags.")
    ] = False,
) -> None:
    """MagnaTagATune: 25,863 tagged clips, with the split by folders (12:1:3)."""
    from muscall.data import sets

    found = sets.magnatagatune(
        folder, audio, tags=tags, merge_synonyms=merge_synonyms, only_tagged=only_tagged
    )
    _write(found, output, split)


@app.command()
def musiccaps(folder: Folder, output: Output, audio: Audio = None, split: Split = None) -> None:
    """MusicCaps: 5,521 captioned clips of 10 s, already cut."""
    from muscall.data import sets

    _write(sets.musiccaps(folder, audio), output, split)


@app.command()
def song_describer(
    folder: Folder,
    output: Output,
    audio: Audio = None,
    split: Split = None,
    only_validated: Annotated[
        bool, typer.Option("--only-validated", help="Only captions that were checked by hand.")
    ] = False,
) -> None:
    """Song Describer: 706 captioned tracks."""
    from muscall.data import sets

    _write(sets.song_describer(folder, audio, only_validated=only_validated), output, split)


@app.command()
def mtg_jamendo(
    folder: Folder,
    output: Output,
    audio: Audio = None,
    split: Split = None,
    subset: Annotated[
        Literal["all", "genre", "instrument", "moodtheme", "top50tags"],
        typer.Option(help="Which tags."),
    ] = "all",
    fold: Annotated[int, typer.Option(min=0, max=4, help="Which of the five splits.")] = 0,
) -> None:
    """MTG-Jamendo: 55,000 tagged tracks, with one of its five splits."""
    from muscall.data import sets

    _write(sets.mtg_jamendo(folder, audio, subset=subset, fold=fold), output, split)


def _write(found: FoundClips, output: Path, split: str | None) -> None:
    from muscall.data.manifest import in_split, write_rows

    rows = in_split(found.rows, split)
    write_rows(rows, output)
    counts = Counter(row.split or "no split" for row in rows)
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    print(f"{len(rows)} rows in {output}: {told}", flush=True)
    by_reason: dict[str, list[str]] = {}
    for name, reason in found.left_out.items():
        known = ", as in the published set" if name in found.known else ""
        by_reason.setdefault(f"{reason}{known}", []).append(name)
    for reason, names in by_reason.items():
        more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
        message(f"{len(names)} left out, {reason}: {', '.join(names[:_SHOWN_NAMES])}{more}")
    exit_on_failures(sorted(found.left_out.keys() - found.known))
