import copy
import errno
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard, metadata_eval_result
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import muscall
from muscall.audio.mel_config import MelConfig
from muscall.errors import CheckpointError
from muscall.models import checkpoint
from muscall.models.config import SentenceConfig
from muscall.models.muscall import MusCALL


def test_saved_and_loaded_models_are_equal(tiny_model, tiny_checkpoint):
    loaded = MusCALL.from_pretrained(tiny_checkpoint)
    assert loaded.config == tiny_model.config
    for name, value in tiny_model.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name
    assert not loaded.training


def test_a_checkpoint_is_a_folder_with_three_files(tiny_checkpoint):
    assert {path.name for path in tiny_checkpoint.iterdir()} == {
        "config.json",
        "model.safetensors",
        "README.md",
    }
    assert "MusCALL" in (tiny_checkpoint / "README.md").read_text()


def test_a_sentence_encoder_travels_with_its_tokenizer(tiny_config, tmp_path):
    config = tiny_config.model_copy(update={"text": SentenceConfig()})
    model = MusCALL(config).eval()
    model.save_pretrained(tmp_path / "saved")
    loaded = muscall.load(tmp_path / "saved")
    sentence = ["calm solo piano"]
    assert (loaded.encode_text(sentence) == model.encode_text(sentence)).all()


def test_half_precision_weights_load_as_floats(tiny_model, tmp_path):
    copy.deepcopy(tiny_model).half().save_pretrained(tmp_path / "half")
    assert load_file(tmp_path / "half" / "model.safetensors")["logit_scale"].dtype == torch.float16
    assert MusCALL.from_pretrained(tmp_path / "half").logit_scale.dtype == torch.float32


def damage(folder: Path, how: str) -> None:
    weights = folder / checkpoint.WEIGHTS
    if how == "weights missing":
        weights.unlink()
    elif how == "config missing":
        (folder / checkpoint.CONFIG).unlink()
    elif how == "config damaged":
        (folder / checkpoint.CONFIG).write_text('{"dim": ')
    elif how == "config of another kind":
        (folder / checkpoint.CONFIG).write_text('{"hidden_size": 3}')
    elif how == "weights cut off":
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    elif how == "weights empty":
        weights.write_bytes(b"")
    elif how == "wrong shape":
        save_file(load_file(weights) | {"text_projection.weight": torch.zeros(3, 3)}, weights)
    elif how == "weight missing":
        save_file({k: v for k, v in load_file(weights).items() if k != "logit_scale"}, weights)
    else:
        save_file(load_file(weights) | {"surplus": torch.zeros(1)}, weights)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("weights missing", "model.safetensors is missing"),
        ("config missing", "config.json is missing"),
        ("config damaged", "config.json: damaged"),
        ("config of another kind", "unknown setting hidden_size"),
        ("weights cut off", "model.safetensors: damaged or cut off"),
        ("weights empty", "model.safetensors: damaged or cut off"),
        ("wrong shape", r"text_projection.weight has shape \(3, 3\), expected"),
        ("weight missing", "logit_scale is missing"),
        ("surplus", "surplus is not part of the model"),
    ],
)
def test_a_damaged_checkpoint_is_one_clear_line(tiny_model, tmp_path, how, says):
    folder = tmp_path / "model"
    tiny_model.save_pretrained(folder)
    damage(folder, how)
    with pytest.raises(CheckpointError, match=says) as error:
        muscall.load(folder)
    assert "\n" not in str(error.value)
    assert str(folder) in str(error.value)


