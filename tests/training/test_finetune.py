"""Going on from a model with music of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

import muscall
from muscall.errors import ConfigError, MuscallError
from muscall.models.checkpoint import released
from muscall.training import fine_tuning, train
from muscall.training.finetune import HEADS_LR, LR
from muscall.training.interpolation import WeightInterpolation

RATE = 16000
QUICK = ["train.steps=6", "train.precision=fp32", "train.threads=1", "data.workers=0",
         "train.validate_every=3", "train.lr=0.01"]  # fmt: skip


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder of 14 short tones of two artists, tagged."""
    folder = tmp_path / "Music"
    folder.mkdir()
    time = np.arange(3 * RATE) / RATE
    for number in range(14):
        path = folder / f"{number}.flac"
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * 110 * (number + 1) * time), RATE)
        file = mutagen.File(path, easy=True)
        file["title"], file["artist"] = f"Tone {number}", "Low" if number < 7 else "High"
        file["genre"] = "Drone"
        file.save()
    soundfile.write(folder / "untagged.wav", 0.3 * np.sin(2 * np.pi * 100 * time), RATE)
    return folder


def weights(model: str | Path) -> dict[str, Tensor]:
    return muscall.load(model, device="cpu").state_dict()


def test_a_folder_trains_with_the_words_of_its_tags(
    library: Path, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = fine_tuning(str(tiny_checkpoint), library, QUICK)
    rows = [json.loads(line) for line in Path(config.data.train).read_text().splitlines()]
    assert {Path(row["audio"]).name for row in rows} == {f"{number}.flac" for number in range(14)}
    assert rows[0]["caption"] == [
        "Drone music", "Drone by Low", "music by Low", "Tone 0 by Low",
    ]  # fmt: skip
    # "Drone music" is said of several, which are no negatives of each other.
    assert config.loss.compares_sentences
    assert config.loss.sentence_encoder == "equal"
    best = train(config)
    before, after = weights(tiny_checkpoint), weights(best)
    for learned in ("audio_projection.weight", "text_projection.weight"):
        assert not torch.equal(before[learned], after[learned])
    assert muscall.load(best).config == muscall.load(tiny_checkpoint).config


def test_interpolation_undoes_what_was_learned(
    library: Path, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = {}
    for share in (0.0, 0.5):
        out = f"train.out={tmp_path / str(share)}"
        train(
            fine_tuning(
                str(tiny_checkpoint), library, [*QUICK, out, f"train.weight_interpolation={share}"]
            )
        )
        kept[share] = weights(tmp_path / str(share) / "last")
    before = weights(tiny_checkpoint)
    for name, value in before.items():
        if value.is_floating_point():
            half = (value + kept[0.0][name]) / 2
            torch.testing.assert_close(kept[0.5][name], half, rtol=1e-4, atol=1e-5, msg=name)


def test_interpolation_gives_the_trained_weights_back(tiny_config: muscall.MusCALL) -> None:
    torch.manual_seed(0)
    model = muscall.MusCALL(tiny_config)
    initial = model.audio_projection.weight.detach().clone()
    kept = WeightInterpolation(model, 0.25)
    with torch.no_grad():
        model.audio_projection.weight.add_(1.0)
    trained = model.audio_projection.weight.detach().clone()
    with kept.interpolated():
        torch.testing.assert_close(model.audio_projection.weight, initial + 0.75)
    assert torch.equal(model.audio_projection.weight, trained)


def test_the_packaged_weights_can_be_gone_on_from(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    best = train(fine_tuning("default", library, [*QUICK, "train.steps=1"]))
    before, after = weights(released()), weights(best)
    text = [name for name in before if name.startswith("text.")]
    assert text
    assert all(torch.equal(before[name], after[name]) for name in text)


def test_projections_alone_learn_faster_than_encoders(
    library: Path, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert fine_tuning("default", library).train.lr == HEADS_LR
    assert fine_tuning(str(tiny_checkpoint), library).train.lr == LR


def test_what_cannot_be_tuned_on_is_one_line(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "silent").mkdir()
    with pytest.raises(MuscallError, match="no file has a title"):
        fine_tuning(str(tiny_checkpoint), tmp_path / "silent")
    few = tmp_path / "few.jsonl"
    (tmp_path / "a.wav").touch()
    few.write_text(json.dumps({"audio": "a.wav", "caption": "a tone"}))
    with pytest.raises(ConfigError, match="too few"):
        fine_tuning(str(tiny_checkpoint), few)
