"""What a commit writes: tracks with their windows, changes of known tracks, and files."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from muscall.library.names import romanised, words_of
from muscall.library.scan import text_path
from muscall.library.schema import windows_schema
from muscall.library.store import File

if TYPE_CHECKING:  # scipy, which a search need not wait for
    from lance.fragment import FragmentMetadata

    from muscall.audio.descriptors import Descriptors
    from muscall.audio.tags import Tags


@dataclass(frozen=True, eq=False)
class Track:
    """A track to write."""

    row: dict[str, Any]
    """The columns of `schema.tracks_schema`, but for `words`."""
    windows: list[tuple[float, float, np.ndarray]]
    """Start and length in seconds and vector (dim,) of each."""


@dataclass
class Batch:
    """What the next commit writes."""

    tracks: list[Track] = field(default_factory=list)
    fragments: list[FragmentMetadata] = field(default_factory=list)
    """Files with more windows of these tracks, which others have written beside the table's."""
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """New values in rows of tracks, by key, for the tables of all embedding versions."""
    files: dict[str, File] = field(default_factory=dict)


def tag_columns(tags: Tags) -> dict[str, Any]:
    """The columns of a track that stem from tags; of several values, joined by "; "."""
    bpm = tags.bpm or math.nan
    return {
        "title": tags.title,
        "artist": "; ".join(tags.artist),
        "albumartist": "; ".join(tags.albumartist),
        "composer": "; ".join(tags.composer),
        "album": tags.album,
        "genre": "; ".join(tags.genre),
        "year": tags.year or tags.original_year,
        "bpm": bpm if 0 < bpm < math.inf else None,
        "rating": tags.rating,
        "chapters": "\n".join(
            f"{song.start:.2f} {' '.join(song.title.split())}"
            for song in tags.chapters
            if math.isfinite(song.start)
        ),
    }


def descriptor_columns(descriptors: Descriptors) -> dict[str, Any]:
    """The columns of a track that are measured; `key` is taken by the hash of the sound."""
    return {
        "tempo": descriptors.tempo,
        "musical_key": descriptors.key,
        "loudness": descriptors.loudness,
    }


def words(row: Mapping[str, Any]) -> str:
    """What full-text search looks through: a track's tags, the songs in it, its file's name.

    Where artist or album are not told, the two folders above the file, below its root, may be.
    """
    path, root = text_path(row["path"]), text_path(row["root"])
    texts = [row[tag] or "" for tag in ("title", "artist", "album", "genre")]
    texts += [row.get(tag) or "" for tag in ("albumartist", "composer")]
    if not (row["artist"] and row["album"]) and path.is_relative_to(root):
        texts += path.relative_to(root).parent.parts[-2:]
    texts += [line.partition(" ")[2] for line in (row.get("chapters") or "").splitlines()]
    names = [os.fsencode(text).decode("utf-8", "replace") for text in [*texts, path.stem]]
    return " ".join([*words_of(names), *romanised(names)])


def windows_table(tracks: Iterable[Track], dim: int) -> pa.Table:
    """The windows of tracks, a row each (`schema.windows_schema`)."""
    windows = [(track.row["key"], *window) for track in tracks for window in track.windows]
    keys, starts, seconds, vectors = zip(*windows, strict=True) if windows else ([], [], [], [])
    flat = np.concatenate([*vectors, np.empty(0, np.float32)]).astype(np.float16)
    columns = {
        "key": keys,
        "start": starts,
        "seconds": seconds,
        "vector": pa.FixedSizeListArray.from_arrays(flat, dim),
    }
    return pa.table(columns, schema=windows_schema(dim))
