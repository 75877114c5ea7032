"""The published design written plainly: what `speed.py` measures ours against.

Sections 3 and 4 of the paper, one operation after the other as they are described: float32, the
default memory format, a complex spectrogram, sentences padded to 77 tokens one by one, attention
with every query written out, nothing fused, AdamW as it is. Modules carry the names of ours, so
that the same weights load and the same numbers come out:

    python benchmarks/plain.py
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from muscall.audio.mel import mel_filters
from muscall.audio.mel_config import MelConfig
from muscall.models.config import ModelConfig, ResNetConfig, TransformerConfig
from muscall.models.muscall import MusCALL
from muscall.text.tokenizer import clip_tokenizer


class LogMel(nn.Module):
    def __init__(self, config: MelConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.register_buffer("filters", mel_filters(config), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, samples) -> (batch, 1, n_mels, frames) in dB."""
        config = self.config
        spectrum = torch.stft(
            waveform, config.n_fft, config.hop, window=self.window, return_complex=True
        )
        power = (spectrum / self.window.square().sum().sqrt()).abs().pow(2)
        mel = (power.transpose(1, 2) @ self.filters).transpose(1, 2)
        decibels = 10 * torch.log10(torch.clamp(mel, min=1e-10))
        floor = decibels.amax(dim=(1, 2), keepdim=True) - config.top_db
        return torch.maximum(decibels, floor).unsqueeze(1)


class Bottleneck(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride > 1 or inputs != 4 * width:
            parts = OrderedDict(
                pool=nn.AvgPool2d(stride) if stride > 1 else nn.Identity(),
                conv=nn.Conv2d(inputs, 4 * width, 1, bias=False),
                bn=nn.BatchNorm2d(4 * width),
            )
            self.downsample = nn.Sequential(parts)

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(self.pool(out)))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self, width: int, blocks: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, width // 2, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width // 2)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.AvgPool2d(2)
        self.stages = nn.ModuleList()
        channels = width
        for index, depth in enumerate(blocks):
            planes = width * 2**index
            stage = [Bottleneck(channels, planes, stride=1 if index == 0 else 2)]
            channels = 4 * planes
            stage += [Bottleneck(channels, planes) for _ in range(depth - 1)]
            self.stages.append(nn.Sequential(*stage))
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        for conv, norm in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            x = self.relu(norm(conv(x)))
        x = self.pool(x)
        for stage in self.stages:
            x = stage(x)
        return x


