"""The encoders of published CLAP models (Wu et al. 2023), whose networks are transformers' own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from muscall.errors import CheckpointError, needs
from muscall.models.config import (
    ClapAudioConfig,
    ClapTextConfig,
    HtsatConfig,
    ModelConfig,
    RobertaConfig,
)
from muscall.models.hub import CONFIG, TOKENIZER, TORCH_WEIGHTS, WEIGHTS
from muscall.models.tagger import at_least
from muscall.several import several

with needs("clap", "a CLAP model"):
    from transformers import ClapConfig, ClapFeatureExtractor
    from transformers.models.clap import configuration_clap, modeling_clap

# Tables that follow from the configuration, of which some versions of transformers save some.
_DERIVED = re.compile(r"\.(position_ids|token_type_ids|relative_position_index)$")
_RENAMES = (
    ("audio_model.", "audio.backbone."),
    ("text_model.", "text.backbone."),
    ("_projection.linear1.", "_projection.0."),
    ("_projection.linear2.", "_projection.2."),
    ("logit_scale_a", "logit_scale"),
)


class ClapMel(nn.Module):
    """Waveform to decibels as CLAP's feature extractor makes them, in float64.

    Quiet bands beside loud ones would be noise in float32.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, config: ClapAudioConfig) -> None:
        super().__init__()
        self.hop = config.hop
        theirs = ClapFeatureExtractor(
            feature_size=config.shape.num_mel_bins,
            sampling_rate=config.sample_rate,
            fft_window_size=config.n_fft,
            frequency_min=config.f_min,
            frequency_max=config.f_max,
        )
        filters = theirs.mel_filters_slaney if config.slaney else theirs.mel_filters
        window = torch.hann_window(config.n_fft, dtype=torch.float64)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("filters", torch.from_numpy(filters).double(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, samples) in [-1, 1] -> (batch, 1, 1 + samples // hop, mels) float32 dB."""
        n_fft, window = len(self.window), self.window
        spectrum = torch.stft(
            waveform.double(),
            n_fft,
            self.hop,
            window=window,
            pad_mode="reflect",
            return_complex=True,
        )
        power = torch.view_as_real(spectrum).square().sum(-1).transpose(1, 2) @ self.filters
        return (10 * power.clamp(min=1e-10).log10()).float().unsqueeze(1)


class ClapAudio(nn.Module):
    """CLAP's HTSAT on windows of its own length.

    What a model with fusion makes of crops of something longer is left out: a track is heard in
    windows, each of which is whole.
    """

    def __init__(self, config: ClapAudioConfig) -> None:
        super().__init__()
        self.config = config
        self.log_mel = ClapMel(config)
        shape = configuration_clap.ClapAudioConfig(**_plain(config.shape))
        self.backbone = _without_derived(modeling_clap.ClapAudioModel(shape))
        self.features = config.shape.hidden_size

    @property
    def minimum_samples(self) -> int:
        """Of a window."""
        return self.config.window_samples

    def forward(self, waveform: Tensor, precision: torch.dtype | None = None) -> Tensor:
        """(batch, samples) float32 mono in [-1, 1], a window at most -> (batch, features).

        Args:
            waveform: what is shorter than a window is repeated to fill one.
            precision: what the backbone's weights are in; None where autocast sees to it.
        """
        length = self.minimum_samples
        if waveform.shape[-1] < length:
            waveform = at_least(length, waveform)[:, :length]
        log_mel = self.log_mel(waveform).to(precision or waveform.dtype)
        is_longer = torch.zeros(len(waveform), 1, dtype=torch.bool, device=waveform.device)
        features: Tensor = self.backbone(log_mel, is_longer=is_longer).pooler_output.float()
        return features


class ClapText(nn.Module):
    """CLAP's RoBERTa with its tokenizer."""

    def __init__(self, config: ClapTextConfig, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        pad = config.shape.pad_token_id
        tokenizer.enable_padding(pad_id=pad, pad_token=tokenizer.id_to_token(pad))
        tokenizer.enable_truncation(config.shape.max_position_embeddings - pad - 1)
        shape = configuration_clap.ClapTextConfig(**_plain(config.shape))
        self.backbone = _without_derived(modeling_clap.ClapTextModel(shape))
        self.features = config.shape.hidden_size

    def tokenize(self, sentences: str | Sequence[str]) -> Tensor:
        """Sentences -> (n, longest) int64 ids, right-padded with RoBERTa's own padding."""
        encoded = self.tokenizer.encode_batch(several(sentences))
        return torch.tensor([encoding.ids for encoding in encoded])

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, tokens) int64 from `tokenize` -> (batch, features)."""
        there = (tokens != self.config.shape.pad_token_id).long()
        features: Tensor = self.backbone(tokens, attention_mask=there).pooler_output
        return features


def _plain(shape: HtsatConfig | RobertaConfig) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in shape}


def _without_derived(network: nn.Module) -> nn.Module:
    """`network`, whose derived tables are no part of its weights any more."""
    for module in network.modules():
        for name, table in list(module.named_buffers(recurse=False)):
            if _DERIVED.search(f".{name}"):
                module.register_buffer(name, table, persistent=False)
    return network


def read(folder: Path) -> tuple[ModelConfig, dict[str, Tensor], Tokenizer]:
    """Read a CLAP model that transformers has saved in `folder`.

    Raises:
        CheckpointError: naming what is missing, damaged or not understood.
    """
    try:
        theirs = ClapConfig.from_pretrained(folder, local_files_only=True)
        sound = ClapFeatureExtractor.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # transformers raises what it likes, at length
        reason = str(error).strip().split("\n", 1)[0]
        raise CheckpointError(f"{folder}: not a CLAP model: {reason}") from None
    if theirs.projection_hidden_act != "relu":
        raise CheckpointError(
            f"{folder / CONFIG}: projection_hidden_act is {theirs.projection_hidden_act}; "
            "projections with relu are understood"
        )
    try:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    except Exception as error:  # tokenizers raises bare Exception
        raise CheckpointError(f"{folder / TOKENIZER}: {error}") from None
    audio, text = theirs.audio_config, theirs.text_config
    config = ModelConfig.parse(
        {
            "dim": theirs.projection_dim,
            "projection": "mlp",
            "audio": {
                "kind": "clap",
                "shape": {name: getattr(audio, name) for name in HtsatConfig.model_fields},
                "sample_rate": sound.sampling_rate,
                "window_seconds": sound.nb_max_samples / sound.sampling_rate,
                "n_fft": sound.fft_window_size,
                "hop": sound.hop_length,
                "f_min": sound.frequency_min,
                "f_max": sound.frequency_max,
                "slaney": sound.truncation != "fusion",
            },
            "text": {
                "kind": "clap",
                "shape": {name: getattr(text, name) for name in RobertaConfig.model_fields},
            },
        },
        str(folder / CONFIG),
    )
    return config, _rename(_weights(folder)), tokenizer


def _weights(folder: Path) -> dict[str, Tensor]:
    for name in (WEIGHTS, TORCH_WEIGHTS):
        path = folder / name
        if not path.is_file():
            continue
        try:
            if name == WEIGHTS:
                return load_file(path)
            state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
            return state
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{path}: damaged or cut off: {error}") from None
        except Exception:  # torch.load fails in as many ways as there are damaged files, at length
            raise CheckpointError(f"{path}: damaged, or not of tensors alone") from None
    raise CheckpointError(f"{folder}: not a checkpoint, {WEIGHTS} is missing")


def _rename(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """transformers' names -> ours."""
    renamed = {}
    for key, value in state.items():
        if _DERIVED.search(key) or key == "logit_scale_t":
            continue
        for theirs, ours in _RENAMES:
            key = key.replace(theirs, ours)
        renamed[key] = value.float()
    return renamed
