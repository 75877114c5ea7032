"""Text-to-audio and audio-to-text retrieval of a model on a manifest (paper, section 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from muscall.data.manifest import Row
from muscall.errors import AudioError
from muscall.evaluation.embedding import embed_readable
from muscall.evaluation.metrics import retrieval_intervals, retrieval_metrics
from muscall.models.inference import Segment, Windows
from muscall.models.muscall import MusCALL

Captions = Literal["first", "every"]
"""Which captions of a row ask for it."""


@dataclass(frozen=True)
class RetrievalResult:
    """What `retrieval_metrics` gives in each direction, over the `items` that could be read.

    `audio` (items, dim) and `text` (queries, dim) are embeddings, float32, unit norm; `right`
    (queries, items) bool says which audio each caption is right for. `shared` captions are of
    several rows.
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
        """(queries, items) float32: of each caption, a row, to each audio."""
        return np.asarray(self.text @ self.audio.T)

    @cached_property
    def intervals(self) -> dict[str, dict[str, tuple[float, float]]]:
        """The 95 % bootstrap intervals of both, by direction."""
        return {
            "text_to_audio": retrieval_intervals(self.similarity, self.right),
            "audio_to_text": retrieval_intervals(self.similarity.T, self.right.T),
        }

    def as_dict(self) -> dict[str, Any]:
        """The scores and the number of items, for JSON.

        With `captions` and the number of `queries` where every caption asked, and the number of
        `shared_captions` where there are some.
        """
        told: dict[str, Any] = {
            "text_to_audio": self.text_to_audio,
            "audio_to_text": self.audio_to_text,
            "intervals": self.intervals,
            "items": self.items,
        }
        if self.captions == "every":
            told |= {"captions": self.captions, "queries": len(self.text)}
        return told | ({"shared_captions": self.shared} if self.shared else {})


def evaluate_retrieval(
    model: MusCALL,
    rows: Sequence[Row],
    *,
    captions: Captions | None = None,
    windows: Windows = "centre",
    progress: Callable[[int, int], None] | None = None,
) -> RetrievalResult:
    """Find each row's audio with its caption, and the other way round.

    Rows that share a caption are right for each other. A tie with a wrong one counts as a miss
    (see `retrieval_metrics`).

    Args:
        captions: "first" asks with each row's first caption, as the paper. "every" asks with all of
            them, and any caption of a row is right for its audio: the standard protocol of Song
            Describer and MusicCaps. None for what the rows say, see `Row.every_caption`.
        windows: "centre" embeds the central window of each row (paper, section 4.2), "all" the
            whole of it.
        progress: called with the number of rows done and of all rows.

    Returns:
        The scores. A row whose audio cannot be read is logged, left out and listed in `failures`.

    Raises:
        MuscallError: when no row can be read.
    """
    captions = captions or ("every" if all(row.every_caption for row in rows) else "first")
    segments = [Segment(row.audio, row.start, row.duration) for row in rows]
    indices, audio, failures = embed_readable(model, segments, windows=windows, progress=progress)
    asked = [rows[index].captions[: None if captions == "every" else 1] for index in indices]
    text = model.encode_text([caption for own in asked for caption in own])
    right, shared = right_items(asked)
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


def right_items(captions: Sequence[Sequence[str]]) -> tuple[np.ndarray, int]:
    """Which items have a caption, whatever its spaces and capitals.

    Args:
        captions: of each item.

    Returns:
        (captions of all items, items) bool; and how many different ones are of several items.
    """
    owners: dict[str, set[int]] = {}
    asked = [
        (" ".join(text.split()).casefold(), item)
        for item, own in enumerate(captions)
        for text in own
    ]
    for text, item in asked:
        owners.setdefault(text, set()).add(item)
    right = np.zeros((len(asked), len(captions)), bool)
    for query, (text, _) in enumerate(asked):
        right[query, list(owners[text])] = True
    return right, sum(len(items) > 1 for items in owners.values())
