"""What is exported gives the model's own vectors, with no torch and no muscall around it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from muscall import MusCALL, load
from muscall.errors import MissingExtra
from muscall.library.embedding_version import embedding_version_of

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytest.importorskip("onnxscript")

SENTENCES = ["calm", "loud rock drums, and then a piano", "a choir"]


def exported(model: MusCALL, folder: Path) -> Path:
    from muscall.models.onnx import export

    written = export(model, folder, version=embedding_version_of(model))
    assert sorted(folder.iterdir()) == written
    return folder


@pytest.fixture(scope="module")
def tiny(tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tiny_model, tmp_path_factory.mktemp("onnx") / "tiny")


def run(path: Path, given: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path)
    found: np.ndarray = session.run(None, {session.get_inputs()[0].name: given})[0]
    return found


def difference(model: MusCALL, folder: Path, kind: str = "") -> tuple[float, float]:
    """The largest of sound and of sentences, whatever the batch."""
    rng = np.random.default_rng(0)
    audio = model.config.audio
    windows = rng.normal(0, 0.1, (9, audio.window_samples)).astype(np.float32)
    windows[1] *= 0.01
    windows[2, 100:] = 0
    with torch.inference_mode():
        expected = model.embed_audio(torch.from_numpy(windows)).numpy()
        tokens = model.text.tokenize(SENTENCES)
        said = model.embed_text(tokens).numpy()
    file, text = folder / f"audio{kind}.onnx", folder / f"text{kind}.onnx"
    found = [run(file, windows[:1]), run(file, windows[1:4]), run(file, windows[4:])]
    of_sound = np.abs(np.concatenate(found) - expected).max()
    of_words = np.abs(run(text, tokens.numpy()) - said).max()
    alone = np.abs(run(text, model.text.tokenize("calm").numpy()) - said[:1]).max()
    return float(of_sound), float(max(of_words, alone))


def test_the_vectors_are_the_models(tiny_model: MusCALL, tiny: Path) -> None:
    assert max(difference(tiny_model, tiny)) < 1e-4


def test_weights_of_eight_bits_are_near_and_small(tiny_model: MusCALL, tiny: Path) -> None:
    assert max(difference(tiny_model, tiny, ".int8")) < 0.03
    sizes = {path.name: path.stat().st_size for path in tiny.iterdir()}
    assert sizes["text.int8.onnx"] < 0.3 * sizes["text.onnx"]


def test_the_files_say_what_they_are(tiny_model: MusCALL, tiny: Path) -> None:
    for name in ("audio", "audio.int8", "text", "text.int8"):
        session = onnxruntime.InferenceSession(tiny / f"{name}.onnx")
        assert session.get_modelmeta().custom_metadata_map == {
            "window_samples": "32000",
            "sample_rate": "16000",
            "dim": "16",
            "tokenizer": "tokenizer.json",
            "padding": "0",
            "embedding_version": embedding_version_of(tiny_model),
        }
        assert [output.name for output in session.get_outputs()] == ["embeddings"]
    assert "tokenizer.json" in [path.name for path in tiny.iterdir()]


def test_clap_is_exported_too(make_clap, tmp_path: Path) -> None:
    model = load(make_clap())
    assert max(difference(model, exported(model, tmp_path / "clap"))) < 1e-4


def test_without_the_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "muscall.models.onnx", raising=False)
    with pytest.raises(MissingExtra, match=r'pip install "muscall\[onnx\]"'):
        import muscall.models.onnx  # noqa: F401
