"""Settings of the two encoders. They are saved as `config.json` beside the weights."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from muscall.audio.mel import MelConfig
from muscall.records import Record


class AudioConfig(Record):
    """Audio encoder: log-mel, ResNet-50 with CLIP's changes, pooling (paper, section 3.4)."""

    mel: MelConfig = MelConfig()
    width: int = Field(default=16, ge=2, multiple_of=2)
    """Stem channels: 64 is CLIP's ResNet-50, 16 the published checkpoints' (2.4 M parameters)."""
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    pooling: Literal["attention", "average"] = "attention"
    heads: int = Field(default=8, ge=1)
    features: int = Field(default=256, ge=1)
    """Output size of attention pooling. Average pooling gives 32 * width whatever this says."""
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
    def window_samples(self) -> int:
        return round(self.window_seconds * self.mel.sample_rate)


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


TextConfig = Annotated[TransformerConfig | SentenceConfig, Field(discriminator="kind")]


class ModelConfig(Record):
    """Both encoders and the joint space (paper, sections 3.2-3.4)."""

    version: Literal[1] = 1
    dim: int = Field(default=512, ge=1)
    audio: AudioConfig = AudioConfig()
    text: TextConfig = TransformerConfig()
    temperature: float = Field(default=0.07, gt=0)
    """Initial temperature; it is learned."""
    max_logit_scale: float = Field(default=100.0, gt=0)
    """Ceiling of exp(logit_scale) = 1 / temperature, as in CLIP."""
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
        """A text encoder of no stated kind is the default one."""
        if isinstance(values, dict) and isinstance(text := values.get("text"), dict):
            return {**values, "text": {"kind": "transformer", **text}}
        return values
