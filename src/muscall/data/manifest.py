"""Tables that pair audio files with captions, or with labels."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pydantic import AfterValidator, AliasChoices, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from muscall.audio.inside import Inside, Sound
from muscall.data.shards import located
from muscall.data.tables import is_table, read_records
from muscall.errors import ConfigError, ManifestError, MuscallError
from muscall.records import Record


@dataclass(frozen=True)
class Row:
    """An audio file, also one inside another, or a part of it, with captions or labels."""

    id: str
    audio: Sound
    captions: tuple[str, ...] = ()
    """At least one, except in a manifest that is read for its labels."""
    start: float = 0.0
    """Where the part begins, in seconds."""
    duration: float | None = None
    """Length of the part in seconds; None for up to the end of the file."""
    split: str | None = None
    labels: tuple[str, ...] | None = None
    """Labels that apply, out of a set that all rows share; None if they are unknown."""
    every_caption: bool = False
    """Whether each caption is a query of retrieval, as is standard for some public sets."""


Needs = Literal["captions", "labels"]


def read_manifest(
    path: str | Path,
    *,
    split: str | None = None,
    check_files: bool = True,
    needs: Needs | None = "captions",
) -> list[Row]:
    """Read a table of audio files with captions, with labels, or with both.

    The suffix gives the format: `.jsonl`/`.ndjson`, `.csv`, `.tsv`, `.parquet`, `.tar`, or `.json`,
    a list of objects. The columns are

    - `audio`: a path relative to the folder of the manifest, or to `audio/` in that folder;
    - `caption` (or `captions`, else `text`, `texts`, `description`, `sentence`, `sentences`): one
      text, or, except in CSV, a list of them;
    - `label` (or `labels`): the same; the list may be empty, where none of the labels applies;
    - `start`, `duration` (optional, seconds): the usable part of the file, by default all of it;
    - `id` (optional): by default the path in `audio` as written, with `@start` after it if
      several rows use the file;
    - `split` (optional);
    - `every_caption` (optional): whether each caption is a query of retrieval, not only the first.

    Tables may have column names in capitals, commas, semicolons or tabs as separators, UTF-8 or
    UTF-16, and paths with backslashes, `~` or `file://`, as Excel and people write them. Other
    columns are ignored, and so is an optional value that is null or an empty CSV cell. The dataset
    format of the published MusCALL, a `.json` list of objects with `audio_id`, `caption`
    and `audio_path`, is read as it is: these names stand for `id` and `audio` in every format.

    Sound may lie in the table itself. In Parquet, `audio` is then the hub's feature `Audio`, a
    struct of `bytes` and `path`; the default `id` is the file's name and the number of the row.
    A `.tar` is WebDataset's: members whose names are equal up to the first dot are a row, one of
    them sound, `.json` an object of the other columns, `.txt` the caption; the default `id` is
    the file's name and the sound's.

    Args:
        path: a file, several by a pattern as `shards/{000..099}.tar`, or files of a hub; see
            `data.shards.located`. Rows are in the order of the files, and in theirs.
        split: read only the rows of this split. The others are not checked.
        check_files: whether an audio file that does not exist is a problem.
        needs: what every row must have, captions or labels. The other may be missing; None: both.

    Raises:
        ManifestError: naming every problem with its line, row or sample, and every file that cannot
            be read.
        MissingExtra: Parquet support is not installed.
    """
    files = located(path)
    above = Path(os.path.commonpath([file.parent for file in files])) if files else Path()
    problems: list[str] = []
    unread: list[str] = []  # whole files
    found: list[tuple[str, _Columns, Sound]] = []
    named: set[str] = set()
    for file in files:
        for place, given in _records(file, split, needs, problems, unread):
            named |= given.keys()
            inside = given.get("audio")
            if isinstance(inside, Inside):
                given["audio"] = f"{file.relative_to(above)}/{inside.name}"
            try:
                columns = _COLUMNS[needs].parse(given, place)
            except ConfigError as error:
                problems.append(str(error))
                continue
            if not isinstance(inside, Inside):
                inside = _located(columns.audio, file.parent)
            found.append((place, columns, inside))
    if needs and not named.isdisjoint(_ALIASES["audio"]) and named.isdisjoint(_ALIASES[needs]):
        raise ManifestError(path, [f"{path}: no row has {needs}, and this needs them", *unread])
    uses = Counter(columns.audio for _, columns, _ in found)
    places: dict[str, str] = {}
    rows: list[Row] = []
    for place, columns, sound in found:
        row = _row(columns, sound, shared=uses[columns.audio] > 1)
        rows.append(row)
        taken = places.setdefault(row.id, place)
        if taken != place:
            hint = "" if columns.id else ": give the captions of one passage as one list, or ids"
            problems.append(f"{place}: {row.id} is taken by {taken}{hint}")
        if check_files and isinstance(sound, Path) and not sound.is_file():
            problems.append(f"{place}: there is no file {sound}{_hint(columns.audio)}")
    problems += unread
    if not rows and not problems:
        problems.append(f"{path}: no rows" + (f" with split {split}" if split is not None else ""))
    if problems:
        raise ManifestError(path, problems)
    return rows


def _records(
    path: Path, split: str | None, needs: Needs | None, problems: list[str], unread: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The values of each row of a file that is asked for. What is wrong with a row is added to
    `problems`, with the file to `unread`."""
    try:
        for place, record in read_records(path, _NAMES):
            if isinstance(record, Exception):
                problems.append(f"{place}: {record}")
            elif not isinstance(record, dict):
                wanted = f"audio and {needs}" if needs else "audio"
                problems.append(f"{place}: expected an object with {wanted}")
            elif split is None or split in (record.get("split"), record.get("Split")):
                yield (
                    place,
                    {_name(name): value for name, value in record.items() if value is not None},
                )
    except ManifestError as error:
        unread += error.problems
    except (OSError, ValueError) as error:
        unread.append(f"{path}: {getattr(error, 'strerror', None) or error}")


