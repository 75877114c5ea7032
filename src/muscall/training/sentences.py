"""Sentence vectors of an encoder that is not trained, computed once per caption."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.progress import track
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from muscall.models.checkpoint import written_aside
from muscall.models.sentence import SentenceEncoder


class SentenceVectors:
    """Unit vectors of captions, looked up by their words."""

    def __init__(self, captions: Sequence[str], vectors: Tensor) -> None:
        self._rows = {caption: row for row, caption in enumerate(captions)}
        self._vectors = vectors

    def __call__(self, captions: Sequence[str]) -> Tensor:
        """-> (len(captions), features) float32, unit norm."""
        return self._vectors[[self._rows[caption] for caption in captions]]


@torch.inference_mode()
def sentence_vectors(
    encoder: SentenceEncoder, captions: Sequence[str], cache: Path
) -> SentenceVectors:
    """Encode each different caption once; read from the folder `cache` if that was done before."""
    captions = sorted(set(captions))
    told = hashlib.sha256("\0".join(captions).encode())
    for value in encoder.state_dict().values():
        told.update(value.cpu().numpy().tobytes())
    file = cache / f"{told.hexdigest()[:16]}.safetensors"
    if file.exists():
        return SentenceVectors(captions, load_file(file)["vectors"])
    training, device = encoder.training, next(encoder.parameters()).device
    encoder.eval()
    tokens = [encoder.tokenize([caption])[0] for caption in captions]
    vectors = torch.empty(len(captions), encoder.features)
    order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
    for start in track(range(0, len(order), 64), "sentence vectors", transient=True):
        rows = order[start : start + 64]
        padded = nn.utils.rnn.pad_sequence([tokens[row] for row in rows], batch_first=True)
        vectors[rows] = encoder(padded.to(device)).cpu()
    encoder.train(training)
    with written_aside(cache) as aside:
        save_file({"vectors": vectors}, aside / file.name)
    return SentenceVectors(captions, vectors)
