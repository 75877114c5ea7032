"""Settings of the two encoders. They are saved as `config.json` beside the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from muscall.audio.mel_config import MelConfig
from muscall.records import Record

MUSICNN_RATE = 16000  # Hz


class _Windowed(Record):
    """An audio encoder with windows. Each declares its fields, whose order libraries remember."""

    if TYPE_CHECKING:
        window_seconds: float

        @property
        def sample_rate(self) -> int: ...

    @property
    def window_samples(self) -> int:
        """Length of a window in samples."""
        return round(self.window_seconds * self.sample_rate)


class _MelEncoder(_Windowed):
    """An audio encoder that starts with our log-mel."""

    mel: MelConfig = MelConfig()

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self.mel.sample_rate


class ResNetConfig(_MelEncoder):
    """Audio encoder: log-mel, ResNet-50 with CLIP's changes, pooling (paper, section 3.4)."""

    kind: Literal["resnet"] = "resnet"
    width: int = Field(default=16, ge=2, multiple_of=2)
    """Stem channels: 64 is CLIP's ResNet-50, 16 the published checkpoints' (2.4 M parameters)."""
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    pooling: Literal["attention", "average", "average_linear"] = "attention"
    """Pooling of the feature map. "average_linear" is that of the published code: an average and a
    linear map."""
    heads: int = Field(default=8, ge=1)
    features: int = Field(default=256, ge=1)
    """Output size of the pooling. It does not apply to "average", which gives 32 * width."""
    branches: int = Field(default=1, ge=1)
    """Number of networks side by side. Each has its own pooling; features are concatenated."""
    window_seconds: float = Field(default=20.0, ge=0.01)
    """Length of training crops and embedding windows. Positional embeddings are interpolated for
    other lengths."""
    checkpoint_gradients: bool = False
    """Recompute each residual stage in the backward pass instead of storing it."""

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.pooling == "attention" and 32 * self.width % self.heads:
            raise ValueError(f"heads must divide {32 * self.width}, which is 32 * width")
        return self


class CRNNConfig(_MelEncoder):
    """Audio encoder of the baseline: log-mel, convolutions, a recurrent layer, mean over time
    (paper, section 5.1)."""

    kind: Literal["crnn"] = "crnn"
    width: int = Field(default=32, ge=1)
    """Channels of the first convolution; the others have four times as many."""
    hidden: int = Field(default=128, ge=1)
    """State of the recurrent layer in each direction."""
    dropout: float = Field(default=0.3, ge=0, lt=1)
    features: int = Field(default=300, ge=1)
    """Output size. Without projections it equals the size of the word vectors."""
    window_seconds: float = Field(default=20.0, ge=0.01)
    """Length of training crops and embedding windows. Other lengths work as well."""

    @model_validator(mode="after")
    def _bands_suffice(self) -> Self:
        if self.mel.n_mels < 64:
            raise ValueError("mel.n_mels must be at least 64, by which the convolutions divide it")
        return self


class MusicnnConfig(_Windowed):
    """Audio encoder: a music tagger trained on commercial recordings (not in the paper)."""

    kind: Literal["musicnn"] = "musicnn"
    frozen: bool = True
    window_seconds: float = Field(default=12.0, ge=0.01)
    """Length of training crops and embedding windows."""

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return MUSICNN_RATE


class HtsatConfig(Record):
    """Shape of CLAP's audio Transformer, named as in transformers' `ClapAudioConfig`."""

    spec_size: int = 256
    window_size: int = 8
    patch_size: int = 4
    patch_stride: tuple[int, int] = (4, 4)
    patch_embed_input_channels: int = 1
    patch_embeds_hidden_size: int = 96
    enable_patch_layer_norm: bool = True
    flatten_patch_embeds: bool = True
    enable_fusion: bool = False
    fusion_type: str | None = None
    aff_block_r: int = 4
    hidden_size: int = 768
    depths: tuple[int, ...] = (2, 2, 6, 2)
    num_attention_heads: tuple[int, ...] = (4, 8, 16, 32)
    num_mel_bins: int = 64
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-5


