"""Tables that pair audio files with captions, or with labels."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from muscall.errors import ConfigError, ManifestError, MuscallError
from muscall.records import Record


@dataclass(frozen=True)
class Row:
    """An audio file, or the part of it that may be used, and what it is described as."""

    id: str
    audio: Path
    captions: tuple[str, ...] = ()
    """At least one, but in a manifest that is read for its labels."""
    start: float = 0.0
    """Where the usable part of the file begins, in seconds."""
    duration: float | None = None
    """How long it is, in seconds; None for up to the end of the file."""
    split: str | None = None
    labels: tuple[str, ...] | None = None
    """Those that apply, of a set that all rows share; None where nobody has said."""
    every_caption: bool = False
    """Whether retrieval asks with each of the captions, as is standard for some public sets."""


Needs = Literal["captions", "labels"]


def read_manifest(
    path: str | Path,
    *,
    split: str | None = None,
    check_files: bool = True,
    needs: Needs = "captions",
) -> list[Row]:
    """Read a table of audio files with captions, with labels, or with both.

    The suffix tells the format: `.jsonl`/`.ndjson`, `.csv`, `.tsv`, `.parquet`, or `.json`, a list
    of objects. The columns are

    - `audio`: a path relative to the folder of the manifest, or to `audio/` in that folder;
    - `caption` (or `captions`): one text, or, except in CSV, a list of them;
    - `label` (or `labels`): the same; the list may be empty, where none of the labels applies;
    - `start`, `duration` (optional, seconds): the usable part of the file, by default all of it;
    - `id` (optional): by default the path in `audio` as written, with `@start` after it if
      several rows use the file;
    - `split` (optional);
    - `every_caption` (optional): whether retrieval is to ask with each caption, not with the first.

    Further columns are ignored, and so is an optional value that is null or an empty CSV cell. The
    dataset format of the published MusCALL, a `.json` list of objects with `audio_id`, `caption`
    and `audio_path`, is read as it is: these names stand for `id` and `audio` in every format.

    Args:
        split: keep only the rows of this split; the others are not even checked.
        check_files: whether an audio file that does not exist is a problem.
        needs: what every row must have; the other may be missing.

    Raises:
        ManifestError: naming every problem with its line, or its row in JSON lists and Parquet.
        MuscallError: Parquet support is not installed.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ManifestError(path, [f"{path}: not a manifest, expected {', '.join(_READERS)}"])
    problems: list[str] = []
    found: list[tuple[str, _Columns]] = []
    named: set[str] = set()
    try:
        for place, record in reader(path):
            if isinstance(record, Exception):
                problems.append(f"{place}: {record}")
            elif not isinstance(record, dict):
                problems.append(f"{place}: expected an object with audio and {needs}")
            elif split is None or record.get("split") == split:
                given = {name: value for name, value in record.items() if value is not None}
                named |= given.keys()
                try:
                    found.append((place, _COLUMNS[needs].parse(given, place)))
                except ConfigError as error:
                    problems.append(str(error))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ManifestError(path, [f"{path}: {reason}"]) from None

    if not named.isdisjoint(_ALIASES["audio"]) and named.isdisjoint(_ALIASES[needs]):
        raise ManifestError(path, [f"{path}: no row has {needs}, and this needs them"])
    uses = Counter(columns.audio for _, columns in found)
    places: dict[str, str] = {}
    rows: list[Row] = []
    for place, columns in found:
        row = _row(columns, path.parent, shared=uses[columns.audio] > 1)
        rows.append(row)
        taken = places.setdefault(row.id, place)
        if taken != place:
            hint = "" if columns.id else ": give the captions of one passage as one list, or ids"
            problems.append(f"{place}: {row.id} is taken by {taken}{hint}")
        if check_files and not row.audio.is_file():
            problems.append(f"{place}: there is no file {row.audio}")
    if not rows and not problems:
        problems.append(f"{path}: no rows" + (f" with split {split}" if split is not None else ""))
    if problems:
        raise ManifestError(path, problems)
    return rows