def _hint(written: str) -> str:
    return ": a path of Windows, of another machine" if PureWindowsPath(written).drive else ""


def _name(written: str) -> str:
    """The name of a column. Known ones are also taken in capitals, such as Audio, CAPTION."""
    return plain if (plain := written.strip().lower()) in _NAMES else written


def is_manifest(written: str | Path) -> bool:
    """Whether `read_manifest` is what reads this: a table, several, or what a hub has."""
    path = Path(written)
    return str(written).startswith("hf://") or (is_table(path) and not path.is_dir())


def in_split(rows: Sequence[Row], split: str | None) -> list[Row]:
    """The rows of a split; None for all.

    Raises:
        MuscallError: there are none. The message names the splits of the manifest.
    """
    found = [row for row in rows if split in (None, row.split)]
    if not found:
        there = ", ".join(sorted({row.split for row in rows if row.split})) or "none"
        raise MuscallError(f"no rows of split {split}, the splits are: {there}")
    return found


def _checked_text(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("empty", "empty")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("encoding", "not UTF-8: save the table as that") from None
    return text


def _not_empty(texts: list[str]) -> list[str]:
    if not texts:
        raise PydanticCustomError("empty", "empty")
    return texts


_ALIASES = {
    "audio": ("audio", "audio_path"),
    # The first that is there. The others are what sets on the hub call them.
    "captions": ("caption", "captions", "text", "texts", "description", "sentence", "sentences"),
    "labels": ("label", "labels"),
    "id": ("id", "audio_id"),
}
_NAMES = {"split", "start", "duration", "every_caption"}.union(*_ALIASES.values())
_CHOICES = {name: AliasChoices(*names) for name, names in _ALIASES.items()}
_Text = Annotated[str, AfterValidator(_checked_text)]
_AsList = BeforeValidator(lambda value: value if isinstance(value, list) else [value])
_AsText = BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)
_Captions = Annotated[list[_Text], _AsList, AfterValidator(_not_empty)]
_Labels = Annotated[list[_Text], _AsList]


class _Columns(Record):
    """The values of a row as they are written."""

    model_config = ConfigDict(extra="ignore")

    audio: _Text = Field(validation_alias=_CHOICES["audio"])
    captions: _Captions = Field(default=[], validation_alias=_CHOICES["captions"])
    labels: _Labels | None = Field(default=None, validation_alias=_CHOICES["labels"])
    id: Annotated[_Text, _AsText] | None = Field(default=None, validation_alias=_CHOICES["id"])
    split: str | None = None
    start: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    duration: float | None = Field(default=None, ge=0.001, allow_inf_nan=False)
    every_caption: bool = False


class _Captioned(_Columns):
    captions: _Captions = Field(validation_alias=_CHOICES["captions"])


class _Labelled(_Columns):
    labels: _Labels = Field(validation_alias=_CHOICES["labels"])


_COLUMNS: dict[Needs | None, type[_Columns]] = {
    "captions": _Captioned,
    "labels": _Labelled,
    None: _Columns,
}


def _row(columns: _Columns, sound: Sound, *, shared: bool) -> Row:
    default_id = f"{columns.audio}@{columns.start:.10g}" if shared else columns.audio
    return Row(
        id=columns.id or default_id,
        audio=sound,
        captions=tuple(columns.captions),
        start=columns.start,
        duration=columns.duration,
        split=columns.split,
        labels=None if columns.labels is None else tuple(dict.fromkeys(columns.labels)),
        every_caption=columns.every_caption,
    )


def _located(written: str, folder: Path) -> Path:
    """Where the file is: in `folder` or its `audio/`. Takes Windows paths and file URLs."""
    if written.startswith("file://"):
        written = url2pathname(urlsplit(written).path)
    spellings = dict.fromkeys([written, written.replace("\\", "/")])
    bases = (folder, folder / "audio")
    places = [base / Path(one).expanduser() for one in spellings for base in bases]
    return next((place for place in places if place.exists()), places[0])


def write_rows(rows: Iterable[Row], path: str | Path) -> None:
    """Write JSONL that `read_manifest` reads as `rows`, also after the file is moved.

    Raises:
        ValueError: the sound of a row lies inside another file.
    """
    with Path(path).open("w", encoding="utf-8") as file:
        for row in rows:
            if isinstance(row.audio, Inside):
                raise ValueError(f"{row.audio}: JSONL names whole files alone")
            values = {
                "id": row.id,
                "audio": str(row.audio.resolve()),
                "caption": row.captions or None,
                "label": row.labels,
                "start": row.start or None,
                "duration": row.duration,
                "split": row.split,
                "every_caption": row.every_caption or None,
            }
            given = {name: value for name, value in values.items() if value is not None}
            file.write(json.dumps(given) + "\n")
