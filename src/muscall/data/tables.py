"""Readers of tables in the formats that people have: JSON lines, JSON, CSV, TSV, Parquet, tar."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import tarfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from muscall.audio.files import AUDIO_SUFFIXES
from muscall.audio.inside import Cell, Member
from muscall.errors import ManifestError, needs

Columns = Collection[str]


def is_table(path: Path) -> bool:
    """Whether the suffix is that of a table."""
    return path.suffix.lower() in _READERS


def read_records(path: Path, columns: Columns) -> Iterator[tuple[str, Any]]:
    """Read the rows of a table, each with its place, such as `pairs.csv:3`.

    Args:
        columns: those that are needed; others may be left out.

    Yields:
        A mapping from column names to values, or the error of a row that cannot be read. JSON may
        hold other things, which are given as they are. Sound that lies in the table itself is
        given as where it lies.

    Raises:
        ManifestError: the suffix is not that of a table.
        OSError, ValueError: the file as a whole cannot be read.
        MuscallError: Parquet support is not installed.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ManifestError(path, [f"{path}: not a manifest, expected {', '.join(_READERS)}"])
    return reader(path, columns)


def _text(path: Path) -> str:
    raw = path.read_bytes()
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16")
    if b"\0" in raw[:4]:
        raise ValueError("neither UTF-8 nor UTF-16 with a mark: save it as UTF-8")
    # A byte that is not UTF-8 becomes a lone surrogate, which is an error only in a value that is
    # used. So the error names the row, and columns that nobody reads cannot fail.
    return raw.decode("utf-8-sig", "surrogateescape")


def _read_lines(path: Path, _: Columns) -> Iterator[tuple[str, Any]]:
    # Not splitlines(): the Unicode line separators that it knows may stand inside JSON strings.
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line.strip():
            try:
                yield f"{path}:{number}", json.loads(line)
            except ValueError as error:
                yield f"{path}:{number}", ValueError(f"not JSON: {error}")


def _read_list(path: Path, _: Columns) -> Iterator[tuple[str, Any]]:
    records = json.loads(_text(path))
    if not isinstance(records, list):
        raise ValueError("expected a list of objects")
    for number, record in enumerate(records, 1):
        yield f"{path}: row {number}", record


def _lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def _parses(text: str, delimiter: str) -> bool:
    try:
        return all(True for _ in csv.reader(_lines(text), delimiter=delimiter, strict=True))
    except csv.Error:
        return False


def _read_csv(path: Path, _: Columns) -> Iterator[tuple[str, Any]]:
    text = _text(path)
    head = next(filter(str.strip, text.splitlines()), "")
    # Where a comma is the decimal sign, Excel separates by semicolons, whatever the suffix.
    delimiter = max("\t;," if path.suffix.lower() == ".tsv" else ",;\t", key=head.count)
    if stated := re.match(r"\ufeff?sep=(.)\r?\n", text):  # Excel's own hint
        delimiter, text = stated[1], text[stated.end() - 1 :]
    spaced = f"{delimiter} " in head
    lines = csv.reader(_lines(text), delimiter=delimiter, strict=True, skipinitialspace=spaced)
    if delimiter == "\t" and not _parses(text, delimiter):  # written by hand, without quoting
        lines = csv.reader(_lines(text), delimiter=delimiter, quoting=csv.QUOTE_NONE)
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
        if not names and cells:
            names = [cell.strip() for cell in cells]
        elif len(cells) > len(names):
            # The cause is an unquoted comma in a caption, the rest of which would be lost.
            yield place, ValueError(f"{len(cells)} cells, but {len(names)} column names")
        elif cells:
            given = zip(names, cells, strict=False)
            yield place, {name: cell for name, cell in given if cell}


def _read_parquet(path: Path, columns: Columns) -> Iterator[tuple[str, Any]]:
    with needs("train", f"{path}: Parquet"):
        from pyarrow import parquet, types
    number = 0
    with parquet.ParquetFile(path, memory_map=True) as table:
        fields = {field.name: field.type for field in table.schema_arrow if field.name in columns}
        parts = {
            name: [part.name for part in kind] if types.is_struct(kind) else []
            for name, kind in fields.items()
        }
        # The hub's feature `Audio`. Its bytes stay where they are until they are decoded.
        sounds = [name for name in fields if "bytes" in parts[name]]
        known = [name for name in fields if name not in sounds]
        known += [f"{name}.path" for name in sounds if "path" in parts[name]]
        for group in range(table.num_row_groups):
            batches = table.iter_batches(columns=known, row_groups=[group])
            records = (record for batch in batches for record in batch.to_pylist())
            chunks = table.metadata.row_group(group)
            for row, record in enumerate(records):
                number += 1
                for name in sounds:
                    leaf = f"{name}.bytes"
                    if _is_empty(chunks, leaf):
                        record[name] = (record.get(name) or {}).get("path")
                    else:
                        record[name] = Cell(path, str(number), leaf, group, row)
                yield f"{path}: row {number}", record


def _is_empty(chunks: Any, leaf: str) -> bool:
    """Whether a column of a row group is said to hold nulls alone."""
    held = (chunks.column(place) for place in range(chunks.num_columns))
    statistics = next(chunk.statistics for chunk in held if chunk.path_in_schema == leaf)
    return bool(statistics and statistics.null_count == chunks.num_rows)


def _read_tar(path: Path, _: Columns) -> Iterator[tuple[str, Any]]:
    """WebDataset's samples: members whose names are equal up to the first dot of the file name.

    Members are only listed. Those that are sound stay where they are until they are decoded.
    """
    samples: dict[str, list[tarfile.TarInfo]] = {}
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                if member.isreg() and not member.issparse():
                    samples.setdefault(_sample(member.name), []).append(member)
            file.seek(tar.offset)
            end = file.read(tarfile.BLOCKSIZE)
            if end.strip(b"\0"):  # tarfile takes what is no header for the end
                raise tarfile.ReadError(f"no header at byte {tar.offset}")
            for key, members in samples.items():
                yield f"{path}: {key}", _told(path, tar, members)
    except tarfile.TarError as error:
        raise ValueError(f"not a plain tar, or damaged: {error}; fetch or make it anew") from None


def _sample(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_name(path.name.partition(".")[0] or path.name))


def _told(path: Path, tar: tarfile.TarFile, members: list[tarfile.TarInfo]) -> Any:
    """The record of a sample, or what is wrong with it."""
    record: dict[str, Any] = {}
    sounds: list[tarfile.TarInfo] = []
    for member in members:
        suffix = PurePosixPath(member.name).suffix.lower()
        if suffix in AUDIO_SUFFIXES:
            sounds.append(member)
        elif suffix in (".json", ".txt"):
            file = tar.extractfile(member)
            assert file is not None  # as it is a regular file
            try:
                text = file.read().decode("utf-8-sig")
                given = json.loads(text) if suffix == ".json" else {"caption": text.strip()}
            except ValueError as error:
                return ValueError(f"{member.name}: {error}")
            if not isinstance(given, dict):
                return ValueError(f"{member.name}: expected an object")
            record |= given
    if len(sounds) != 1:
        names = ", ".join(member.name for member in sounds) or "none"
        return ValueError(f"expected one sound file, found {names}")
    sound = Member(path, sounds[0].name, sounds[0].offset_data, sounds[0].size)
    return record | {"audio": sound}


_READERS: dict[str, Callable[[Path, Columns], Iterator[tuple[str, Any]]]] = {
    ".jsonl": _read_lines,
    ".ndjson": _read_lines,
    ".json": _read_list,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
    ".tar": _read_tar,
}
