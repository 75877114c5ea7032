"""`muscall convert` in both directions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from muscall import load
from muscall.library.embedding_version import embedding_version_of

Run = Callable[..., SimpleNamespace]


def test_a_model_is_exported(run: Run, tiny_checkpoint: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    import onnxruntime

    done = run("convert", "--to", "onnx", tiny_checkpoint, tmp_path / "onnx")
    assert done.code == 0, done.err
    names = ["audio.int8.onnx", "audio.onnx", "text.int8.onnx", "text.onnx", "tokenizer.json"]
    assert done.out.splitlines() == [str(tmp_path / "onnx" / name) for name in names]
    session = onnxruntime.InferenceSession(tmp_path / "onnx" / "text.onnx")
    told = session.get_modelmeta().custom_metadata_map
    assert told["embedding_version"] == embedding_version_of(load(tiny_checkpoint))


@pytest.mark.parametrize("arguments", [["a", "b"], ["--to", "onnx", "a"], ["--to", "tflite", "a"]])
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    done = run("convert", *arguments)
    assert (done.code, done.out) == (2, "")
