"""Reading sentences without torch, whose import takes longer than a search."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from tokenizers import Tokenizer

from muscall.models import checkpoint
from muscall.models.config import ModelConfig, SentenceConfig
from muscall.several import several

if TYPE_CHECKING:
    from muscall.models.muscall import MusCALL


Reader: TypeAlias = "MusCALL | SentenceReader"
"""What embeds sentences."""


class _Text(NamedTuple):
    tokenizer: Tokenizer


class SentenceReader:
    """The text branch of a checkpoint with a sentence encoder, in numpy and float32.

    It gives what `MusCALL.encode_text` gives in float32, to 1e-5.
    """

    def __init__(
        self, config: ModelConfig, weights: Mapping[str, np.ndarray], tokenizer: Tokenizer
    ) -> None:
        assert isinstance(config.text, SentenceConfig)
        assert config.text.bert is not None
        self.config, self._bert, self._weights = config, config.text.bert, weights
        tokenizer.no_padding()
        tokenizer.enable_truncation(min(config.text.context, self._bert.max_position_embeddings))
        self.text = _Text(tokenizer)
        self._floats: dict[str, np.ndarray] = {}

    def weights(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """Name, type and values of all weights, as a loaded `MusCALL` has them."""
        for name, weight in self._weights.items():
            if np.issubdtype(weight.dtype, np.floating):
                weight = weight.astype(np.float32)
            yield name, str(weight.dtype), weight

    def encode_text(self, sentences: str | Sequence[str]) -> np.ndarray:
        """(number of sentences, dim) float32, unit norm."""
        sentences = several(sentences)
        embeddings = np.empty((len(sentences), self.config.dim), np.float32)
        for row, sentence in zip(embeddings, sentences, strict=True):
            features = self._features(self.text.tokenizer.encode(sentence).ids)
            if self.config.text_adapter:
                hidden = _gelu(self._linear("text_adapter.0", features))
                features = features + self._linear("text_adapter.2", hidden)
            if self.config.projection:
                features = features @ self._float("text_projection.weight").T
            row[:] = _unit(features)
        return embeddings

    def _features(self, tokens: Sequence[int]) -> np.ndarray:
        bert = self._bert
        # Of all the words of a language, a sentence has few.
        x = self._weights["text.token_embedding.weight"][tokens].astype(np.float32)
        x = x + self._float("text.position_embedding.weight")[: len(tokens)]
        x = self._norm("text.norm", x + self._float("text.type_embedding.weight")[0])
        for number in range(bert.num_hidden_layers):
            layer = f"text.layers.{number}"
            shape = len(tokens), bert.num_attention_heads, -1
            query, key, value = (
                self._linear(f"{layer}.{name}", x).reshape(shape).swapaxes(0, 1)
                for name in ("query", "key", "value")
            )
            scores = query @ key.swapaxes(1, 2) / math.sqrt(query.shape[2])
            shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
            mixed = (shares / shares.sum(axis=-1, keepdims=True)) @ value
            mixed = mixed.swapaxes(0, 1).reshape(len(tokens), -1)
            x = self._norm(f"{layer}.norm1", x + self._linear(f"{layer}.out", mixed))
            hidden = _gelu(self._linear(f"{layer}.up", x))
            x = self._norm(f"{layer}.norm2", x + self._linear(f"{layer}.down", hidden))
        return _unit(x.mean(axis=0))

    def _float(self, name: str) -> np.ndarray:
        if name not in self._floats:
            self._floats[name] = self._weights[name].astype(np.float32)
        return self._floats[name]

    def _linear(self, name: str, x: np.ndarray) -> np.ndarray:
        return np.asarray(x @ self._float(f"{name}.weight").T + self._float(f"{name}.bias"))

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt(
            np.square(centred).mean(axis=-1, keepdims=True) + self._bert.layer_norm_eps
        )
        return np.asarray(
            centred / spread * self._float(f"{name}.weight") + self._float(f"{name}.bias")
        )


def sentence_reader(source: str | Path | None) -> SentenceReader | None:
    """What reads the sentences of a model, as `muscall.load` finds it; None if that needs torch.

    Raises:
        CheckpointError: when there is no such model or its files are damaged.
    """
    folder = checkpoint.located(source)
    settings = checkpoint.settings(folder)
    text = settings.get("text")
    is_sentence = isinstance(text, dict) and text.get("kind") == "sentence"
    if not is_sentence or settings.get("projection") == "mlp":
        return None
    config, weights, tokenizer = checkpoint.read(folder, "np")
    return None if tokenizer is None else SentenceReader(config, weights, tokenizer)


def _unit(x: np.ndarray) -> np.ndarray:
    return np.asarray(x / max(float(np.linalg.norm(x)), 1e-12))


def _gelu(x: np.ndarray) -> np.ndarray:
    return np.asarray(x * (1 + _erf(x / math.sqrt(2))) / 2)


def _erf(x: np.ndarray) -> np.ndarray:
    """Abramowitz and Stegun 7.1.26, off by 1.5e-7 at most: scipy's takes 0.2 s to import."""
    t, series = 1 / (1 + 0.3275911 * np.abs(x)), 0.0
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + factor) * t
    return np.asarray(np.copysign(1 - series * np.exp(-np.square(x)), x))
