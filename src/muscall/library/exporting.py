"""A library as one file for other programs."""

from __future__ import annotations

from pathlib import Path

from lancedb.table import Table
from pyarrow.parquet import ParquetWriter

from muscall.writing import written_aside

_COLUMNS = (
    *("key", "path", "title", "artist", "album", "genre", "year", "bpm", "duration"),
    *("tempo", "musical_key", "loudness", "rating", "vector"),
)


def export_parquet(table: Table, embedding_version: str, path: Path) -> int:
    """Write the tracks of one embedding version that are online to a Parquet file; their number.

    Columns are those of `schema.tracks_schema`. A path that is not UTF-8 is a `file://` URI. The
    metadata of the file say in `muscall.embedding_version` what made the vectors.

    Raises:
        MuscallError: the file cannot be written; what was there before stays.
    """
    rows = table.search().where("offline = false").select(list(_COLUMNS)).to_batches()
    count = 0
    schema = rows.schema.with_metadata({"muscall.embedding_version": embedding_version})
    with written_aside(path) as file, ParquetWriter(file, schema) as writer:
        for batch in rows:
            count += len(batch)
            writer.write_batch(batch)
    return count
