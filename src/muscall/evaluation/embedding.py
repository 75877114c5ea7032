"""Embed the tracks that can be read, and report the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from muscall.errors import AudioError, MuscallError
from muscall.models.inference import AudioInput, Windows, listed
from muscall.models.muscall import MusCALL

log = logging.getLogger("muscall")


def embed_readable(
    model: MusCALL,
    inputs: AudioInput | Sequence[AudioInput],
    *,
    windows: Windows = "all",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[int], np.ndarray, list[AudioError]]:
    """Embed audio. An input that cannot be read is logged and left out.

    Args:
        windows: "all" pools windows over the whole track, "centre" takes the central one.
        progress: called with the number of inputs done and of all inputs.

    Returns:
        The indices of the n inputs that could be read; their embeddings (n, dim) float32, unit
        norm; the errors of the others.

    Raises:
        MuscallError: no input can be read.
    """
    inputs = listed(inputs)
    indices: list[int] = []
    embeddings: list[np.ndarray] = []
    failures: list[AudioError] = []
    logged: set[str] = set()
    for index, result in model.encode_each(inputs, windows=windows):
        if isinstance(result, AudioError):
            if (line := str(result)) not in logged:  # a damaged shard is reported once
                log.warning("%s", line)
                logged.add(line)
            failures.append(result)
        else:
            indices.append(index)
            embeddings.append(result)
        if progress is not None:
            progress(index + 1, len(inputs))
    if not indices:
        raise MuscallError(f"none of {len(inputs)} files can be read")
    return indices, np.stack(embeddings), failures
