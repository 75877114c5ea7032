"""Word vectors: what is read, what a sentence becomes, and that a checkpoint has it all."""

import gzip
import shutil
import sys

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors
from torch.nn import functional as F

import muscall
from muscall.errors import CheckpointError, ConfigError, MissingExtra
from muscall.models.config import CRNNConfig, ModelConfig, WordVectorsConfig
from muscall.models.muscall import MusCALL
from muscall.models.wordvectors import WordVectors, read_vectors

WORDS = ["Calm", "piano", "calm", "Bach", "rock", "don't"]
VECTORS = np.random.default_rng(0).normal(size=(len(WORDS), 16)).astype(np.float32)
CALM, PIANO, BACH, ROCK = (torch.from_numpy(VECTORS[row]) for row in (2, 1, 3, 4))
SENTENCES = ["Calm piano!", "piano piano rock", "日本 xyzzy", "", "a calm unheard-of piano"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same vectors in each of word2vec's formats."""
    folder = tmp_path_factory.mktemp("vectors")
    keyed = KeyedVectors(16)
    keyed.add_vectors(WORDS, VECTORS)
    keyed.save_word2vec_format(str(folder / "words.txt"), binary=False)
    keyed.save_word2vec_format(str(folder / "words.bin"), binary=True)
    for name in ("words.txt", "words.bin"):
        with (folder / name).open("rb") as plain, gzip.open(folder / f"{name}.gz", "wb") as packed:
            shutil.copyfileobj(plain, packed)
    return folder


@pytest.fixture(scope="module")
def encoder(files):
    return WordVectors.pretrained(WordVectorsConfig(vectors=str(files / "words.bin"))).eval()


@pytest.fixture
def config(files):
    """A tiny model as the baseline is: no projections."""
    return ModelConfig(
        dim=16,
        audio=CRNNConfig(width=4, hidden=8, features=16, window_seconds=2),
        text=WordVectorsConfig(vectors=str(files / "words.bin")),
        projection=False,
    )


@pytest.mark.parametrize("name", ["words.txt", "words.bin", "words.txt.gz", "words.bin.gz"])
def test_every_usual_format_is_read(files, name):
    words, vectors = read_vectors(files / name, limit=100)
    assert words == ["calm", "piano", "bach", "rock", "don't"]
    np.testing.assert_allclose(vectors, VECTORS[[2, 1, 3, 4, 5]], rtol=1e-6)
    assert vectors.dtype == np.float32


def test_only_the_first_words_are_taken(files):
    words, vectors = read_vectors(files / "words.bin", limit=2)
    assert words == ["calm", "piano"]
    np.testing.assert_array_equal(vectors, VECTORS[:2])


def test_a_sentence_is_the_mean_of_its_known_words(encoder):
    features = encoder(encoder.tokenize(SENTENCES))
    torch.testing.assert_close(features[0], (CALM + PIANO) / 2)
    torch.testing.assert_close(features[1], (2 * PIANO + ROCK) / 3)
    torch.testing.assert_close(features[4], features[0])


def test_a_sentence_without_a_known_word_is_the_average_word(encoder):
    expected = torch.from_numpy(VECTORS[1:].mean(axis=0))
    features = encoder(encoder.tokenize(SENTENCES))
    torch.testing.assert_close(features[2], expected)
    torch.testing.assert_close(features[3], expected)
    torch.testing.assert_close(encoder(encoder.tokenize([""]))[0], expected)


def test_neighbours_and_padding_change_nothing(encoder):
    together = encoder(encoder.tokenize(SENTENCES))
    alone = torch.cat([encoder(encoder.tokenize([sentence])) for sentence in SENTENCES])
    torch.testing.assert_close(together, alone)


def test_frozen_or_not(files, encoder):
    assert not any(p.requires_grad for p in encoder.parameters())
    config = WordVectorsConfig(vectors=str(files / "words.bin"), frozen=False)
    free = WordVectors.pretrained(config)
    free(free.tokenize(SENTENCES)).sum().backward()
    assert free.vectors.weight.grad.abs().sum() > 0


def test_embeddings_of_words_are_of_unit_norm_whatever_they_are(config):
    model = MusCALL(config).eval()
    embeddings = model.encode_text(SENTENCES)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-6)
    expected = F.normalize(torch.stack([CALM + PIANO, 2 * PIANO + ROCK]), dim=-1)
    np.testing.assert_allclose(embeddings[:2], expected, rtol=1e-5)
    assert model.encode_text(["", "日本"]).shape == (2, 16)


def test_a_checkpoint_needs_neither_the_file_nor_gensim(config, files, tmp_path, monkeypatch):
    copied = tmp_path / "copied.bin"
    shutil.copy(files / "words.bin", copied)
    text = config.text.model_copy(update={"vectors": str(copied)})
    model = MusCALL(config.model_copy(update={"text": text})).eval()
    model.save_pretrained(tmp_path / "saved")
    copied.unlink()
    monkeypatch.setitem(sys.modules, "gensim", None)
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    loaded = muscall.load(tmp_path / "saved", device="cpu")
    assert loaded.config == model.config
    np.testing.assert_array_equal(loaded.encode_text(SENTENCES), model.encode_text(SENTENCES))
    noise = [(0.1 * np.random.default_rng(0).normal(size=50_000), 16000)]
    np.testing.assert_array_equal(loaded.encode_audio(noise), model.encode_audio(noise))
    names = {path.name for path in (tmp_path / "saved").iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "README.md"}


def test_without_gensim_it_is_said_how_to_get_it(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim", None)
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(MissingExtra, match=r'pip install "muscall\[word2vec\]"'):
        read_vectors(files / "words.bin", limit=10)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.bin", None, "no such word vectors"),
        ("empty.txt", b"", "not word vectors"),
        ("prose.txt", b"this is not\na file of vectors\n", "not word vectors"),
        ("cut.bin", b"3 4\ncalm \x00\x00", "not word vectors"),
        ("packed.txt.gz", b"not packed", "not word vectors"),
        ("nan.txt", b"1 2\ncalm nan 1\n", "not finite"),
    ],
)
def test_a_bad_file_is_one_line_that_names_it(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=says) as caught:
        read_vectors(tmp_path / name, limit=10)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_projections_features_must_have_the_size_of_the_space(config):
    wrong = config.model_copy(update={"dim": 32})
    with pytest.raises(ConfigError, match=r"model\.projection.*model\.dim=32.*audio has 16"):
        MusCALL(wrong)
    projected = MusCALL(wrong.model_copy(update={"projection": True})).eval()
    assert projected.encode_text(SENTENCES).shape == (5, 32)
