import json
import shutil
from pathlib import Path

import pytest

import muscall
from muscall.errors import ConfigError
from muscall.library.embedding_version import embedding_version_of, settings
from muscall.models.config import (
    CRNNConfig,
    ModelConfig,
    ResNetConfig,
    SentenceConfig,
    TransformerConfig,
)


def test_encoders_of_no_stated_kind_are_the_papers():
    config = ModelConfig.parse({"audio": {"width": 4, "heads": 2}, "text": {"layers": 1}})
    assert isinstance(config.audio, ResNetConfig)
    assert isinstance(config.text, TransformerConfig)
    assert ModelConfig.parse({}) == ModelConfig()


def test_a_stated_kind_is_taken():
    values = {"audio": {"kind": "crnn"}, "text": {"kind": "sentence"}}
    config = ModelConfig.parse(values)
    assert config.audio == CRNNConfig()
    assert config.text == SentenceConfig()
    assert ModelConfig.parse(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"audio": {"kind": "crn"}}, "audio: .*'resnet', 'crnn'"),
        ({"audio": {"kind": "crnn", "poling": "average"}}, "did you mean audio.pooling"),
        ({"audio": {"kind": "crnn", "mel": {"n_mels": 40}}}, "n_mels must be at least 64"),
        ({"text": {"kind": "word2vec"}}, "text.vectors: field required"),
    ],
)
def test_what_cannot_be_is_one_line(values, says):
    with pytest.raises(ConfigError, match=says) as caught:
        ModelConfig.parse(values, "config.json")
    assert "\n" not in str(caught.value)


def test_a_checkpoint_from_before_the_kinds_is_the_same_model(
    tiny_model, tiny_checkpoint, tmp_path
):
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "older"))
    path = folder / "config.json"
    values = json.loads(path.read_text())
    for newer in ("projection", "logit_bias"):
        del values[newer]
    del values["audio"]["kind"], values["audio"]["branches"]
    path.write_text(json.dumps(values))
    loaded = muscall.load(folder, device="cpu")
    assert loaded.config == tiny_model.config
    assert embedding_version_of(loaded) == embedding_version_of(tiny_model)


def test_settings_in_a_librarys_embedding_version_are_written_as_they_always_were(tiny_model):
    # A different text would make every library that there is listen to all its music again.
    written = settings(tiny_model.config)
    assert written.startswith('{"dim":16,"audio":{"mel":{"sample_rate":16000,"n_mels":128,')
    assert '"relative":false},"width":4,"blocks":[1,1,1,1],"pooling":"attention",' in written
    assert '"features":16,"window_seconds":2.0,"checkpoint_gradients":false},"text":' in written
