"""The text encoders: tokens to one feature vector (paper, sections 3.4 and 5.1)."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, TypeAlias

from tokenizers import Tokenizer

from muscall.errors import ConfigError
from muscall.models.config import (
    ClapTextConfig,
    SentenceConfig,
    TextConfig,
    TransformerConfig,
    WordVectorsConfig,
)
from muscall.models.sentence import SentenceEncoder
from muscall.models.transformer import TextTransformer
from muscall.models.wordvectors import WordVectors

if TYPE_CHECKING:
    from muscall.models.clap import ClapText

TextEncoder: TypeAlias = "TextTransformer | SentenceEncoder | WordVectors | ClapText"

logger = logging.getLogger("muscall")


def new_text_encoder(config: TextConfig) -> TextEncoder:
    """The encoder that training starts from, with random weights or pretrained ones.

    Raises:
        CheckpointError: when those cannot be found or read.
        ConfigError: for a kind that is loaded whole and never made anew.
    """
    if isinstance(config, ClapTextConfig):
        raise ConfigError("model.text.kind: clap comes with a model that train.init names")
    if isinstance(config, SentenceConfig):
        return SentenceEncoder.pretrained(config)
    if isinstance(config, WordVectorsConfig):
        return WordVectors.pretrained(config)
    return TextTransformer(config)


def saved_text_encoder(config: TextConfig, tokenizer: Tokenizer | None) -> TextEncoder:
    """The encoder of a checkpoint, whose weights are yet to be loaded."""
    if isinstance(config, TransformerConfig):
        return TextTransformer(config)
    if tokenizer is None:
        raise ValueError("a pretrained text encoder needs its tokenizer")
    if isinstance(config, SentenceConfig):
        return SentenceEncoder(config, tokenizer)
    if isinstance(config, ClapTextConfig):
        from muscall.models.clap import ClapText  # takes transformers, which need not be there

        return ClapText(config, tokenizer)
    return WordVectors(config, tokenizer)


def warn_of_long(encoder: TextEncoder, captions: Collection[str]) -> None:
    """Log how many of `captions` are longer than `encoder` reads, if any are."""
    tokenizer = encoder.tokenizer
    encoded = [] if tokenizer is None else tokenizer.encode_batch(list(captions))
    if cut := sum(bool(one.overflowing) for one in encoded):
        logger.warning(
            "%d of %d captions are longer than the model reads, their ends do not count",
            cut,
            len(captions),
        )