class AttentionPool(nn.Module):
    """Self-attention over the mean and all places; the mean's output is kept."""

    def __init__(self, channels: int, places: int, heads: int, features: int) -> None:
        super().__init__()
        self.heads = heads
        self.positions = nn.Parameter(torch.randn(places + 1, channels) / channels**0.5)
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.output = nn.Linear(channels, features)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([x.mean(dim=1, keepdim=True), x], dim=1) + self.positions
        x = attention(self.query(x), self.key(x), self.value(x), self.heads)
        return self.output(x)[:, 0]


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    heads: int,
    mask: Tensor | None = None,
    dropout: nn.Module | None = None,
) -> Tensor:
    """Multi-head attention, (batch, places, width) each; `mask` is added to the scores."""
    batch, places, width = query.shape
    query, key, value = (
        part.view(batch, places, heads, width // heads).transpose(1, 2)
        for part in (query, key, value)
    )
    scores = query @ key.transpose(2, 3) * (width // heads) ** -0.5
    if mask is not None:
        scores = scores + mask
    weights = scores.softmax(dim=-1)
    if dropout is not None:
        weights = dropout(weights)
    return (weights @ value).transpose(1, 2).reshape(batch, places, width)


class Block(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.attention_dropout = nn.Dropout(config.attention_dropout)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        query, key, value = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        mixed = attention(query, key, value, self.heads, mask, self.attention_dropout)
        x = x + self.dropout(self.out(mixed))
        return x + self.dropout(self.down(self.dropout(F.gelu(self.up(self.norm2(x))))))


class TextTransformer(nn.Module):
    mask: Tensor

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.context = config.context
        self.token_embedding = nn.Embedding(config.vocab_size, config.width)
        self.position_embedding = nn.Parameter(torch.empty(config.context, config.width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        mask = torch.full((config.context, config.context), float("-inf")).triu(1)
        self.register_buffer("mask", mask, persistent=False)

    def tokenize(self, sentences: Sequence[str]) -> Tensor:
        """One sentence after the other, each padded to the full context."""
        rows = []
        for sentence in sentences:
            ids = clip_tokenizer(self.context).encode(sentence).ids
            rows.append(torch.tensor(ids + [0] * (self.context - len(ids))))
        return torch.stack(rows)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.dropout(self.token_embedding(tokens) + self.position_embedding)
        for block in self.blocks:
            x = block(x, self.mask)
        return self.norm(x)[torch.arange(len(x)), tokens.argmax(dim=1)]


class PlainAudio(nn.Module):
    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        self.log_mel = LogMel(config.mel)
        self.backbone = ResNet(config.width, config.blocks)
        frames = (1 + config.window_samples // config.mel.hop) // 32
        places = config.mel.n_mels // 32 * frames
        self.pool = AttentionPool(self.backbone.channels, places, config.heads, config.features)

    def forward(self, waveform: Tensor) -> Tensor:
        return self.pool(self.backbone(self.log_mel(waveform)))


class Plain(nn.Module):
    """Both encoders and the joint space, with the weights of `model`."""

    def __init__(self, model: MusCALL) -> None:
        super().__init__()
        config = model.config
        if config.audio.pooling != "attention" or not isinstance(config.text, TransformerConfig):
            raise ValueError("the published design has attention pooling and a Transformer")
        self.audio = PlainAudio(config.audio)
        self.text = TextTransformer(config.text)
        self.audio_projection = nn.Linear(config.audio.features, config.dim, bias=False)
        self.text_projection = nn.Linear(config.text.width, config.dim, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(0.0))
        self.load_state_dict(model.state_dict())

    def embed_audio(self, waveform: Tensor) -> Tensor:
        features = self.audio_projection(self.audio(waveform))
        return features / features.norm(dim=-1, keepdim=True)

    def embed_text(self, sentences: Sequence[str]) -> Tensor:
        features = self.text_projection(self.text(self.text.tokenize(sentences)))
        return features / features.norm(dim=-1, keepdim=True)

    def loss(self, waveform: Tensor, sentences: Sequence[str]) -> Tensor:
        """The sum of Eq. 1 in both directions."""
        logits = self.logit_scale.exp() * self.embed_audio(waveform) @ self.embed_text(sentences).T
        target = torch.arange(len(logits))
        return F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)

    @torch.no_grad()
    def encode_audio(self, clips: Sequence[np.ndarray], batch_size: int = 32) -> np.ndarray:
        """Clips of the training length, one for each track."""
        batches = [np.stack(clips[i : i + batch_size]) for i in range(0, len(clips), batch_size)]
        return torch.cat([self.embed_audio(torch.from_numpy(batch)) for batch in batches]).numpy()

    @torch.no_grad()
    def encode_text(self, sentences: Sequence[str], batch_size: int = 32) -> np.ndarray:
        starts = range(0, len(sentences), batch_size)
        return torch.cat([self.embed_text(sentences[i : i + batch_size]) for i in starts]).numpy()


def check() -> None:
    """The plain model gives the embeddings of ours to 1e-4, and its gradients in eval mode."""
    torch.manual_seed(0)
    config = ModelConfig(text=TransformerConfig(dropout=0, attention_dropout=0))
    ours = MusCALL(config).train()
    for module in ours.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    waveform = 0.1 * torch.randn(4, config.audio.window_samples)
    with torch.no_grad():
        ours.embed_audio(waveform)  # running statistics that are not the initial ones
    plain = Plain(ours)
    words = ["slow", "calm", "jazz", "piano", "with", "soft", "drums", "and", "a", "warm", "bass"]
    sentences = [" ".join(random.Random(n).choices(words, k=6 + 3 * n)) for n in range(4)]

    for name in ("eval", "train"):
        ours.train(name == "train")
        plain.train(name == "train")
        audio = ours.embed_audio(waveform)
        text = ours.embed_text(ours.text.tokenize(sentences))
        logits = ours.scale() * audio @ text.T
        target = torch.arange(4)
        (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)).backward()
        plain.loss(waveform, sentences).backward()
        torch.testing.assert_close(audio, plain.embed_audio(waveform), atol=1e-4, rtol=0)
        torch.testing.assert_close(text, plain.embed_text(sentences), atol=1e-4, rtol=0)
        theirs = dict(plain.named_parameters())
        for parameter_name, parameter in ours.named_parameters():
            # Batch statistics of four clips amplify rounding on the way back. And some gradients
            # cancel, such as that of the bias of the pooling's keys.
            if name == "train" or parameter.grad is None:
                continue
            expected = theirs[parameter_name].grad
            assert expected is not None
            likeness = F.cosine_similarity(parameter.grad.flatten(), expected.flatten(), dim=0)
            assert likeness > 0.999, (name, parameter_name, likeness)
        ours.zero_grad()
        plain.zero_grad()
        print(f"{name}: equal")


if __name__ == "__main__":
    check()
