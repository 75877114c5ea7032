"""MusCALL: two encoders and a joint space (paper, sections 3.2-3.4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
from huggingface_hub import ModelCard, ModelCardData, PyTorchModelHubMixin
from torch import Tensor, nn
from torch.nn import functional as F

from muscall.errors import AudioError
from muscall.models import card, checkpoint
from muscall.models.audio import new_audio_encoder
from muscall.models.config import ClapAudioConfig, ModelConfig
from muscall.models.heads import Outputs, adapter, projections, simclr_head
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
    pipeline_tag="feature-extraction",
    tags=["music", "audio", "contrastive-learning", "retrieval"],
    model_card_template=card.TEMPLATE,
):
    """Audio and text encoders with linear projections into one space of `config.dim`.

    `MusCALL(config)` builds a new one: random weights, except for a pretrained text encoder.
    `muscall.load(...)` and `MusCALL.from_pretrained(...)` load one.
    """

    def __init__(self, config: ModelConfig, text: TextEncoder | None = None) -> None:
        super().__init__()
        self.audio = new_audio_encoder(config.audio)
        self.text = text or new_text_encoder(config.text)
        self.config = config.model_copy(update={"text": self.text.config})
        self.audio_projection, self.text_projection = projections(
            config, self.audio.features, self.text.features
        )
        self.text_adapter: nn.Module | None = None
        if config.text_adapter:
            self.text_adapter = adapter(self.text.features, config.text_adapter)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / config.temperature)))
        self.logit_bias: nn.Parameter | None = None
        if config.logit_bias is not None:
            self.logit_bias = nn.Parameter(torch.tensor(config.logit_bias))
        clap = isinstance(config.audio, ClapAudioConfig)
        self.precision: torch.dtype | None = torch.float32 if clap else None
        """Precision of both networks in `encode_audio` and `encode_text`. None is the one that
        their device is fastest with. Published models use float32, as in their own code.
        """
        self._embedder: tuple[object, AudioEmbedder] | None = None
        self.ssl_head: nn.Module | None = None
        if config.ssl_dim:
            self.ssl_head = simclr_head(self.audio.features, config.ssl_dim)
        self.teacher_head: nn.Module | None = None
        if config.teacher_dim:
            self.teacher_head = nn.Linear(self.audio.features, config.teacher_dim)

    def forward(self, waveforms: Tensor, text: Tensor) -> Outputs:
        """Embed a batch of pairs, for training.

        Args:
            waveforms: (views, n, samples) float32 mono at `config.audio.sample_rate`. The first
                view is paired with the text; two are compared by self-supervision.
            text: (n, tokens) int64 from `text.tokenize`, or (n, features) floats, which are the
                text encoder's features of the sentences.

        Returns:
            Embeddings, and the output of each head that the model has.
        """
        views, count, samples = waveforms.shape
        features = self.audio(waveforms.reshape(views * count, samples))
        audio = self.project_audio(features[:count])
        embedded = self.project_text(text) if text.is_floating_point() else self.embed_text(text)
        first = second = teacher = None
        if self.ssl_head is not None and views == 2:
            first, second = self.ssl_head(features).float().split(count)
        if self.teacher_head is not None:
            teacher = self.teacher_head(features[:count]).float()
        return Outputs(audio, embedded, first, second, teacher)

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
            inputs: files, or (samples, sample_rate) pairs with samples (n,) or (channels, n). A
                single one needs no list.
            windows: "all" averages windows over the whole track, "centre" takes the central one.
            progress: called with the number of tracks done so far.

        Returns:
            (number of inputs, dim) float32, unit norm. The embedding of a track does not depend on
            the other inputs.

        Raises:
            AudioError: naming the first input that cannot be used.

        Examples:
            Search two tracks, a tone and noise, by a sentence. Files work the same, as in
            `model.encode_audio(["song.mp3", "other.flac"])`.

            >>> import muscall, numpy as np
            >>> model = muscall.load()
            >>> tone = np.sin(2 * np.pi * 440 / 16000 * np.arange(5 * 16000))
            >>> noise = np.random.default_rng(0).normal(scale=0.1, size=5 * 16000)
            >>> tracks = model.encode_audio([(tone, 16000), (noise, 16000)])
            >>> tracks.shape
            (2, 128)
            >>> similarities = model.encode_text("white noise") @ tracks.T
            >>> int(similarities.argmax())
            1
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
        """Embed tracks one by one, as `encode_audio` does.

        Yields:
            (index, embedding (dim,) float32 or the error of this track), in order.
        """
        audio = self.config.audio
        return encode_each(
            self.audio_embedder(),
            listed(inputs),
            length=audio.window_samples,
            sample_rate=audio.sample_rate,
            windows=windows,
        )

    def audio_embedder(self) -> AudioEmbedder:
        """The audio encoder and projection, made ready for inference with the current weights."""
        # A change of a weight in place increments its version.
        parts = (self.audio, self.audio_projection)
        weights = [weight for part in parts for weight in part.state_dict().values()]
        state = (self.precision, weights[0].device, sum(weight._version for weight in weights))
        if self._embedder is None or self._embedder[0] != state:
            embedder = AudioEmbedder(self.audio, self.audio_projection, precision=self.precision)
            self._embedder = (state, embedder)
        return self._embedder[1]

    @torch.no_grad()
    def encode_text(self, sentences: str | Sequence[str], *, batch_size: int = 64) -> np.ndarray:
        """Embed sentences.

        Args:
            sentences: one, or several.
            batch_size: how many go through the encoder at once.

        Returns:
            (number of sentences, dim) float32, unit norm.

        Examples:
            >>> import muscall
            >>> model = muscall.load()
            >>> sentences = model.encode_text(["slow piano music", "quiet piano", "heavy metal"])
            >>> sentences.shape
            (3, 128)
            >>> similarities = sentences @ sentences.T
            >>> bool(similarities[0, 1] > similarities[0, 2])
            True
        """
        training = self.training
        self.eval()
        device = self.logit_scale.device
        sentences = several(sentences)
        embeddings = np.empty((len(sentences), self.config.dim), np.float32)
        # Sentences of similar length share a batch, which then has little padding.
        order = sorted(range(len(sentences)), key=lambda index: len(sentences[index]))
        precision = self.precision or native_precision(device)
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            for start in range(0, len(order), batch_size):
                batch = order[start : start + batch_size]
                tokens = self.text.tokenize([sentences[index] for index in batch])
                embeddings[batch] = self.embed_text(tokens.to(device)).cpu().numpy()
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
        """Write `config.json`, `model.safetensors` and a model card.

        Takes the options of huggingface_hub's mixin. A failure leaves the folder as it was.

        Raises:
            CheckpointError: when the folder cannot be written.
        """
        folder = Path(save_directory)
        if kwargs.get("push_to_hub"):
            kwargs.setdefault("repo_id", folder.name)
        with checkpoint.written_aside(folder) as aside:
            return super().save_pretrained(aside, **kwargs)

    def generate_model_card(
        self, *args: Any, results: Mapping[str, Mapping[str, float]] = {}, **kwargs: Any
    ) -> ModelCard:
        """The card that `save_pretrained` and `push_to_hub` write; see their `model_card_kwargs`.

        Args:
            results: by the name of a data set, scores by their names, such as `retrieval_metrics`
                gives them; they are in the card's metadata, where a hub shows them.
            kwargs: `details`, Markdown for the card's end.
        """
        generated = super().generate_model_card(*args, **kwargs)
        data = cast(ModelCardData, generated.data)
        data.eval_results = card.eval_results(results) or None
        data.model_name = "MusCALL" if results else None
        return generated

    def _save_pretrained(self, save_directory: Path) -> None:
        tokenizer = None if isinstance(self.text, TextTransformer) else self.text.tokenizer
        checkpoint.write(save_directory, self.config, self.state_dict(), tokenizer)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **kwargs: Any) -> Self:
        """Load a checkpoint folder, or one from a hub. Takes the options of `snapshot_download`.

        A CLAP model that transformers has saved is loaded as well.

        Raises:
            CheckpointError: when there is no such model or its files are damaged.
        """
        folder = find_model(pretrained_model_name_or_path, **kwargs)
        config, state, tokenizer = checkpoint.read(folder)
        model = cls(config, saved_text_encoder(config.text, tokenizer))
        model.load_weights(state, origin=str(folder / WEIGHTS))
        return model.eval()


def load(source: str | Path | None = None, device: str | torch.device | None = None) -> MusCALL:
    """Load a model for use.

    Args:
        source: a released model's name (`checkpoint.RELEASED`), a checkpoint folder or a name on a
            hub. None for "default", the weights in the package.
        device: where it runs; None for the GPU when there is one, else the CPU.

    Raises:
        CheckpointError: when there is no such model or its files are damaged.
    """
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return MusCALL.from_pretrained(checkpoint.located(source)).to(device).eval()
