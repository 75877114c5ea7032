"""The music tagger musicnn as a teacher: its weights, its tags, and the log-mel of a whole track.

"musicnn: Pre-trained convolutional neural networks for music audio tagging" (Pons and Serra,
arXiv:1909.06654), with the weights of its package on PyPI (ISC licence): `mtt`, learned from
MagnaTagATune, hears instruments and voices; `msd`, learned from the Million Song Dataset, hears
genres, decades and moods. The network itself is `muscall.models.musicnn`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from muscall.models.musicnn import FRAME, HOP, Musicnn, mel_filters

Network = Literal["mtt", "msd"]

# In the order of the networks' outputs, spelled as in the data that they learned from.
TAGS: dict[Network, tuple[str, ...]] = {
    "mtt": (
        "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast",
        "piano", "ambient", "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male",
        "singing", "vocals", "no vocals", "harpsichord", "loud", "quiet", "flute", "woman",
        "male vocal", "no vocal", "pop", "soft", "sitar", "solo", "man", "classic", "choir",
        "voice", "new age", "dance", "male voice", "female vocal", "beats", "harp", "cello",
        "no voice", "weird", "country", "metal", "female voice", "choral",
    ),
    "msd": (
        "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s",
        "alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists",
        "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s",
        "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
        "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country",
        "easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock",
        "60s", "rnb", "indie pop", "sad", "House", "happy",
    ),
}  # fmt: skip


def log_mel(samples: Tensor) -> Tensor:
    """Samples (n,) float32 at RATE, n > FRAME // 2 -> (1 + n // HOP, MELS) float32.

    As the original, but that it rounds mel power to float16 on the way.
    """
    reflected = F.pad(samples[None, None], (FRAME // 2, FRAME // 2), mode="reflect")[0, 0]
    window, filters = torch.hann_window(FRAME), mel_filters()
    pieces = []
    # A few seconds at a time: whole tracks would take a gigabyte.
    for frames in reflected.unfold(0, FRAME, HOP).split(512):
        squares = torch.view_as_real(torch.fft.rfft(frames * window)).square()
        pieces.append(squares.sum(-1) @ filters)
    return torch.log10(1 + 10_000 * torch.cat(pieces))


WEIGHTS = Path(__file__).parent / "weights"


@cache
def pretrained(network: Network) -> Musicnn:
    """The network with its weights, for inference."""
    model = Musicnn()
    model.load_state_dict(load_file(WEIGHTS / f"{network}.safetensors"))
    return model.eval().requires_grad_(False)
