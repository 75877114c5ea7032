from pathlib import Path

import pytest

from muscall.audio.mel_config import MelConfig
from muscall.errors import ConfigError
from muscall.library.embedding_version import settings
from muscall.models.config import ModelConfig, ResNetConfig
from muscall.records import RENAMED, _names, former_name
from muscall.reproduce.runs import Run
from muscall.training import Config

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=[path.stem for path in CONFIGS])
def test_every_shipped_configuration_loads(path):
    config = Config.read(path)
    assert config.train.out == f"runs/{path.stem}"


def test_there_are_the_papers_variants():
    variants = {"base", "weighted", "weighted-published", "ssl", "minilm", "wide", "small"}
    assert {path.stem for path in CONFIGS} >= variants


def test_loss_weighting_is_there_as_printed_and_as_published():
    printed, published = (
        Config.read(CONFIGS[0].parent / f"{name}.yaml").loss
        for name in ("weighted", "weighted-published")
    )
    assert (printed.weighting, printed.kappa) == ("raw", 0.005)
    assert (published.weighting, published.kappa) == ("relative", 0.01)


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


def test_settings_are_taken_by_their_former_names(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "model: {audio: {mel: {relative: true}}}\n"
        "loss: {hardness: 0.5, alike: 0.9}\n"
        "train: {recompute: false, blend: 0.5}\n"
    )
    config = Config.read(path)
    assert config.model.audio.mel.level_normalised
    assert (config.loss.hard_negative_beta, config.loss.false_negative_threshold) == (0.5, 0.9)
    assert (config.train.gradient_caching, config.train.weight_interpolation) == (False, 0.5)
    # An override wins under either name.
    newer = Config.read(path, ["train.gradient_caching=true", "loss.false_negative_threshold=0.8"])
    assert (newer.train.gradient_caching, newer.loss.false_negative_threshold) == (True, 0.8)
    older = Config.build({"train": {"gradient_caching": False}}, ["train.recompute=true"])
    assert older.train.gradient_caching


def test_every_former_name_has_one_setting_and_none_is_in_use():
    names = [name.rpartition(".")[2] for name in _names(Config)]
    assert set(RENAMED.values()) <= set(names)
    assert RENAMED.keys().isdisjoint(names)
    assert [former_name(f"a.{name}") for name in RENAMED.values()] == [f"a.{n}" for n in RENAMED]
    assert former_name("train.lr") == "train.lr"


def test_libraries_and_runs_that_are_older_than_a_name_are_still_found():
    mel = MelConfig(level_normalised=True)
    assert settings(ModelConfig(audio=ResNetConfig(mel=mel))) == (
        '{"dim":512,"audio":{"mel":{"sample_rate":16000,"n_mels":128,"n_fft":1024,"hop":512,'
        '"f_min":0.0,"f_max":8000.0,"top_db":100.0,"relative":true},"width":16,"blocks":[3,4,6,3],'
        '"pooling":"attention","heads":8,"features":256,"window_seconds":20.0,'
        '"checkpoint_gradients":false},"text":{"kind":"transformer","vocab_size":49408,'
        '"context":77,"width":512,"layers":4,"heads":8,"dropout":0.2,"attention_dropout":0.2}}'
    )
    changes = ["train.gradient_caching=false", "loss.hard_negative_beta=0.5"]
    changes.append("model.audio.mel.level_normalised=true")
    data = {"data": {"train": "a.jsonl", "val": "b.jsonl"}, "train": {"steps": 3}}
    run = Run.of("any", Config.build(data, changes), Path("runs"))
    assert run.folder == Path("runs/fe26ef7077e7")
