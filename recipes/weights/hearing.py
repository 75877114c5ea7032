"""What the tagger hears of the recordings: features of every window, kept in `recordings.npz`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from muscall.errors import AudioError
from muscall.models.config import MusicnnConfig
from muscall.models.inference import track_windows
from muscall.models.tagger import TaggerEncoder
from muscall.writing import written_aside
from recipes.corpus.recordings.sources import sources, tracks
from recipes.corpus.teacher.musicnn import WEIGHTS
from recipes.corpus.teacher.tagging import NETWORKS

STORE = Path(__file__).with_name("recordings.npz")
TOGETHER = 8  # windows


@dataclass(frozen=True)
class WindowFeatures:
    """Features (windows, features) float32 before they are standardised, of which track each window
    is, and of which group (a game, a composer) each track.
    """

    features: np.ndarray
    track: np.ndarray
    groups: Sequence[str]

    def weights(self) -> np.ndarray:
        """(windows,) of sum 1: long tracks, and groups of many, count less than by their number."""
        _, inverse, sizes = np.unique(self.groups, return_inverse=True, return_counts=True)
        per_track = sizes[inverse] ** -0.5 / np.bincount(self.track, minlength=len(self.groups))
        weights = per_track[self.track]
        return np.asarray(weights / weights.sum())

    def of_tracks(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means over each track of (windows, n), and the tracks' weights, of sum 1."""
        count = len(self.groups)
        sums = np.zeros((count, values.shape[1]))
        np.add.at(sums, self.track, values)
        means = sums / np.bincount(self.track, minlength=count)[:, None]
        return means, np.bincount(self.track, self.weights(), count)


def tagger(config: MusicnnConfig) -> TaggerEncoder:
    """The encoder with the weights of musicnn's package; its features are not standardised yet."""
    encoder = TaggerEncoder(config)
    for network, name in zip(encoder.backbone.networks, NETWORKS, strict=True):
        network.load_state_dict(load_file(WEIGHTS / f"{name}.safetensors"))
    return encoder.eval()


@torch.inference_mode()
def features(encoder: TaggerEncoder, path: Path) -> np.ndarray:
    """(windows, features) float32 of a whole file; raises AudioError."""
    config = encoder.config
    windows = list(track_windows(path, config.window_samples, config.sample_rate, "all"))
    chunks = [np.stack(windows[n : n + TOGETHER]) for n in range(0, len(windows), TOGETHER)]
    return np.concatenate([encoder(torch.from_numpy(chunk)).numpy() for chunk in chunks])


def recordings(cache: Path, store: Path = STORE) -> WindowFeatures:
    """Of every recording that may be trained on: as kept in `store`, or heard now and kept there.

    Raises:
        PackageError, ReservedError: a package cannot be had.
    """
    if not store.exists():
        encoder = tagger(MusicnnConfig())
        found, groups = [], []
        for track in tracks(cache):
            try:
                found.append(features(encoder, track.path))
            except AudioError as error:
                print(error, file=sys.stderr)
                continue
            groups.append(sources()[track.package]["group"])
            print(f"heard {track.name}", file=sys.stderr)
        with written_aside(store) as file:
            np.savez_compressed(
                file,
                features=np.concatenate(found).astype(np.float16),
                track=np.repeat(np.arange(len(found)), [len(one) for one in found]),
                groups=groups,
            )
    with np.load(store) as table:
        return WindowFeatures(
            table["features"].astype(np.float32), table["track"], table["groups"].tolist()
        )
