"""What the teacher hears: 100 tag probabilities and 400 features of a track or a part of it.

    python -m recipes.corpus.teacher.tagging OUT.npz FILES_OR_FOLDERS...

Stops and resumes: what OUT.npz holds is not heard again. A file that cannot be read is named and
left out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import soxr
import torch

from muscall.audio import decode
from muscall.audio.files import find_audio
from muscall.audio.windows import loop_to
from muscall.errors import AudioError, MuscallError
from muscall.models.config import MUSICNN_RATE as RATE
from muscall.models.inference import AudioInput, Segment
from muscall.models.musicnn import HOP, PATCH
from muscall.writing import written_aside
from recipes.corpus.teacher.musicnn import TAGS, Network, log_mel, pretrained

NETWORKS: tuple[Network, ...] = ("mtt", "msd")
NAMES = tuple(f"{network}/{tag}" for network in NETWORKS for tag in TAGS[network])
_TOGETHER = 8  # patches; more of them leave the processor's caches


def tags(items: Sequence[AudioInput], stride: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The means over each item's patches of 3 s.

    Args:
        items: paths, `Segment`s of files, or (samples, rate) with samples (n,) or (channels, n).
        stride: one patch in so many is heard.

    Returns:
        Probabilities (items, 100) float32, in the order of NAMES, and features (items, 400).

    Raises:
        AudioError: an item cannot be read.
    """
    means = [[part.mean(axis=0) for part in taggram(item, stride)] for item in items]
    return np.stack([mean[0] for mean in means]), np.stack([mean[1] for mean in means])


@torch.inference_mode()
def taggram(item: AudioInput, stride: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (patches, 100) and features (patches, 400) float32 over time.

    A rest shorter than a patch is left out, as musicnn does; an item that is shorter is repeated.
    Args and errors as for `tags`.
    """
    samples = _samples(item)
    if len(samples) < PATCH * HOP:
        samples = loop_to(samples, PATCH * HOP)
    frames = log_mel(torch.from_numpy(samples))
    patches = frames[: len(frames) // PATCH * PATCH].unflatten(0, (-1, PATCH))[::stride]
    pieces = []
    for some in patches.split(_TOGETHER):
        heard = [pretrained(network)(some) for network in NETWORKS]
        logits, features = (torch.cat(parts, dim=1) for parts in zip(*heard, strict=True))
        pieces.append((logits.sigmoid().numpy(), features.numpy()))
    probabilities, features = zip(*pieces, strict=True)
    return np.concatenate(probabilities), np.concatenate(features)


def named(probabilities: np.ndarray) -> dict[str, float]:
    """One row of `tags` with its names, to 4 decimals: `{"mtt/guitar": 0.1234, ...}`."""
    return {name: round(float(p), 4) for name, p in zip(NAMES, probabilities, strict=True)}


def _samples(item: AudioInput) -> np.ndarray:
    """Mono float32 at RATE."""
    if isinstance(item, tuple):
        samples, rate = item
        mono = np.asarray(samples, np.float32)
        mono = mono.mean(axis=0) if mono.ndim == 2 else mono
        if not (len(mono) and np.isfinite(mono).all()):
            raise AudioError("samples", "none, or NaN or infinite values")
        return np.asarray(soxr.resample(mono, rate, RATE), np.float32)
    part = item if isinstance(item, Segment) else Segment(Path(item))
    return decode.read(part.path, start=part.start, duration=part.duration, sample_rate=RATE)


def listen(
    paths: Iterable[Path], store: Path, *, every: int = 100, stride: int = 1
) -> Iterator[tuple[int, Path]]:
    """Tags of all `paths` into `store`, an npz of `paths`, `probabilities` and `features`.

    Paths that `store` has are passed over, so that a stopped run goes on; it is written after
    each `every` files.

    Yields:
        How many are in, and the path just heard.
    """
    rows: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    if store.exists():
        with np.load(store) as table:
            columns = (table[name] for name in ("paths", "probabilities", "features"))
            rows = {str(path): (p, f) for path, p, f in zip(*columns, strict=True)}

    def write() -> None:
        with written_aside(store) as file:
            probabilities, features = (
                np.stack(column) for column in zip(*rows.values(), strict=True)
            )
            np.savez(file, paths=list(rows), probabilities=probabilities, features=features)

    new = 0
    for path in paths:
        if str(path) in rows:
            continue
        try:
            probabilities, features = tags([path], stride)
        except AudioError as error:
            print(error, file=sys.stderr)
            continue
        rows[str(path)] = probabilities[0], features[0]
        new += 1
        if new % every == 0:
            write()
        yield len(rows), path
    if new % every:
        write()


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Tags of many files, resumable.")
    parser.add_argument("store", type=Path, metavar="OUT.npz")
    parser.add_argument("inputs", type=Path, nargs="+", metavar="FILES_OR_FOLDERS")
    options = parser.parse_args()
    files = find_audio(options.inputs)
    for done, path in listen(files, options.store):
        print(f"{done} of {len(files)}: {path}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except MuscallError as error:
        sys.exit(f"tagging: {error}")
