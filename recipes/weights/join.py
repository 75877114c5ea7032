"""Two trained models as one, whose audio encoder has the branches of both.

A similarity of it is close to the weighted mean of theirs. Nothing is trained: both embeddings side
by side are turned so that `dim` values keep what sentences differ in, and the text encoder, which
both share, is projected by least squares to where they had the sentences.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from unpacking import Row

import muscall
from muscall.models.inference import track_windows

SENTENCES, SOUNDS = 4000, 200  # that the joint space is fitted to


@torch.no_grad()
def joined(
    models: tuple[muscall.MusCALL, muscall.MusCALL],
    shares: tuple[float, float],
    sentences: Tensor,
    windows: Tensor,
) -> muscall.MusCALL:
    """One model of two with the same frozen text encoder and audio encoders configured alike.

    Args:
        models: the text adapter of the first, if it has one, is kept.
        shares: of both in a similarity, in sum 1.
        sentences: (n, features of the text encoder), more than `dim`; the space is made for them.
        windows: (m, samples) sound, on which both branches are made equally loud.
    """
    first = models[0]
    audio = first.config.audio.model_copy(update={"branches": len(models)})
    # The heads that were needed for training alone fit one branch, and are not kept.
    kept = {"audio": audio, "teacher_dim": 0, "ssl_dim": 0}
    model = muscall.MusCALL(first.config.model_copy(update=kept), first.text)
    own = first.state_dict()
    state = {name: own.get(name, value) for name, value in model.state_dict().items()}
    placed, projections = [], []
    for number, (part, share) in enumerate(zip(models, shares, strict=True)):
        for name, value in part.audio.backbone.state_dict().items():
            state[f"audio.backbone.branches.{number}.{name}"] = value
        for name, value in part.audio.pool.state_dict().items():
            state[f"audio.pool.pools.{number}.{name}"] = value
        placed.append(share**0.5 * part.project_text(sentences))
        loudness = part.audio_projection(part.audio(windows)).norm(dim=1).mean()
        projections.append(share**0.5 * part.audio_projection.weight / loudness)
    both = torch.cat(placed, dim=1)
    turn = torch.linalg.svd(both, full_matrices=False).Vh[: model.config.dim]
    read = sentences if model.text_adapter is None else sentences + first.text_adapter(sentences)
    state["text_projection.weight"] = torch.linalg.lstsq(
        read, F.normalize(both @ turn.T)
    ).solution.T
    state["audio_projection.weight"] = turn @ torch.block_diag(*projections)
    model.load_weights(state, origin="the joined model")
    return model.eval()


def join(
    folders: tuple[Path, Path], shares: tuple[float, float], rows: Sequence[Row], sound: Path
) -> muscall.MusCALL:
    """The models of these checkpoint folders joined, on some of the rows that they learned from,
    whose audio is in the folder `sound`.
    """
    models = muscall.load(folders[0], device="cpu"), muscall.load(folders[1], device="cpu")
    rng = random.Random(0)
    chosen = rng.sample(rows, min(SENTENCES, len(rows)))
    text, audio = models[0].text, models[0].config.audio
    with torch.inference_mode():
        told = [rng.choice(row["caption"]) for row in chosen]
        sentences = torch.cat([text(text.tokenize([caption])) for caption in told])
    windows = [
        next(track_windows(sound / row["audio"], audio.window_samples, audio.sample_rate, "centre"))
        for row in chosen[:SOUNDS]
    ]
    return joined(models, shares, sentences.clone(), torch.from_numpy(np.stack(windows)))
