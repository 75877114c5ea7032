"""The text encoders: tokens to one feature vector (paper, sections 3.4 and 5.1)."""

from __future__ import annotations

from tokenizers import Tokenizer

from muscall.models.config import SentenceConfig, TextConfig, TransformerConfig, WordVectorsConfig
from muscall.models.sentence import SentenceEncoder
from muscall.models.transformer import TextTransformer
from muscall.models.wordvectors import WordVectors

TextEncoder = TextTransformer | SentenceEncoder | WordVectors


def new_text_encoder(config: TextConfig) -> TextEncoder:
    """The encoder that training starts from: with random weights or, where it has some,
    pretrained ones.

    Raises:
        CheckpointError: when those cannot be found or read.
    """
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
    return WordVectors(config, tokenizer)
