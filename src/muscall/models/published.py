"""Import of checkpoints in the format that the paper's authors published.

Such a checkpoint is a `.pth` file whose `state_dict` holds the weights, with a YAML file beside it
that names the sizes. Some settings of the published code are not in the paper and are set here: mel
filters reach 11,025 Hz, and the attention pooling has eight heads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from muscall.audio.mel_config import MelConfig
from muscall.errors import CheckpointError
from muscall.models.config import ModelConfig, ResNetConfig, TransformerConfig
from muscall.models.muscall import MusCALL

RENAMES = (
    (r"^textual_head\.transformer\.layers\.(\d+)\.0\.fn\.to_qkv\.", r"text.blocks.\1.qkv."),
    (r"^textual_head\.transformer\.layers\.(\d+)\.0\.fn\.out_projection\.", r"text.blocks.\1.out."),
    (r"^textual_head\.transformer\.layers\.(\d+)\.0\.norm\.", r"text.blocks.\1.norm1."),
    (r"^textual_head\.transformer\.layers\.(\d+)\.1\.fn\.mlp\.0\.", r"text.blocks.\1.up."),
    (r"^textual_head\.transformer\.layers\.(\d+)\.1\.fn\.mlp\.3\.", r"text.blocks.\1.down."),
    (r"^textual_head\.transformer\.layers\.(\d+)\.1\.norm\.", r"text.blocks.\1.norm2."),
    (r"^textual_head\.transformer\.norm_out\.", r"text.norm."),
    (r"^textual_head\.token_embedding\.", r"text.token_embedding."),
    (r"^textual_head\.position_embedding\.weight$", r"text.position_embedding"),
    (r"^audio_backbone\.attnpool\.positional_embedding$", r"audio.pool.positions"),
    (r"^audio_backbone\.attnpool\.q_proj\.", r"audio.pool.query."),
    (r"^audio_backbone\.attnpool\.k_proj\.", r"audio.pool.key."),
    (r"^audio_backbone\.attnpool\.v_proj\.", r"audio.pool.value."),
    (r"^audio_backbone\.attnpool\.c_proj\.", r"audio.pool.output."),
    (r"^audio_backbone\.final_linear\.", r"audio.pool.output."),
    (r"^audio_backbone\.layer1\.", r"audio.backbone.stages.0."),
    (r"^audio_backbone\.layer2\.", r"audio.backbone.stages.1."),
    (r"^audio_backbone\.layer3\.", r"audio.backbone.stages.2."),
    (r"^audio_backbone\.layer4\.", r"audio.backbone.stages.3."),
    (r"^audio_backbone\.", r"audio.backbone."),
    (r"\.downsample\.0\.", r".downsample.conv."),
    (r"\.downsample\.1\.", r".downsample.bn."),
)
# Buffers that follow from the configuration, and a norm that the published tower never applies.
UNUSED = re.compile(r"^audio_backbone\.spec\.|^textual_head\.ln_final\.|^simclr|^ssl")


def rename(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published state-dict keys -> ours. Keys without a counterpart are left out."""
    renamed = {}
    for key, value in state.items():
        if UNUSED.search(key):
            continue
        for pattern, replacement in RENAMES:
            key = re.sub(pattern, replacement, key)
        renamed[key] = value
    return renamed


def published_config(settings: Mapping[str, Any]) -> ModelConfig:
    """The published YAML (whole, or its `model_config` part) -> our settings.

    Raises:
        KeyError: when a size is missing.
    """
    settings = settings.get("model_config", settings)
    audio, text = settings["audio"], settings["text"]
    mel = MelConfig(
        sample_rate=audio["sample_rate"],
        n_mels=audio["n_mels"],
        n_fft=audio["n_fft"],
        hop=audio["hop_length"] if "hop_length" in audio else audio["n_fft"] // 2,
        f_min=audio["f_min"],
        f_max=audio["f_max"],
    )
    return ModelConfig(
        dim=settings["projection_dim"],
        audio=ResNetConfig(
            mel=mel,
            width=audio["conv_out_channels"],
            pooling="attention" if audio["pooling"] == "attention" else "average_linear",
            heads=8,
            features=audio["hidden_size"],
            window_seconds=audio.get("audio_len_seconds", 20),
        ),
        text=TransformerConfig(
            vocab_size=text["vocab_size"],
            context=text["max_position_embeddings"],
            width=text["hidden_size"],
            layers=text["num_hidden_layers"],
            heads=text["num_attention_heads"],
            dropout=text.get("dropout", 0.0),
            attention_dropout=text.get("attention_dropout", 0.0),
        ),
    )


def _state_dict(content: Any) -> Mapping[str, Tensor]:
    state = content.get("state_dict", content)
    if not all(isinstance(value, Tensor) for value in state.values()):
        raise TypeError("not all of it are tensors")
    return dict(state)


def convert(weights: str | Path, config: str | Path, folder: str | Path) -> Path:
    """Write the published checkpoint `weights` (.pth) with YAML `config` as a checkpoint folder.

    The file is read without executing anything that it holds (`weights_only`).

    Raises:
        CheckpointError: when a file cannot be read, a size is missing, or weights do not fit.
    """
    try:
        settings = published_config(yaml.safe_load(Path(config).read_text(encoding="utf-8")))
    except KeyError as error:
        raise CheckpointError(f"{config}: the setting {error} is missing") from None
    except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise CheckpointError(f"{config}: not a published configuration: {reason}") from None
    try:
        content = torch.load(weights, map_location="cpu", weights_only=True)
        state = rename(_state_dict(content))
    except OSError as error:
        raise CheckpointError(f"{weights}: {error.strerror or error}") from None
    except Exception:  # torch.load raises many types of errors
        raise CheckpointError(f"{weights}: not a checkpoint of tensors alone, or damaged") from None
    model = MusCALL(settings)
    model.load_weights(state, origin=str(weights))
    model.save_pretrained(folder)
    return Path(folder)
