"""Export of both encoders to ONNX, for runtimes and devices that have no torch."""

from __future__ import annotations

import copy
import logging
import types
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional as F

from muscall.audio.mel import LogMel
from muscall.errors import MuscallError, needs
from muscall.models.checkpoint import written_aside
from muscall.models.hub import TOKENIZER
from muscall.models.inference import AudioEmbedder
from muscall.models.muscall import MusCALL
from muscall.models.musicnn import FilterBank
from muscall.models.transformer import Block, TextTransformer

with needs("onnx", "exporting"):
    import onnx
    import onnxscript  # noqa: F401 - torch exports with it

_LEAST = 1024  # values of a weight that is worth storing in eight bits


class _Audio(nn.Module):
    """Windows (batch, samples) float32 -> (batch, dim), unit norm; the log-mel is part of it."""

    def __init__(self, model: MusCALL) -> None:
        super().__init__()
        ready = AudioEmbedder(model.audio, model.audio_projection, precision=torch.float32)
        self.encoder, self.projection = ready.encoder, ready.projection

    def forward(self, waveform: Tensor) -> Tensor:
        return F.normalize(self.projection(self.encoder(waveform, torch.float32)), dim=-1)


class _Text(nn.Module):
    """Tokens (batch, length) int64 -> (batch, dim), unit norm."""

    def __init__(self, model: MusCALL) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        return self.model.embed_text(tokens)


# What is cut up to stay in a processor's caches, or to leave out padding, is written as a whole
# again: a graph for any batch cannot count pieces, and a runtime has ways of its own.


def _decibels(self: LogMel, waveform: Tensor) -> Tensor:
    return self.decibels(self.power(waveform))


def _filtered(self: FilterBank, x: Tensor) -> Tensor:
    sign = torch.where(self.norm.weight < 0, -1.0, 1.0)
    maps = self.layer(F.pad(x, (0, 0, *self.padding))[:, None]) * sign[:, None, None]
    normed: Tensor = self.norm(F.relu(maps.amax(dim=-1) * sign[:, None]))
    return normed


def _read(self: TextTransformer, tokens: Tensor) -> Tensor:
    x = self.token_embedding(tokens) + self.position_embedding[: tokens.shape[1]]
    for block in self.blocks:
        x = block(x)
    end = tokens.argmax(dim=1)[:, None, None].expand(-1, 1, x.shape[2])
    features: Tensor = self.norm(x.gather(1, end)[:, 0])
    return features


def _attended(self: Block, x: Tensor) -> Tensor:
    qkv = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1))
    query, key, value = qkv.permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    x = x + self.out(mixed.transpose(1, 2).flatten(2))
    out: Tensor = x + self.down(F.gelu(self.up(self.norm2(x))))
    return out


_WHOLE: dict[type[nn.Module], Callable[..., Tensor]] = {
    LogMel: _decibels,
    FilterBank: _filtered,
    TextTransformer: _read,
    Block: _attended,
}


