"""Find tracks with a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muscall.errors import AudioError
from muscall.library.embedding import Collection, embed_files
from muscall.library.wording import warn_if_long
from muscall.models.muscall import MusCALL


@dataclass(frozen=True)
class Hit:
    """A track that was found."""

    path: Path
    score: float
    """Cosine similarity. Orders the tracks for one sentence; its height means nothing."""
    rank: int
    """From 1."""
    standing: float
    """Where the score lies between the collection's median (0) and its best (1)."""


def rank(model: MusCALL, query: str, collection: Collection, n: int | None = None) -> list[Hit]:
    """The `n` tracks of `collection` that fit `query` best, best first; all for None.

    A query with more tokens than the model reads is cut off there, with a warning in the log.

    Raises:
        ValueError: an empty query.
    """
    if not query.strip():
        raise ValueError("the query is empty")
    warn_if_long(model, query)
    scores = collection.embeddings @ model.encode_text([query])[0]
    median, best = float(np.median(scores)), float(scores.max())
    order = np.argsort(-scores, kind="stable")[:n]
    return [
        Hit(
            path=collection.paths[index],
            score=float(scores[index]),
            rank=place,
            standing=float(np.interp(scores[index], [median, best], [0, 1])),
        )
        for place, index in enumerate(order, start=1)
    ]


def search(
    model: MusCALL,
    query: str,
    paths: str | Path | Sequence[str | Path],
    n: int = 10,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Hit], list[AudioError]]:
    """Embed every music file under `paths` (files or folders) and rank them for `query`.

    Args:
        progress: called with the number of files done and of all files.

    Returns:
        The best `n`, best first, and the files that could not be read, which are also logged.

    Raises:
        MuscallError: when a path does not exist, there is no music, or none that can be read.
        ValueError: an empty query.
    """
    collection = embed_files(model, paths, progress=progress)
    return rank(model, query, collection, n), collection.failures
