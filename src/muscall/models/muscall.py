"""MusCALL: two encoders and a joint space (paper, sections 3.2-3.4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn
from torch.nn import functional as F

from muscall.errors import AudioError, ConfigError
from muscall.models import checkpoint
from muscall.models.audio import new_audio_encoder
from muscall.models.config import ModelConfig
from muscall.models.hub import WEIGHTS, find_model
from muscall.models.inference import AudioEmbedder, AudioInput, Windows, encode_each, listed
from muscall.models.precision import native_precision
from muscall.models.text import TextEncoder, new_text_encoder, saved_text_encoder
from muscall.models.transformer import TextTransformer
from muscall.several import several


class MusCALL(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="muscall",
    license="apache-2.0",
    tags=["music", "audio", "contrastive-learning", "retrieval"],
    model_card_template=checkpoint.MODEL_CARD,
):
    """Audio and text encoders with linear projections into one space of `config.dim`.

    Build a new one with `MusCALL.create(config)`, load one with `muscall.load(...)` or
    `MusCALL.from_pretrained(...)`.
    """

    def __init__(self, config: ModelConfig, text: TextEncoder | None = None) -> None:
        super().__init__()
        self.audio = new_audio_encoder(config.audio)
        self.text = text or new_text_encoder(config.text)
        self.config = config.model_copy(update={"text": self.text.config})
        self.audio_projection, self.text_projection = _projections(
            config, self.audio.features, self.text.features
        )
        self.text_adapter: nn.Module | None = None
        if config.text_adapter:
            last = nn.Linear(config.text_adapter, self.text.features)
            nn.init.zeros_(last.weight)  # at first it changes nothing
            nn.init.zeros_(last.bias)
            first = nn.Linear(self.text.features, config.text_adapter)
            self.text_adapter = nn.Sequential(first, nn.GELU(), last)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / config.temperature)))
        self.logit_bias: nn.Parameter | None = None
        if config.logit_bias is not None:
            self.logit_bias = nn.Parameter(torch.tensor(config.logit_bias))
        self.precision: torch.dtype | None = None
        """Of both networks in `encode_audio` and `encode_text`; None for what their device is
        fastest with.
        """
        self._embedder: tuple[object, AudioEmbedder] | None = None
        self.ssl_head: nn.Module | None = None
        if config.ssl_dim:
            self.ssl_head = nn.Sequential(
                nn.Linear(self.audio.features, self.audio.features),
                nn.ReLU(),
                nn.Linear(self.audio.features, config.ssl_dim),
            )
        self.teacher_head: nn.Module | None = None
        if config.teacher_dim:
            self.teacher_head = nn.Linear(self.audio.features, config.teacher_dim)

    @classmethod
    def create(cls, config: ModelConfig) -> Self:
        """A new model: random weights, except for a pretrained text encoder."""
        return cls(config)

    def embed_audio(self, waveform: Tensor) -> Tensor:
        """(batch, samples) mono at `config.audio.sample_rate` -> (batch, dim), unit norm."""
        return self.project_audio(self.audio(waveform))

    def project_audio(self, features: Tensor) -> Tensor:
        """(batch, features) of the audio encoder -> (batch, dim), unit norm."""
        return F.normalize(self.audio_projection(features).float(), dim=-1)

    def embed_text(self, tokens: Tensor) -> Tensor:
        """(batch, tokens) int64 from `text.tokenize` -> (batch, dim), unit norm."""
        return self.project_text(self.text(tokens))

    def project_text(self, features: Tensor) -> Tensor:
        """(batch, features) of the text encoder -> (batch, dim), unit norm."""
        if self.text_adapter is not None:
            features = features + self.text_adapter(features)
        return F.normalize(self.text_projection(features).float(), dim=-1)

    def scale(self) -> Tensor:
        """1 / temperature, by which similarities are multiplied in the losses; 0-d."""
        return self.logit_scale.exp()

    @torch.no_grad()
    def limit_scale(self) -> None:
        """Keep the scale at or under `config.max_logit_scale`; called after every update."""
        self.logit_scale.clamp_(max=math.log(self.config.max_logit_scale))

    def encode_audio(
        self,
        inputs: AudioInput | Sequence[AudioInput],
        *,
        windows: Windows = "all",
        progress: Callable[[int], None] | None = None,
    ) -> np.ndarray:
        """Embed whole tracks.

        Args:
            inputs: files, or (samples, sample_rate) pairs with samples (n,) or (channels, n); one
                of them needs no list.
            windows: "all" pools windows over the whole track, "centre" takes the central one.
            progress: called with the number of tracks done so far.

        Returns:
            (number of inputs, dim) float32, unit norm. The same track gives the same embedding
            whatever stands beside it.

        Raises:
            AudioError: naming the first input that cannot be used.
        """
        inputs = listed(inputs)
        embeddings = np.empty((len(inputs), self.config.dim), np.float32)
        for index, result in self.encode_each(inputs, windows=windows):
            if isinstance(result, AudioError):
                raise result
            embeddings[index] = result
            if progress is not None:
                progress(index + 1)
        return embeddings

    def encode_each(
        self, inputs: AudioInput | Sequence[AudioInput], *, windows: Windows = "all"
    ) -> Generator[tuple[int, np.ndarray | AudioError], None, None]:
        """As `encode_audio`, one by one: (index, embedding (dim,) or the error), in order."""
        audio = self.config.audio
        return encode_each(
            self.audio_embedder(),
            listed(inputs),
            length=audio.window_samples,
            sample_rate=audio.sample_rate,
            windows=windows,
        )

    def audio_embedder(self) -> AudioEmbedder:
        """The audio branch made ready for inference with the present weights."""
        # Every change of a weight in place counts up its version.
        parts = (self.audio, self.audio_projection)
        weights = [weight for part in parts for weight in part.state_dict().values()]
        state = (self.precision, weights[0].device, sum(weight._version for weight in weights))
        if self._embedder is None or self._embedder[0] != state:
            embedder = AudioEmbedder(self.audio, self.audio_projection, precision=self.precision)
            self._embedder = (state, embedder)
        return self._embedder[1]

    @torch.no_grad()
    def encode_text(self, sentences: str | Sequence[str], *, batch_size: int = 64) -> np.ndarray:
        """Embed sentences, or one -> (number of sentences, dim) float32, unit norm."""
        training = self.training
        self.eval()
        device = self.logit_scale.device
        tokens = [self.text.tokenize(sentence)[0] for sentence in several(sentences)]
        embeddings = np.empty((len(tokens), self.config.dim), np.float32)
        # Neighbours in length share a batch, so that little is spent on padding.
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        precision = self.precision or native_precision(device)
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            for start in range(0, len(order), batch_size):
                batch = order[start : start + batch_size]
                padded = nn.utils.rnn.pad_sequence([tokens[i] for i in batch], batch_first=True)
                embeddings[batch] = self.embed_text(padded.to(device)).cpu().numpy()
        self.train(training)
        return embeddings

    def load_weights(self, state: Mapping[str, Tensor], *, origin: str) -> None:
        """Load a state dict completely.

        Raises:
            CheckpointError: naming `origin` and the first weight that is missing, unknown or of
                another shape.
        """
        checkpoint.check_fit(self.state_dict(), state, origin)
        self.load_state_dict(dict(state))

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> str | None:
        """Write `config.json`, `model.safetensors` and a model card, aside first, then renamed.

        Takes what huggingface_hub's mixin takes. A failure leaves what was there before.

        Raises:
            CheckpointError: when the folder cannot be written.
        """
        folder = Path(save_directory)
        if kwargs.get("push_to_hub"):
            kwargs.setdefault("repo_id", folder.name)
        with checkpoint.written_aside(folder) as aside:
            return super().save_pretrained(aside, **kwargs)

    def _save_pretrained(self, save_directory: Path) -> None:
        tokenizer = None if isinstance(self.text, TextTransformer) else self.text.tokenizer
        checkpoint.write(save_directory, self.config, self.state_dict(), tokenizer)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **kwargs: Any) -> Self:
        """Load a checkpoint folder, or one from a hub with what `snapshot_download` takes.

        Raises:
            CheckpointError: when there is no such model or its files are damaged.
        """
        folder = find_model(pretrained_model_name_or_path, **kwargs)
        config, state, tokenizer = checkpoint.read(folder)
        model = cls(config, saved_text_encoder(config.text, tokenizer))
        model.load_weights(state, origin=str(folder / WEIGHTS))
        return model.eval()


def _projections(config: ModelConfig, audio: int, text: int) -> tuple[nn.Module, nn.Module]:
    """From so many features of each encoder to the joint space."""
    if config.projection:
        linear = nn.Linear(audio, config.dim, bias=False), nn.Linear(text, config.dim, bias=False)
        for projection in linear:
            nn.init.normal_(projection.weight, std=projection.in_features**-0.5)
        return linear
    if audio != config.dim or text != config.dim:
        raise ConfigError(
            f"model.projection: false asks both encoders for model.dim={config.dim} features, "
            f"but audio has {audio}, text {text}"
        )
    return nn.Identity(), nn.Identity()


def load(source: str | Path | None = None, device: str | torch.device | None = None) -> MusCALL:
    """Load a model for use.

    Args:
        source: a released model's name (`checkpoint.RELEASED`), a checkpoint folder or a name on a
            hub. None for "default", the weights in the package.
        device: where it runs; None for the GPU when there is one, else the CPU.

    Raises:
        CheckpointError: when there is no such model or its files are damaged.
    """
    if source is None or source in checkpoint.RELEASED:
        source = checkpoint.released(str(source or checkpoint.DEFAULT))
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return MusCALL.from_pretrained(source).to(device).eval()