def test_no_space_leaves_the_old_checkpoint(tiny_model, tmp_path, monkeypatch):
    folder = tmp_path / "model"
    tiny_model.save_pretrained(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(CheckpointError, match="No space left"):
        tiny_model.save_pretrained(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


class Crash(BaseException):
    """What nobody catches."""


@pytest.mark.parametrize("before", ["as now", "without what the weights say of it"])
@pytest.mark.parametrize("moved", range(3))
def test_a_crash_while_saving_never_gives_a_model_of_two(
    tiny_model, tiny_config, tmp_path, monkeypatch, moved, before
):
    folder = tmp_path / "model"
    tiny_model.save_pretrained(folder)
    if before != "as now":
        save_file(load_file(folder / checkpoint.WEIGHTS), folder / checkpoint.WEIGHTS)
    # Weights of the same shapes that mean something else.
    audio = tiny_config.audio.model_copy(update={"heads": 4})
    other = MusCALL(tiny_config.model_copy(update={"audio": audio}))
    replace, left = Path.replace, iter(range(moved))

    def replace_some(path, target):
        if next(left, None) is None:
            raise Crash
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_some)
    with pytest.raises(Crash):
        other.save_pretrained(folder)
    if moved:
        with pytest.raises(CheckpointError, match=r"config\.json and .* are not of one model"):
            muscall.load(folder)
    else:
        loaded = muscall.load(folder)
        assert loaded.config == tiny_model.config
        assert torch.equal(loaded.audio_projection.weight, tiny_model.audio_projection.weight)
    monkeypatch.undo()
    other.save_pretrained(folder)
    assert muscall.load(folder).config == other.config


def test_another_tokenizer_is_told(tiny_config, tmp_path):
    MusCALL(tiny_config.model_copy(update={"text": SentenceConfig()})).save_pretrained(tmp_path)
    path = tmp_path / checkpoint.TOKENIZER
    path.write_text(path.read_text().replace("guitar", "guitarr"))
    with pytest.raises(CheckpointError, match=r"tokenizer\.json and model\.safetensors are not"):
        muscall.load(tmp_path)


def test_saving_into_a_folder_keeps_other_files(tiny_model, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    tiny_model.save_pretrained(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert json.loads((tmp_path / "config.json").read_text())["dim"] == 16


def test_a_hub_gets_the_same_folder(tiny_model, monkeypatch):
    pushed = {}

    def upload(_: object, *, folder_path: str, repo_id: str, **__: object) -> None:
        pushed[repo_id] = {path.name for path in Path(folder_path).iterdir()}

    monkeypatch.setattr("huggingface_hub.HfApi.create_repo", lambda *_, **k: _Repo(k["repo_id"]))
    monkeypatch.setattr("huggingface_hub.HfApi.upload_folder", upload)
    tiny_model.push_to_hub("someone/tiny")
    assert pushed == {"someone/tiny": {"config.json", "model.safetensors", "README.md"}}


def test_a_hub_gets_a_card_whose_metadata_it_reads(tiny_model, monkeypatch):
    cards = []

    def upload(_: object, *, folder_path: str, **__: object) -> None:
        cards.append(ModelCard.load(Path(folder_path) / "README.md"))

    monkeypatch.setattr("huggingface_hub.HfApi.create_repo", lambda *_, **k: _Repo(k["repo_id"]))
    monkeypatch.setattr("huggingface_hub.HfApi.upload_folder", upload)
    results = {"My songs, test": {"R@10": 63.345, "MedR": np.int64(5)}}
    tiny_model.push_to_hub("someone/tiny", model_card_kwargs={"results": results})
    tiny_model.push_to_hub("someone/tiny")
    scored, plain = (card.data for card in cards)
    for data in (scored, plain):
        assert (data.library_name, data.license) == ("muscall", "apache-2.0")
        assert data.pipeline_tag == "feature-extraction"
        assert {"music", "retrieval"} <= set(data.tags)
    # huggingface_hub reads a `model-index` strictly: what it does not understand it refuses.
    found = [
        (one.dataset_name, one.dataset_type, one.metric_type, one.metric_value)
        for one in scored.eval_results
    ]
    assert scored.model_name == "MusCALL"
    assert found == [
        ("My songs, test", "my-songs-test", "R@10", 63.34),
        ("My songs, test", "my-songs-test", "MedR", 5.0),
    ]
    assert plain.eval_results is None
    assert "model-index" not in plain.to_dict()
    # The hub's own validation is asked over the network; this is the same without one: what
    # huggingface_hub itself writes of such a score.
    (ours,) = scored.to_dict()["model-index"]
    theirs = metadata_eval_result(
        model_pretty_name="MusCALL",
        task_pretty_name="Text-to-audio retrieval",
        task_id="feature-extraction",
        metrics_pretty_name="R@10",
        metrics_id="R@10",
        metrics_value=63.34,
        dataset_pretty_name="My songs, test",
        dataset_id="my-songs-test",
    )["model-index"][0]
    (first,) = theirs["results"]
    written = ours["results"][0]
    assert (ours["name"], written["task"]) == (theirs["name"], first["task"])
    assert written["dataset"] == first["dataset"]
    assert written["metrics"][0] == {
        name: value for name, value in first["metrics"][0].items() if name != "verified"
    }


class _Repo:
    def __init__(self, repo_id: str) -> None:
        self.repo_id = repo_id


@pytest.fixture
def released(tiny_model, tmp_path, monkeypatch) -> Path:
    """A folder of released weights, with one model in it."""
    monkeypatch.setenv("MUSCALL_WEIGHTS", str(tmp_path))
    tiny_model.save_pretrained(tmp_path / "base")
    checkpoint.write_checksums(tmp_path)
    return tmp_path


def test_a_released_model_is_loaded_by_its_name(tiny_model, released):
    loaded = muscall.load("base")
    assert torch.equal(loaded.logit_scale, tiny_model.logit_scale)
    assert len((released / checkpoint.CHECKSUMS).read_text().splitlines()) == 3


def test_the_default_has_a_name_too():
    one, same = muscall.load(), muscall.load("default")
    assert torch.equal(one.audio_projection.weight, same.audio_projection.weight)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("changed", "wrong checksum"),
        ("no checksums", "no checksums"),
        ("not there", "MUSCALL_WEIGHTS"),
    ],
)
def test_a_released_model_that_is_not_as_released_is_refused(released, how, message):
    name = "base"
    if how == "changed":
        with (released / "base" / checkpoint.WEIGHTS).open("ab") as file:
            file.write(b"x")
    elif how == "no checksums":
        (released / checkpoint.CHECKSUMS).unlink()
    else:
        name = "ssl"
    with pytest.raises(CheckpointError, match=message) as error:
        muscall.load(name)
    assert str(released) in str(error.value)


def test_a_checkpoint_with_former_names_of_settings_loads(tiny_config, tmp_path):
    audio = tiny_config.audio.model_copy(update={"mel": MelConfig(level_normalised=True)})
    MusCALL(tiny_config.model_copy(update={"audio": audio})).save_pretrained(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace("level_normalised", "relative"))
    assert muscall.load(tmp_path).config.audio.mel.level_normalised


def test_the_same_model_gives_the_same_bytes(tiny_config, tmp_path):
    # With a tokenizer there are three entries of metadata, which safetensors shuffles.
    model = MusCALL(tiny_config.model_copy(update={"text": SentenceConfig()}))
    files = set()
    for number in range(6):
        model.save_pretrained(tmp_path / str(number))
        files.add((tmp_path / str(number) / "model.safetensors").read_bytes())
    assert len(files) == 1
    with safe_open(tmp_path / "0" / "model.safetensors", framework="pt") as file:
        assert file.metadata()["format"] == "pt"
        assert torch.equal(file.get_tensor("logit_scale"), model.logit_scale.detach())
