from pathlib import Path

import pytest

from muscall.errors import ConfigError
from muscall.training import Config

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=[path.stem for path in CONFIGS])
def test_every_shipped_configuration_loads(path):
    config = Config.read(path)
    assert config.train.out == f"runs/{path.stem}"


def test_there_are_the_papers_variants():
    assert {path.stem for path in CONFIGS} >= {"base", "weighted", "ssl", "minilm", "wide", "small"}


def test_overrides_reach_any_depth():
    overrides = ["train.lr=1e-3", "model.audio.pooling=average", "data.augment.pitch_shift=0"]
    config = Config.read(CONFIGS[0], overrides)
    assert config.train.lr == 1e-3
    assert config.model.audio.pooling == "average"
    assert config.data.augment.pitch_shift == 0


def test_one_override_needs_no_list():
    assert Config.read(CONFIGS[0], "train.lr=1e-3").train.lr == 1e-3


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("train.lr=abc", "train.lr: input should be a valid number"),
        ("trian.lr=1", "unknown setting trian, did you mean train?"),
        (
            "model.text.layer=3",
            r"unknown setting model.text.layer, did you mean model.text.layers?",
        ),
        (
            "model.audio.widht=3",
            "unknown setting model.audio.widht, did you mean model.audio.width",
        ),
        ("pooling=average", "unknown setting pooling, did you mean model.audio.pooling?"),
        ("train.batch_size=1", "train.batch_size: input should be greater than or equal to 2"),
        ("train.lr", "an override is written setting.name=value"),
        ("train.lr.x=1", "lr is a value and has no settings below it"),
        ("=3", "an override is written setting.name=value"),
    ],
)
def test_a_wrong_setting_is_one_line_that_helps(override, says):
    with pytest.raises(ConfigError) as error:
        Config.read(Path(__file__).parents[1] / "configs" / "base.yaml", [override])
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["", "- a list", "{broken", "\x00\x01"])
def test_a_file_that_holds_no_settings(tmp_path, content):
    path = tmp_path / "config.yaml"
    path.write_text(content)
    if content == "":
        assert Config.read(path) == Config()
    else:
        with pytest.raises(ConfigError, match=r"config\.yaml"):
            Config.read(path)


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match=r"no-such\.yaml"):
        Config.read("no-such.yaml")
