"""The columns of a library's tables."""

from __future__ import annotations

import pyarrow as pa

FILES = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),  # as `scan.path_text` writes it
        pa.field("root", pa.string()),
        pa.field("size", pa.int64()),  # bytes
        pa.field("mtime_ns", pa.int64()),
        pa.field("key", pa.string()),  # `audio_hash.audio_hash`; null where reading failed
        pa.field("error", pa.string()),  # why it failed, else null
        pa.field("state", pa.string()),  # "present" or "offline"
        pa.field("ctime_ns", pa.int64()),  # of the last change of anything; null in older libraries
    ]
)
ROOTS = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("exclude", pa.list_(pa.string())),
        pa.field("scanned", pa.timestamp("us", tz="UTC")),
    ]
)


def tracks_schema(dim: int) -> pa.Schema:
    """A row for each sound, whatever number of files hold it."""
    return pa.schema(
        [
            pa.field("key", pa.string(), nullable=False),
            pa.field("path", pa.string()),  # of a file that holds it, present if one is
            pa.field("root", pa.string()),
            pa.field("title", pa.string()),
            pa.field("artist", pa.string()),  # as the next two and genre, several with "; " between
            pa.field("albumartist", pa.string()),
            pa.field("composer", pa.string()),
            pa.field("album", pa.string()),
            pa.field("genre", pa.string()),
            pa.field("year", pa.int32()),
            pa.field("bpm", pa.float32()),
            pa.field("rating", pa.float32()),  # stars, to 5
            pa.field("duration", pa.float32()),  # seconds
            pa.field("chapters", pa.string()),  # of songs in it, a line each: "20.00 Second Song"
            pa.field("tempo", pa.float32()),  # measured (`audio.descriptors`), as the next two
            pa.field("musical_key", pa.string()),  # as "Eb minor"
            pa.field("loudness", pa.float32()),  # LUFS
            pa.field("waveform", pa.binary()),  # `audio.waveform`; null in older libraries
            pa.field("offline", pa.bool_()),  # no file that holds it is there
            pa.field("added", pa.timestamp("us", tz="UTC")),
            pa.field("words", pa.string()),  # for full-text search
            pa.field("windows", pa.int32()),  # rows in the other table
            pa.field("vector", pa.list_(pa.float32(), dim)),  # unit norm: their normalised mean
        ]
    )


def windows_schema(dim: int) -> pa.Schema:
    """A row for each window of each track."""
    return pa.schema(
        [
            pa.field("key", pa.string(), nullable=False),
            pa.field("start", pa.float32()),  # seconds
            pa.field("seconds", pa.float32()),
            pa.field("vector", pa.list_(pa.float16(), dim)),  # unit norm
        ]
    )