def export(model: MusCALL, folder: str | Path, *, version: str) -> list[Path]:
    """Write `audio.onnx` and `text.onnx`, each once more with weights of eight bits (`.int8`).

    `audio` takes `waveform` (batch, samples) float32, whole windows at the model's rate, and `text`
    takes `tokens` (batch, length) int64, padded to the right; both give `embeddings` (batch, dim)
    float32 of unit norm. The metadata of each say `window_samples`, `sample_rate`, `dim`,
    `tokenizer`, the file beside it, `padding`, the token, and `embedding_version`.

    Args:
        version: of the model's vectors, its `embedding_version_of`.

    Returns:
        The four files and the tokenizer's.

    Raises:
        MuscallError: the model cannot be exported.
        CheckpointError: the folder cannot be written.
    """
    model = copy.deepcopy(model).cpu().eval()
    tokenizer = model.text.tokenizer
    if tokenizer is None:
        raise MuscallError("a model without a tokenizer cannot be exported")
    audio = model.config.audio
    tokens = model.text.tokenize(["a calm piece for solo piano", "loud"])
    about = {
        "window_samples": audio.window_samples,
        "sample_rate": audio.sample_rate,
        "dim": model.config.dim,
        "tokenizer": TOKENIZER,
        "padding": (tokenizer.padding or {"pad_id": 0})["pad_id"],
        "embedding_version": version,
    }
    batch = Dim("batch", min=1, max=4096)
    length = Dim("length", min=1, max=(tokenizer.truncation or {"max_length": 512})["max_length"])
    parts = {
        "audio": (_Audio(model), 0.1 * torch.randn(2, audio.window_samples), {0: batch}),
        "text": (_Text(model), tokens, {0: batch, 1: length}),
    }
    folder = Path(folder)
    with written_aside(folder) as aside:
        for name, (part, example, shapes) in parts.items():
            path = aside / f"{name}.onnx"
            _write(part, example, shapes, path)
            graph = onnx.load(path)
            onnx.helper.set_model_props(graph, {key: str(value) for key, value in about.items()})
            onnx.save(graph, path)
            _shrink(graph)
            onnx.save(graph, aside / f"{name}.int8.onnx")
        tokenizer.save(str(aside / TOKENIZER), pretty=False)
        names = sorted(path.name for path in aside.iterdir())
    return [folder / name for name in names]


def _write(part: nn.Module, example: Tensor, shapes: dict[int, Dim], path: Path) -> None:
    for module in part.modules():
        if whole := _WHOLE.get(type(module)):
            module.forward = types.MethodType(whole, module)
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it warns of operators that nothing here has
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            # Strictly, as otherwise the batch of the example becomes that of the graph.
            traced = torch.export.export(
                part.eval(), (example,), dynamic_shapes=(shapes,), strict=True
            )
            program = torch.onnx.export(
                traced, dynamo=True, output_names=["embeddings"], verbose=False
            )
    except (torch.onnx.OnnxExporterError, torch._dynamo.exc.TorchDynamoException) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise MuscallError(f"{path.name}: cannot be exported: {reason}") from error
    finally:
        logger.setLevel(level)
    assert program is not None
    program.save(path)


# Which input of a node is its weight, and along which axis each part of that has its own scale.
_WEIGHTS = {"Conv": (1, 0), "Gather": (0, 0), "Gemm": (1, 0), "MatMul": (1, -1)}


def _shrink(graph: onnx.ModelProto) -> None:
    """Store the weights of `graph` in eight bits, which become floats again when it is used.

    So the file is a quarter of the size, and any runtime computes with it as before: what is
    calculated in eight bits itself costs more accuracy than it is worth on what is so small.
    """
    numbers = {weight.name: weight for weight in graph.graph.initializer}
    restored = []
    for node in graph.graph.node:
        place, axis = _WEIGHTS.get(node.op_type, (0, 0))
        weight = numbers.get(node.input[place]) if node.op_type in _WEIGHTS else None
        # What makes a spectrogram is no weight, and small.
        if weight is None or weight.data_type != onnx.TensorProto.FLOAT or "log_mel" in weight.name:
            continue
        values = onnx.numpy_helper.to_array(weight)
        if values.ndim < 2 or values.size < _LEAST:
            continue
        axis %= values.ndim
        others = tuple(other for other in range(values.ndim) if other != axis)
        scale = np.abs(values).max(axis=others, keepdims=True).clip(min=1e-12) / 127
        del numbers[weight.name]
        name = weight.name
        weight.CopyFrom(
            onnx.numpy_helper.from_array(np.rint(values / scale).astype(np.int8), f"{name}.int8")
        )
        scales = onnx.numpy_helper.from_array(scale.ravel().astype(np.float32), f"{name}.scale")
        graph.graph.initializer.append(scales)
        restored.append(
            onnx.helper.make_node("DequantizeLinear", [weight.name, scales.name], [name], axis=axis)
        )
    nodes = [*restored, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