class ClapAudioConfig(_Windowed):
    """Audio encoder of a published CLAP model (not in the paper)."""

    kind: Literal["clap"] = "clap"
    shape: HtsatConfig = HtsatConfig()
    sample_rate: int = 48000
    window_seconds: float = Field(default=10.0, ge=0.01)
    """Length of embedding windows, and of training crops."""
    n_fft: int = 1024
    hop: int = 480
    f_min: float = 0.0
    f_max: float = 14000.0
    slaney: bool = True
    """Slaney's mel filters, which models without fusion use; those with fusion use HTK's."""


AudioConfig = Annotated[
    ResNetConfig | CRNNConfig | MusicnnConfig | ClapAudioConfig, Field(discriminator="kind")
]


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
    """Filled in from the pretrained model. Every saved checkpoint has it."""


class WordVectorsConfig(Record):
    """Mean of pretrained word vectors, the baseline's text encoder (paper, section 5.1)."""

    kind: Literal["word2vec"] = "word2vec"
    vectors: str
    """File in one of word2vec's formats: binary if its name ends in .bin, else text; also .gz."""
    limit: int = Field(default=200_000, ge=1)
    """How many words are read from the file, which usually begins with the most frequent."""
    frozen: bool = True
    vector_size: int | None = Field(default=None, ge=1)
    """Size of a vector. Filled in from the file. Every saved checkpoint has it."""


class RobertaConfig(Record):
    """Shape of CLAP's text Transformer, named as in transformers' `ClapTextConfig`."""

    vocab_size: int = 50265
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    max_position_embeddings: int = 514
    type_vocab_size: int = 1
    layer_norm_eps: float = 1e-12
    pad_token_id: int = 1


class ClapTextConfig(Record):
    """Text encoder of a published CLAP model (not in the paper)."""

    kind: Literal["clap"] = "clap"
    shape: RobertaConfig = RobertaConfig()


TextConfig = Annotated[
    TransformerConfig | SentenceConfig | WordVectorsConfig | ClapTextConfig,
    Field(discriminator="kind"),
]


KINDS = {"audio": "resnet", "text": "transformer"}


class ModelConfig(Record):
    """Both encoders and the joint space (paper, sections 3.2-3.4)."""

    version: Literal[1] = 1
    dim: int = Field(default=512, ge=1)
    audio: AudioConfig = ResNetConfig()
    text: TextConfig = TransformerConfig()
    projection: bool | Literal["mlp"] = True
    """Linear maps from the features of both encoders to the joint space. "mlp" is two with a ReLU
    in between, as in CLAP. False is none, as in the baseline: features of `dim` values are
    normalised and compared."""
    temperature: float = Field(default=0.07, gt=0)
    """Initial temperature, which is learned."""
    max_logit_scale: float = Field(default=100.0, gt=0)
    """Ceiling of exp(logit_scale) = 1 / temperature, as in CLIP."""
    logit_bias: float | None = None
    """Initial bias of the sigmoid loss; it is learned. SigLIP's is -10. None for other losses."""
    ssl_dim: int = Field(default=0, ge=0)
    """Output size of the SimCLR head (section 3.3); 0 for none, the paper's is 256."""
    text_adapter: int = Field(default=0, ge=0)
    """Width of a residual layer between the text encoder and its projection (CLIP-Adapter, Gao et
    al. 2021), by which a frozen encoder can adapt; 0 for none."""
    teacher_dim: int = Field(default=0, ge=0)
    """Size of the teacher's vectors in distillation; 0 for no teacher."""

    @model_validator(mode="before")
    @classmethod
    def _default_kind(cls, values: Any) -> Any:
        """An encoder without `kind` is of the default kind."""
        if not isinstance(values, dict):
            return values
        given = {name: values[name] for name in KINDS if isinstance(values.get(name), dict)}
        return values | {name: {"kind": KINDS[name], **part} for name, part in given.items()}
