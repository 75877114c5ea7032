"""Text-to-audio and audio-to-text retrieval of a model on a manifest (paper, section 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal

import numpy as np

from muscall.data.manifest import Row
from muscall.errors import AudioError, MuscallError
from muscall.evaluation.embedding import embed_readable
from muscall.evaluation.metrics import retrieval_metrics, retrieval_scores
from muscall.evaluation.score import Score, intervals
from muscall.models.inference import Segment, Windows
from muscall.models.muscall import MusCALL

Captions = Literal["first", "every"]
"""Which captions of a row are queries."""


@dataclass(frozen=True)
class RetrievalResult:
    """The `retrieval_metrics` of both directions, over the `items` that could be read.

    `audio` (items, dim) and `text` (queries, dim) are embeddings, float32, unit norm. `right`
    (queries, items) bool says which captions belong to which audio. `shared` is the number of
    captions that belong to several rows.
    """

    text_to_audio: dict[str, float]
    audio_to_text: dict[str, float]
    items: int
    failures: list[AudioError]
    captions: Captions
    shared: int
    audio: np.ndarray = field(repr=False, compare=False)
    text: np.ndarray = field(repr=False, compare=False)
    right: np.ndarray = field(repr=False, compare=False)

    @cached_property
    def similarity(self) -> np.ndarray:
        """(queries, items) float32: cosine similarity of captions and audio."""
        return np.asarray(self.text @ self.audio.T)

    @cached_property
    def scores(self) -> dict[str, dict[str, Score]]:
        """The scores of both directions with their 95 % bootstrap intervals, by direction."""
        return {
            "text_to_audio": retrieval_scores(self.similarity, self.right),
            "audio_to_text": retrieval_scores(self.similarity.T, self.right.T),
        }

    def as_dict(self) -> dict[str, Any]:
        """The scores and the number of items, for JSON.

        `captions` and `queries` are added where every caption is a query, and `shared_captions`
        where there are some.
        """
        result: dict[str, Any] = {
            "text_to_audio": self.text_to_audio,
            "audio_to_text": self.audio_to_text,
            "intervals": {way: intervals(scores) for way, scores in self.scores.items()},
            "items": self.items,
        }
        if self.captions == "every":
            result |= {"captions": self.captions, "queries": len(self.text)}
        return result | ({"shared_captions": self.shared} if self.shared else {})


def evaluate_retrieval(
    model: MusCALL,
    rows: Sequence[Row],
    *,
    captions: Captions | None = None,
    items: int | None = None,
    seed: int = 0,
    windows: Windows = "centre",
    progress: Callable[[int, int], None] | None = None,
) -> RetrievalResult:
    """Find each row's audio with its caption, and the other way round.

    Rows that share a caption are right for each other. A tie with a wrong one counts as a miss
    (see `retrieval_metrics`).

    Args:
        captions: "first": each row's first caption is a query, as in the paper. "every": all its
            captions are, and each is right for its audio, the standard protocol of Song
            Describer and MusicCaps. None: as the rows say, see `Row.every_caption`.
        items: score a fixed draw of so many rows, see `draw`. The paper draws 1,000 pairs of its
            test split (section 5.1).
        seed: which draw.
        windows: "centre" embeds the central window of each row (paper, section 4.2), "all" the
            whole of it.
        progress: called with the number of rows done and of all rows.

    Returns:
        The scores. A row whose audio cannot be read is logged, left out and listed in `failures`.

    Raises:
        MuscallError: no row can be read, or there are fewer rows than `items`.

    Example:
        >>> model = muscall.load()
        >>> result = evaluate_retrieval(model, read_manifest("test.jsonl"), items=1000)
        >>> result.text_to_audio["R@10"]
    """
    rows = rows if items is None else draw(rows, items, seed)
    captions = captions or ("every" if all(row.every_caption for row in rows) else "first")
    segments = [Segment(row.audio, row.start, row.duration) for row in rows]
    indices, audio, failures = embed_readable(model, segments, windows=windows, progress=progress)
    queries = [rows[index].captions[: None if captions == "every" else 1] for index in indices]
    text = model.encode_text([caption for own in queries for caption in own])
    right, shared = right_items(queries)
    similarity = text @ audio.T
    return RetrievalResult(
        text_to_audio=retrieval_metrics(similarity, right),
        audio_to_text=retrieval_metrics(similarity.T, right.T),
        items=len(indices),
        failures=failures,
        captions=captions,
        shared=shared,
        audio=audio,
        text=text,
        right=right,
    )


def draw(rows: Sequence[Row], items: int, seed: int = 0) -> list[Row]:
    """Draw `items` rows. Their ids and `seed` decide the draw, not their order.

    Raises:
        MuscallError: there are fewer rows, or `items` is less than 1.
    """
    if not 1 <= items <= len(rows):
        raise MuscallError(f"cannot draw {items} of {len(rows)} rows: ask for 1 to {len(rows)}")
    return sorted(rows, key=lambda row: sha256(f"{seed}\0{row.id}".encode()).digest())[:items]


def right_items(captions: Sequence[Sequence[str]]) -> tuple[np.ndarray, int]:
    """Which captions belong to which items. Spaces and capitals do not count.

    Args:
        captions: those of each item.

    Returns:
        (captions of all items, items) bool; and the number of different captions that belong to
        several items.
    """
    owners: dict[str, set[int]] = {}
    queries = [
        (" ".join(text.split()).casefold(), item)
        for item, own in enumerate(captions)
        for text in own
    ]
    for text, item in queries:
        owners.setdefault(text, set()).add(item)
    right = np.zeros((len(queries), len(captions)), bool)
    for query, (text, _) in enumerate(queries):
        right[query, list(owners[text])] = True
    return right, sum(len(items) > 1 for items in owners.values())
