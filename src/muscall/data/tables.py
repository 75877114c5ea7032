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
        from pyarrow import parquet
    number = 0
    with parquet.ParquetFile(path) as table:
        names = table.schema_arrow.names
        leaves = [table.schema.column(place).path for place in range(len(table.schema.names))]
        # The hub's feature `Audio` is a struct; what is in it is read when it is to be heard.
        holders = [name for name in names if name in columns and f"{name}.bytes" in leaves]
        known = [
            leaf
            for leaf in leaves
            if leaf.split(".")[0] in columns and not leaf.endswith(_contents(holders))
        ]
        for group in range(table.num_row_groups):
            here = 0
            for batch in table.iter_batches(columns=known, row_groups=[group]):
                for record in batch.to_pylist():
                    number += 1
                    for name in holders:
                        record[name] = Cell(path, str(number), f"{name}.bytes", group, here)
                    here += 1
                    yield f"{path}: row {number}", record


_READERS: dict[str, Callable[[Path, Columns], Iterator[tuple[str, Any]]]] = {
    ".jsonl": _read_lines,
    ".ndjson": _read_lines,
    ".json": _read_list,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
}