def in_split(rows: Sequence[Row], split: str | None) -> list[Row]:
    """The rows of a split; None for all.

    Raises:
        MuscallError: there are none; the line names the splits that there are.
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
        raise PydanticCustomError("encoding", "not UTF-8") from None
    return text


def _not_empty(texts: list[str]) -> list[str]:
    if not texts:
        raise PydanticCustomError("empty", "empty")
    return texts


_ALIASES = {
    "audio": ("audio", "audio_path"),
    "captions": ("caption", "captions"),
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


_COLUMNS: dict[Needs, type[_Columns]] = {"captions": _Captioned, "labels": _Labelled}


def _row(columns: _Columns, folder: Path, *, shared: bool) -> Row:
    audio, inside = folder / columns.audio, folder / "audio" / columns.audio
    if inside.exists() and not audio.exists():
        audio = inside
    default_id = f"{columns.audio}@{columns.start:.10g}" if shared else columns.audio
    return Row(
        id=columns.id or default_id,
        audio=audio,
        captions=tuple(columns.captions),
        start=columns.start,
        duration=columns.duration,
        split=columns.split,
        labels=None if columns.labels is None else tuple(dict.fromkeys(columns.labels)),
        every_caption=columns.every_caption,
    )


def write_rows(rows: Iterable[Row], path: str | Path) -> None:
    """Write JSONL that `read_manifest` gives back as `rows`, wherever it then lies."""
    with Path(path).open("w", encoding="utf-8") as file:
        for row in rows:
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


def _text(path: Path) -> str:
    # A byte that is no UTF-8 becomes a lone surrogate, which no value may hold: the error then
    # names the row, and text in the columns that nobody reads cannot fail.
    return path.read_bytes().decode("utf-8-sig", "surrogateescape")


def _read_lines(path: Path) -> Iterator[tuple[str, Any]]:
    # Not splitlines(): the Unicode line separators that it knows may stand inside JSON strings.
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line.strip():
            try:
                yield f"{path}:{number}", json.loads(line)
            except ValueError as error:
                yield f"{path}:{number}", ValueError(f"not JSON: {error}")


def _read_list(path: Path) -> Iterator[tuple[str, Any]]:
    records = json.loads(_text(path))
    if not isinstance(records, list):
        raise ValueError("expected a list of objects")
    for number, record in enumerate(records, 1):
        yield f"{path}: row {number}", record


def _read_csv(path: Path) -> Iterator[tuple[str, Any]]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    lines = csv.reader(io.StringIO(_text(path), newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    while True:
        try:
            cells = next(lines, None)
        except csv.Error as error:
            yield f"{path}:{lines.line_num}", error
            continue
        place = f"{path}:{lines.line_num}"
        if cells is None:
            return
        if not names:
            names = cells
        elif len(cells) > len(names):
            # What an unquoted comma in a caption does: the rest of it would be lost.
            yield place, ValueError(f"{len(cells)} cells, but {len(names)} column names")
        elif cells:
            given = zip(names, cells, strict=False)
            yield place, {name: cell for name, cell in given if cell}


def _read_parquet(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        from pyarrow import parquet
    except ImportError:
        raise MuscallError(f"{path}: to read Parquet, pip install 'muscall[train]'") from None
    number = 0
    with parquet.ParquetFile(path) as table:
        known = [name for name in table.schema_arrow.names if name in _NAMES]
        for batch in table.iter_batches(columns=known):
            for record in batch.to_pylist():
                number += 1
                yield f"{path}: row {number}", record


_Reader = Callable[[Path], Iterator[tuple[str, Any]]]
_READERS: dict[str, _Reader] = {
    ".jsonl": _read_lines,
    ".ndjson": _read_lines,
    ".json": _read_list,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
}
