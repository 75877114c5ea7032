"""The text Transformer trained from scratch (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from muscall.models.config import TransformerConfig
from muscall.several import several
from muscall.text.tokenizer import clip_tokenizer


class Block(nn.Module):
    """Pre-norm causal self-attention and GELU perceptron, each with a residual path."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.attention_dropout = config.attention_dropout
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, places: Tensor, shape: torch.Size) -> Tensor:
        """(tokens, width) -> the same. Tokens are at `places` in a flattened batch of `shape`."""
        qkv = self.qkv(self.norm1(x))
        padded = qkv.new_zeros(shape.numel(), qkv.shape[1]).index_copy(0, places, qkv)
        padded = padded.view(*shape, 3, self.heads, -1)
        # Each (batch, heads, longest, width / heads).
        query, key, value = padded.permute(2, 0, 3, 1, 4)
        dropout = self.attention_dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        x = x + self.dropout(self.out(mixed.transpose(1, 2).reshape(-1, x.shape[1])[places]))
        hidden = self.dropout(F.gelu(self.up(self.norm2(x))))
        out: Tensor = x + self.dropout(self.down(hidden))
        return out


class TextTransformer(nn.Module):
    """Byte-pair tokens to the feature vector at the end-of-text token."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.width)
        self.position_embedding = nn.Parameter(torch.empty(config.context, config.width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.features = config.width
        self._initialise()

    def _initialise(self) -> None:
        # CLIP's initialisation: residual paths shrink with depth.
        width, layers = self.config.width, self.config.layers
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.position_embedding, std=0.01)
        for module in self.modules():
            if isinstance(module, Block):
                nn.init.normal_(module.qkv.weight, std=width**-0.5)
                nn.init.normal_(module.out.weight, std=width**-0.5 * (2 * layers) ** -0.5)
                nn.init.normal_(module.up.weight, std=(2 * width) ** -0.5)
                nn.init.normal_(module.down.weight, std=width**-0.5 * (2 * layers) ** -0.5)

    @property
    def tokenizer(self) -> Tokenizer:
        """CLIP's byte-pair tokenizer."""
        return clip_tokenizer(self.config.context)

    def tokenize(self, sentences: str | Sequence[str]) -> Tensor:
        """Sentences -> (n, longest) int64, right-padded with 0.

        Sentences are padded to the longest one. Because of the causal mask and the pooling at the
        end token, tokens to the right of it do not change the result.
        """
        return pad([encoding.ids for encoding in self.tokenizer.encode_batch(several(sentences))])

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, tokens) int64 -> (batch, features). The end token has the largest id."""
        longest, ends = tokens.shape[1], tokens.argmax(dim=1)
        # Only the attention sees padding, which is half of a batch of captions.
        held = torch.arange(longest, device=tokens.device) <= ends[:, None]
        places = held.flatten().nonzero().squeeze(1)
        x = self.token_embedding(tokens.flatten()[places])
        x = self.dropout(x + self.position_embedding[places % longest])
        for block in self.blocks:
            x = block(x, places, tokens.shape)
        features: Tensor = self.norm(x[(ends + 1).cumsum(0) - 1])
        return features


def pad(ids: Sequence[Sequence[int]]) -> Tensor:
    """Lists of token ids -> (n, longest) int64, right-padded with 0."""
    padded = torch.zeros(len(ids), max(map(len, ids), default=0), dtype=torch.int64)
    for row, sentence in zip(padded, ids, strict=True):
        row[: len(sentence)] = torch.tensor(sentence)
    return padded
