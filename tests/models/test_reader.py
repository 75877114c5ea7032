"""Reading sentences without torch."""

from pathlib import Path

import numpy as np
import pytest
import torch

import muscall
from muscall.library.embedding_version import embedding_version_of
from muscall.models.config import ModelConfig, MusicnnConfig, SentenceConfig
from muscall.models.muscall import MusCALL
from muscall.models.reader import SentenceReader, sentence_reader

SENTENCES = ["calm piano, no drums", "metal with screams", "x", "", "naïve 夜曲", "a " * 300]


@pytest.fixture(scope="module")
def reader() -> SentenceReader:
    found = sentence_reader(None)
    assert found is not None
    return found


def test_gives_what_torch_gives(reader: SentenceReader) -> None:
    model = muscall.load()
    model.precision = torch.float32
    np.testing.assert_allclose(
        reader.encode_text(SENTENCES), model.encode_text(SENTENCES), atol=1e-5
    )
    assert reader.encode_text(SENTENCES[0]).shape == (1, reader.config.dim)
    assert embedding_version_of(reader) == embedding_version_of(model)


@pytest.mark.parametrize("adapter", [0, 8])
def test_reads_models_with_and_without_an_adapter(adapter: int, tmp_path: Path) -> None:
    config = ModelConfig(audio=MusicnnConfig(), text=SentenceConfig(), text_adapter=adapter)
    model = MusCALL(config).eval()
    for weight in [] if model.text_adapter is None else model.text_adapter.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    model.precision = torch.float32
    model.save_pretrained(tmp_path / "model")
    found = sentence_reader(tmp_path / "model")
    assert found is not None
    np.testing.assert_allclose(
        found.encode_text(SENTENCES), model.encode_text(SENTENCES), atol=1e-5
    )
    assert embedding_version_of(found) == embedding_version_of(model)


def test_leaves_other_models_to_torch(tiny_checkpoint: Path) -> None:
    assert sentence_reader(tiny_checkpoint) is None
