"""Vectors of sentences by a frozen encoder, computed once per caption."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from safetensors.torch import load_file, save_file
from torch import Tensor

from muscall.models.checkpoint import written_aside
from muscall.models.sentence import SentenceEncoder
from muscall.training.distributed import Group

logger = logging.getLogger("muscall")

EQUAL = "equal"  # in place of an encoder: `equality_vectors`
BATCH = 64  # sentences that a process encodes together


class SentenceVectors:
    """Unit vectors of captions, by caption."""

    def __init__(self, captions: Sequence[str], vectors: Tensor) -> None:
        self._rows = {caption: row for row, caption in enumerate(captions)}
        self._vectors = vectors

    def __call__(self, captions: Sequence[str]) -> Tensor:
        """-> (len(captions), features) float32, unit norm."""
        return self._vectors[[self._rows[caption] for caption in captions]]


def equality_vectors(captions: Sequence[str]) -> Tensor:
    """Vectors (len(captions), 256) float32, unit norm, of a cosine of 1 for equal captions alone.

    For others it is near 0: their signs are the bits of a hash.
    """
    digests = [
        hashlib.sha256(caption.encode("utf-8", "surrogatepass")).digest() for caption in captions
    ]
    bits = np.unpackbits(
        np.frombuffer(b"".join(digests), np.uint8).reshape(len(captions), 32), axis=1
    )
    return torch.from_numpy(bits.astype(np.float32) / 8 - 1 / 16)


@torch.inference_mode()
def sentence_vectors(
    encoder: SentenceEncoder, captions: Sequence[str], cache: Path, group: Group
) -> SentenceVectors:
    """Encode each different caption once, each process its share of every batch.

    The vectors are kept in the folder `cache` and read from there the next time. The encoder runs
    on the device that it is on.
    """
    captions = sorted(set(captions), key=lambda caption: (len(caption), caption))
    name = hashlib.sha256("\0".join(captions).encode())
    for value in encoder.state_dict().values():
        name.update(value.cpu().numpy().tobytes())
    file = cache / f"{name.hexdigest()[:16]}.safetensors"
    device = next(encoder.parameters()).device
    # Either all processes read the file or none does: on several machines some may not see it.
    found = torch.tensor(float(file.exists()), device=device)
    group.sum_([found])
    if found == group.world:
        return SentenceVectors(captions, load_file(file)["vectors"])
    training = encoder.training
    encoder.eval()
    vectors = torch.empty(len(captions), encoder.features)
    starts = range(0, len(captions), BATCH * group.world)
    for start in _tracked(starts, len(captions), group):
        firsts = range(start, start + BATCH * group.world, BATCH)
        shares = [captions[first : first + BATCH] for first in firsts]
        own = shares[group.rank]
        encoded = torch.empty(0, encoder.features, device=device)
        if own:
            encoded = encoder(encoder.tokenize(own).to(device))
        gathered = group.gather(encoded, [len(share) for share in shares])
        vectors[start : start + len(gathered)] = gathered.cpu()
    encoder.train(training)
    if group.is_main:
        with written_aside(cache) as aside:
            save_file({"vectors": vectors}, aside / file.name)
    return SentenceVectors(captions, vectors)


def _tracked(starts: range, count: int, group: Group) -> Iterable[int]:
    """`starts` with a progress bar in the terminal of the main process, and a line in its log."""
    if not group.is_main:
        return starts
    logger.info("computing the vectors of %d sentences", count)
    console = Console(stderr=True)
    return track(
        starts, "sentence vectors", console=console, transient=True, disable=not console.is_terminal
    )
