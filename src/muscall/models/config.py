"""Settings of the two encoders. They are saved as `config.json` beside the weights."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from muscall.audio.mel import MelConfig
from muscall.records import Record


class ResNetConfig(Record):
    """Audio encoder: log-mel, ResNet-50 with CLIP's changes, pooling (paper, section 3.4)."""

    kind: Literal["resnet"] = "resnet"
    mel: MelConfig = MelConfig()
    width: int = Field(default=16, ge=2, multiple_of=2)
    """Stem channels: 64 is CLIP's ResNet-50, 16 the published checkpoints' (2.4 M parameters)."""
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    pooling: Literal["attention", "average", "average_linear"] = "attention"
    """Of the feature map; "average_linear" for the published design's average, which a linear map
    follows."""
    heads: int = Field(default=8, ge=1)
    features: int = Field(default=256, ge=1)
    """Output size of the pooling. "average" gives 32 * width whatever this says."""
    branches: int = Field(default=1, ge=1)
    """Networks side by side, each pooled by itself, whose features are concatenated."""
    window_seconds: float = Field(default=20.0, ge=0.01)
    """Length of training crops and embedding windows; other lengths are interpolated to."""
    checkpoint_gradients: bool = False
    """Recompute each residual stage in the backward pass instead of storing it."""

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.pooling == "attention" and 32 * self.width % self.heads:
            raise ValueError(f"heads must divide {32 * self.width}, which is 32 * width")
        return self

    @property
    def sample_rate(self) -> int:
        return self.mel.sample_rate

    @property
    def window_samples(self) -> int:
        return round(self.window_seconds * self.sample_rate)


class CRNNConfig(Record):
    """Audio encoder of the baseline: log-mel, convolutions, a recurrent layer, mean over time
    (paper, section 5.1)."""

    kind: Literal["crnn"] = "crnn"
    mel: MelConfig = MelConfig()
    width: int = Field(default=32, ge=1)
    """Channels of the first convolution; the others have four times as many."""
    hidden: int = Field(default=128, ge=1)
    """State of the recurrent layer in each direction."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    features: int = Field(default=300, ge=1)
    """Output size; without projections as many as a word vector has values."""
    window_seconds: float = Field(default=20.0, ge=0.01)
    """Length of training crops and embedding windows; any other length is heard as well."""

    @model_validator(mode="after")
    def _bands_suffice(self) -> Self:
        if self.mel.n_mels < 64:
            raise ValueError("mel.n_mels must be 64 at least: the convolutions make one of 64")
        return self

    @property
    def sample_rate(self) -> int:
        return self.mel.sample_rate

    @property
    def window_samples(self) -> int:
        return round(self.window_seconds * self.sample_rate)


class MusicnnConfig(Record):
    """Audio encoder: a music tagger that learned from real records (no part of the paper)."""

    kind: Literal["musicnn"] = "musicnn"
    frozen: bool = True
    window_seconds: float = Field(default=12.0, ge=0.01)
    """Length of training crops and embedding windows."""

    @property
    def sample_rate(self) -> int:
        return 16000

    @property
    def window_samples(self) -> int:
        return round(self.window_seconds * self.sample_rate)


AudioConfig = Annotated[ResNetConfig | CRNNConfig | MusicnnConfig, Field(discriminator="kind")]


class TransformerConfig(Record):
    """Text Transformer over CLIP's byte-pair tokens, trained from scratch."""

    kind: Literal["transformer"] = "transformer"
    vocab_size: int = 49408
    context: int = Field(default=77, ge=3)
    width: int = 512
    layers: int = Field(default=4, ge=1)
    heads: int = Field(default=8, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    attention_dropout: float = Field(default=0.2, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.width % self.heads:
            raise ValueError("heads must divide width")
        return self


class BertConfig(Record):
    """Shape of a BERT encoder, named as in its own `config.json`."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12


class SentenceConfig(Record):
    """Pretrained sentence encoder (Sentence-BERT), frozen or fine-tuned."""

    kind: Literal["sentence"] = "sentence"
    pretrained: str = "all-MiniLM-L6-v2"
    """Name on a hub, folder, or a model that an installed package carries."""
    frozen: bool = True
    context: int = Field(default=128, ge=3)
    bert: BertConfig | None = None
    """Filled in from the pretrained model; there in every saved checkpoint."""


class WordVectorsConfig(Record):
    """Mean of pretrained word vectors, the baseline's text encoder (paper, section 5.1)."""

    kind: Literal["word2vec"] = "word2vec"
    vectors: str
    """File in one of word2vec's formats: text, or binary where the name ends in .bin; also .gz."""
    limit: int = Field(default=200_000, ge=1)
    """Words that are taken from the file, which usually begins with the most frequent."""
    frozen: bool = True
    vector_size: int | None = Field(default=None, ge=1)
    """Values of a vector. Filled in from the file; there in every saved checkpoint."""


TextConfig = Annotated[
    TransformerConfig | SentenceConfig | WordVectorsConfig, Field(discriminator="kind")
]


KINDS = {"audio": "resnet", "text": "transformer"}


class ModelConfig(Record):
    """Both encoders and the joint space (paper, sections 3.2-3.4)."""

    version: Literal[1] = 1
    dim: int = Field(default=512, ge=1)
    audio: AudioConfig = ResNetConfig()
    text: TextConfig = TransformerConfig()
    projection: bool = True
    """Linear maps from the features of both encoders to the joint space. Without them, as in the
    baseline, features of `dim` values are normalised and compared as they are."""
    temperature: float = Field(default=0.07, gt=0)
    """Initial temperature; it is learned."""
    max_logit_scale: float = Field(default=100.0, gt=0)
    """Ceiling of exp(logit_scale) = 1 / temperature, as in CLIP."""
    logit_bias: float | None = None
    """Initial bias of the sigmoid loss, which learns it; SigLIP's is -10. None for other losses."""
    ssl_dim: int = Field(default=0, ge=0)
    """Output size of the SimCLR head (section 3.3); 0 for none, the paper's is 256."""
    text_adapter: int = Field(default=0, ge=0)
    """Width of a residual layer between the text encoder and its projection (CLIP-Adapter, Gao et
    al. 2021), through which a frozen encoder can be taught; 0 for none."""
    teacher_dim: int = Field(default=0, ge=0)
    """Size of the teacher's vectors that are learned in distillation; 0 for no teacher."""

    @model_validator(mode="before")
    @classmethod
    def _default_kind(cls, values: Any) -> Any:
        """An encoder of no stated kind is the default one."""
        if not isinstance(values, dict):
            return values
        stated = {name: values[name] for name in KINDS if isinstance(values.get(name), dict)}
        return values | {name: {"kind": KINDS[name], **part} for name, part in stated.items()}
