import copy

import numpy as np
import pytest
import torch

from muscall import MusCALL
from muscall.errors import CheckpointError
from muscall.library.embedding_version import embedding_version_of
from muscall.models.config import SentenceConfig, TransformerConfig
from muscall.models.sentence import SentenceEncoder
from muscall.models.transformer import TextTransformer

SENTENCES = ["slow jazz", "a driving rock track with distorted guitars and female vocals", ""]


@pytest.fixture(scope="module")
def transformer():
    torch.manual_seed(0)
    return TextTransformer(TransformerConfig(width=32, layers=2, heads=4)).eval()


@pytest.fixture(scope="module")
def sentence_encoder():
    return SentenceEncoder.pretrained(SentenceConfig()).eval()


def test_trimming_the_padding_changes_nothing(transformer):
    tokens = transformer.tokenize(SENTENCES)
    padded = torch.nn.functional.pad(tokens, (0, 77 - tokens.shape[1]))
    torch.testing.assert_close(transformer(tokens), transformer(padded), rtol=1e-5, atol=1e-6)


def test_later_tokens_cannot_be_seen(transformer):
    tokens = transformer.tokenize(["one two three"])
    changed = torch.cat([tokens, torch.tensor([[5, 6, 7]])], dim=1)
    torch.testing.assert_close(transformer(tokens), transformer(changed), rtol=1e-5, atol=1e-6)


def test_neighbours_in_a_batch_change_nothing(transformer):
    together = transformer(transformer.tokenize(SENTENCES))
    alone = torch.cat([transformer(transformer.tokenize([sentence])) for sentence in SENTENCES])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


def test_one_sentence_needs_no_list(transformer, sentence_encoder):
    for encoder in (transformer, sentence_encoder):
        assert torch.equal(encoder.tokenize("slow jazz"), encoder.tokenize(["slow jazz"]))


def test_words_matter(transformer):
    first, second = transformer(transformer.tokenize(["calm piano", "loud piano"]))
    assert (first - second).abs().max() > 1e-3


def test_a_text_of_ten_thousand_words_is_cut_to_the_context(transformer):
    assert transformer.tokenize(["word " * 10_000]).shape == (1, 77)


def test_minilm_equals_sentence_transformers(sentence_encoder, reference):
    arrays = reference("minilm")
    captions = [
        "calm solo piano for a rainy evening",
        "Up tempo, pumping dance pop with female vocals.",
        "Ünïcödé 日本",
    ]
    with torch.no_grad():
        vectors = sentence_encoder(sentence_encoder.tokenize(captions))
    torch.testing.assert_close(vectors, arrays["embeddings"], rtol=0, atol=2e-6)


def test_sentence_vectors_do_not_depend_on_their_neighbours(sentence_encoder):
    with torch.no_grad():
        alone = torch.cat([sentence_encoder(sentence_encoder.tokenize([s])) for s in SENTENCES])
        together = sentence_encoder(sentence_encoder.tokenize(SENTENCES))
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-5)


def test_similar_sentences_are_nearer(sentence_encoder):
    with torch.no_grad():
        a, b, c = sentence_encoder(
            sentence_encoder.tokenize(["calm piano", "quiet piano music", "aggressive metal"])
        )
    assert a @ b > 0.7 > 0.4 > a @ c


def test_frozen_or_not(sentence_encoder):
    assert not any(p.requires_grad for p in sentence_encoder.parameters())
    bert = sentence_encoder.config.bert
    free = SentenceEncoder(SentenceConfig(frozen=False, bert=bert))
    assert all(p.requires_grad for p in free.parameters())


def test_an_unknown_encoder_is_named(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match="no-such-encoder"):
        SentenceEncoder.pretrained(SentenceConfig(pretrained="no-such-encoder"))


def test_a_folder_with_another_architecture_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "mpnet"}')
    with pytest.raises(CheckpointError, match="mpnet"):
        SentenceEncoder.pretrained(SentenceConfig(pretrained=str(tmp_path)))


def test_dropout_of_the_transformer_acts_in_training_only(transformer):
    tokens = transformer.tokenize(SENTENCES)
    trained = copy.deepcopy(transformer).train()
    assert not torch.equal(trained(tokens), trained(tokens))
    assert torch.equal(transformer(tokens), transformer(tokens))


def test_an_adapter_changes_nothing_until_it_is_trained(tiny_config):
    def embed(width):
        torch.manual_seed(0)
        model = MusCALL(tiny_config.model_copy(update={"text_adapter": width})).eval()
        return model, model.encode_text(SENTENCES)

    plain, (model, adapted) = embed(0)[1], embed(8)
    assert (plain == adapted).all()
    before = embedding_version_of(model)
    model.text_adapter[2].bias.data[0] = 1.0
    changed = model.encode_text(SENTENCES)
    assert not np.allclose(changed, adapted, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(changed, axis=1), 1, atol=1e-6)
    assert embedding_version_of(model) != before
