"""The default weights: a tagger that knows real records, and a dictionary of musical words.

    python -m recipes.weights.default [--out DIR]

1. Features of every recording of the open corpus (`hearing.py`).
2. The sentence encoder learns the dictionary (`wording.py`): ten minutes on two cores, resumable.
3. The joint space starts as the direct score and is trained contrastively from there (`heads.py`).

Writes a checkpoint, DIR/best.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

import muscall
from muscall.models.config import ModelConfig, MusicnnConfig
from recipes.corpus.packages import PackageError
from recipes.dictionary.dictionary import ATTRIBUTES, Concept, read
from recipes.dictionary.sentences import Composer
from recipes.weights import heads, hearing, wording

CACHE = Path(__file__).parents[2] / "corpora" / "cache"
DIM, ADAPTER = 128, 512
COMPOSED = 8000  # captions that are made of more than one phrase, beside all phrases


def build(
    heard: hearing.WindowFeatures,
    tuned: wording.TunedEncoder,
    concepts: Sequence[Concept],
    *,
    steps: int,
    seed: int = 0,
) -> muscall.MusCALL:
    """The model, its joint space trained for so many steps; 0 for the direct score."""
    torch.manual_seed(seed)
    encoder = tuned.encoder.requires_grad_(False).eval()
    text = encoder.config.model_copy(update={"frozen": True})
    config = ModelConfig(dim=DIM, audio=MusicnnConfig(), text=text, text_adapter=ADAPTER)
    model = muscall.MusCALL(config, encoder)
    model.config = config
    model.audio = hearing.tagger(config.audio)
    places = [ATTRIBUTES.index(name) for name in heads.HEARD]
    to_profile = tuned.to_profile
    heads.start(model, heard, to_profile.weight[places], to_profile.bias[places])
    if steps:
        composer, rng = Composer(concepts, heads.HEARD), np.random.default_rng(seed)
        texts, profiles = zip(*composer.phrases, *composer.draw(rng, COMPOSED), strict=True)
        sentences = wording.features(encoder, texts)
        heads.contrast(model, heard, sentences, np.stack(profiles), steps=steps, seed=seed)
    return model.eval()


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Train the default weights.")
    parser.add_argument("--out", type=Path, default=Path("runs/weights/default"))
    parser.add_argument("--words", type=int, default=wording.STEPS, help="steps of wording.py")
    parser.add_argument("--steps", type=int, default=heads.STEPS, help="steps of heads.py")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    concepts = read()
    try:
        heard = hearing.recordings(CACHE)
    except PackageError as error:
        sys.exit(f"default: {error}")
    words = options.out / "words.pt"
    tuned = wording.fine_tune(Composer(concepts), words, steps=options.words, seed=options.seed)
    model = build(heard, tuned, concepts, steps=options.steps, seed=options.seed)
    model.save_pretrained(options.out / "best")
    print(options.out / "best")


if __name__ == "__main__":
    main()
