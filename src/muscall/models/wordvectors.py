"""The baseline's text encoder: the mean of pretrained word vectors (paper, section 5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from muscall.errors import CheckpointError, needs
from muscall.models.config import WordVectorsConfig
from muscall.models.transformer import pad
from muscall.several import several
from muscall.text.words import word_tokenizer


class WordVectors(nn.Module):
    """Lower-cased words to the mean of their vectors (word2vec: Mikolov et al. 2013).

    Words without a vector are ignored. A sentence without known words gets the mean of all vectors,
    which is row 0 of the table.
    """

    def __init__(self, config: WordVectorsConfig, tokenizer: Tokenizer) -> None:
        super().__init__()
        if config.vector_size is None:
            raise CheckpointError(f"{config.vectors}: the size of its word vectors is not known")
        self.config = config
        self.tokenizer = tokenizer
        self.features = config.vector_size
        self.vectors = nn.Embedding(tokenizer.get_vocab_size(), self.features)
        if config.frozen:
            self.requires_grad_(False)

    @classmethod
    def pretrained(cls, config: WordVectorsConfig) -> WordVectors:
        """The encoder with the words and vectors of the file that `config.vectors` names.

        Raises:
            CheckpointError: when the file cannot be read or gensim, which reads it, is missing.
        """
        words, vectors = read_vectors(config.vectors, config.limit)
        config = config.model_copy(update={"vector_size": vectors.shape[1]})
        encoder = cls(config, word_tokenizer(words))
        table = np.concatenate([vectors.mean(axis=0, keepdims=True), vectors])
        encoder.load_state_dict({"vectors.weight": torch.from_numpy(table)})
        return encoder

    def tokenize(self, sentences: str | Sequence[str]) -> Tensor:
        """Sentences -> (n, longest) int64 numbers of words, right-padded with 0."""
        return pad([encoding.ids for encoding in self.tokenizer.encode_batch(several(sentences))])

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, tokens) int64, 0 where there is no known word -> (batch, features), any norm."""
        known = (tokens != 0).unsqueeze(-1)
        total = (self.vectors(tokens) * known).sum(dim=1)
        count = known.sum(dim=1)
        return torch.where(count > 0, total / count.clamp(min=1), self.vectors.weight[0])


def read_vectors(path: str | Path, limit: int) -> tuple[list[str], np.ndarray]:
    """Word vectors from a file in one of word2vec's formats: text or, named .bin, binary; also .gz.

    Words are lower-cased. If a word has several spellings, the lower-case one is used, or else the
    first.

    Args:
        limit: how many words are read.

    Returns:
        The words and their vectors, (words, size) float32.

    Raises:
        CheckpointError: when there is no such file, or it is damaged.
        MissingExtra: gensim is not installed.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"{path}: no such word vectors; recipes/word2vec/train.py makes some")
    with needs("word2vec", f"{path}: reading word vectors"):
        from gensim.models import KeyedVectors
    binary = Path(path).name.lower().removesuffix(".gz").endswith(".bin")
    try:
        read = KeyedVectors.load_word2vec_format(
            str(path), binary=binary, limit=limit, unicode_errors="replace"
        )
    except Exception as error:  # gensim raises many types of errors
        reason = str(error) or type(error).__name__
        raise CheckpointError(f"{path}: not word vectors, or damaged: {reason}") from None
    rows: dict[str, int] = {}
    for row, word in enumerate(read.index_to_key):
        spelled = word.lower()
        if spelled == word or spelled not in rows:
            rows[spelled] = row
    vectors = np.asarray(read.vectors[list(rows.values())], np.float32)
    if not vectors.size or not np.isfinite(vectors).all():
        raise CheckpointError(f"{path}: no word vectors, or some that are not finite")
    return list(rows), vectors
