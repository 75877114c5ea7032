"""Text-to-audio and audio-to-text retrieval of a model on a manifest (paper, section 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from muscall.data.manifest import Row
from muscall.errors import AudioError
from muscall.evaluation.embedding import embed_readable
from muscall.evaluation.metrics import retrieval_intervals, retrieval_metrics
from muscall.models.inference import Segment, Windows
from muscall.models.muscall import MusCALL


@dataclass(frozen=True)
class RetrievalResult:
    """What `retrieval_metrics` gives in each direction, over the `items` that could be read.

    `audio` and `text` are their embeddings, (items, dim) float32, unit norm.
    """

    text_to_audio: dict[str, float]
    audio_to_text: dict[str, float]
    items: int
    failures: list[AudioError]
    audio: np.ndarray = field(repr=False, compare=False)
    text: np.ndarray = field(repr=False, compare=False)

    @cached_property
    def similarity(self) -> np.ndarray:
        """(items, items) float32: of each caption, a row, to each audio."""
        return np.asarray(self.text @ self.audio.T)

    @cached_property
    def intervals(self) -> dict[str, dict[str, tuple[float, float]]]:
        """The 95 % bootstrap intervals of both, by direction."""
        return {
            "text_to_audio": retrieval_intervals(self.similarity),
            "audio_to_text": retrieval_intervals(self.similarity.T),
        }

    def as_dict(self) -> dict[str, Any]:
        """The scores and the number of items, for JSON."""
        return {
            "text_to_audio": self.text_to_audio,
            "audio_to_text": self.audio_to_text,
            "intervals": self.intervals,
            "items": self.items,
        }


def evaluate_retrieval(
    model: MusCALL,
    rows: Sequence[Row],
    *,
    windows: Windows = "centre",
    progress: Callable[[int, int], None] | None = None,
) -> RetrievalResult:
    """Find each row's audio with its first caption, and the other way round.

    Rows with the same caption compete with each other: only the row's own item is right, and a
    tie counts as a miss (see `retrieval_metrics`).

    Args:
        windows: "centre" embeds the central window of each row (paper, section 4.2), "all" the
            whole of it.
        progress: called with the number of rows done and of all rows.

    Returns:
        The scores. A row whose audio cannot be read is logged, left out and listed in `failures`.

    Raises:
        MuscallError: when no row can be read.
    """
    segments = [Segment(row.audio, row.start, row.duration) for row in rows]
    indices, audio, failures = embed_readable(model, segments, windows=windows, progress=progress)
    text = model.encode_text([rows[index].captions[0] for index in indices])
    similarity = text @ audio.T
    return RetrievalResult(
        text_to_audio=retrieval_metrics(similarity),
        audio_to_text=retrieval_metrics(similarity.T),
        items=len(indices),
        failures=failures,
        audio=audio,
        text=text,
    )
