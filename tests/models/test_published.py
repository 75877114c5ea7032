"""Parity with the arrays recorded from the authors' published implementation."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from safetensors import safe_open
from torch.nn import functional as F

from muscall.errors import CheckpointError
from muscall.losses import infonce, relative_content_weights
from muscall.models import resnet
from muscall.models.muscall import MusCALL
from muscall.models.published import convert, published_config, rename

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def arrays(reference):
    return reference("small_attention")


@pytest.fixture(scope="module")
def settings():
    with safe_open(DATA / "small_attention.safetensors", "pt") as file:
        return json.loads(file.metadata()["config"])


@pytest.fixture(scope="module")
def weights(arrays):
    prefix = "state."
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


@pytest.fixture
def model(settings, weights):
    model = MusCALL(published_config(settings))
    model.load_weights(rename(weights), origin="reference")
    return model.eval()


def contrast(model, arrays):
    audio = model.embed_audio(arrays["audio"])
    text = model.embed_text(arrays["text_ids"])
    return audio, text, model.scale()


def test_audio_encoder(model, arrays):
    with torch.no_grad():
        feature_map = model.audio.backbone(arrays["log_mel_db"])
        torch.testing.assert_close(
            feature_map[:2], arrays["layer4_out_clip0_1"], rtol=1e-4, atol=1e-4
        )
        features = model.audio(arrays["audio"])
    torch.testing.assert_close(features, arrays["audio_backbone_out"], rtol=1e-4, atol=1e-4)


def test_features_of_both_towers(model, arrays):
    with torch.no_grad():
        audio, text, _ = contrast(model, arrays)
    torch.testing.assert_close(
        audio, F.normalize(arrays["audio_features"], dim=-1), rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(
        text, F.normalize(arrays["text_features"], dim=-1), rtol=1e-4, atol=1e-5
    )


def test_logits_and_losses(model, arrays):
    with torch.no_grad():
        audio, text, scale = contrast(model, arrays)
        torch.testing.assert_close(
            scale * audio @ text.T, arrays["logits_per_audio"], rtol=1e-4, atol=1e-4
        )
        torch.testing.assert_close(
            infonce(audio, text, scale) / 2, arrays["clip_loss"], rtol=1e-4, atol=1e-5
        )
        weights = relative_content_weights(arrays["sentence_sim"])
        torch.testing.assert_close(
            infonce(audio, text, scale, weights) / 2,
            arrays["weighted_clip_loss"],
            rtol=1e-4,
            atol=1e-5,
        )


def test_gradients(model, arrays):
    (infonce(*contrast(model, arrays)) / 2).backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    prefix = "grad_eval."
    expected = rename({k.removeprefix(prefix): v for k, v in arrays.items() if prefix in k})
    assert len(expected) == 9
    for name, gradient in expected.items():
        torch.testing.assert_close(gradients[name], gradient, rtol=1e-3, atol=1e-4, msg=name)
    norm = torch.stack([g.norm() for g in gradients.values() if g is not None]).norm()
    torch.testing.assert_close(norm, arrays["grad_eval_global_norm"], rtol=1e-4, atol=0)


def test_six_training_steps(model, arrays, reference, monkeypatch):
    # Adam's first steps take the sign of each gradient, also of those that are nothing but
    # rounding: a difference of 1e-5 dB shows in the second loss, and so does the order in which a
    # convolution adds. Hence the recorded log-mel, and the memory format of the recording.
    monkeypatch.setattr(resnet, "channels_last", lambda x: x)

    def contrast():
        features = model.audio.pool(model.audio.backbone(arrays["log_mel_db"]))
        return (
            model.project_audio(features),
            model.embed_text(arrays["text_ids"]),
            model.scale(),
        )

    trace = reference("small_train_trace")
    model.train()
    for module in model.text.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for block in model.text.blocks:
        block.attention_dropout = 0.0
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=5e-5, eps=1e-6, betas=(0.9, 0.98), weight_decay=0.2
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=10)
    for expected in trace["losses"]:
        loss = infonce(*contrast()) / 2
        assert loss.item() == pytest.approx(expected.item(), rel=2e-3, abs=5e-4)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        audio, text, scale = contrast()
    torch.testing.assert_close(
        scale * audio @ text.T, trace["logits_per_audio_eval_after"], rtol=2e-2, atol=2e-2
    )
    torch.testing.assert_close(model.logit_scale.detach(), trace["logit_scale_after"])
    torch.testing.assert_close(
        model.audio.backbone.bn1.running_mean, trace["bn1_running_mean_after"], rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(
        model.audio.backbone.bn1.running_var, trace["bn1_running_var_after"], rtol=1e-3, atol=1e-3
    )
    torch.testing.assert_close(
        model.text_projection.weight.detach(), trace["text_projection_after"], rtol=0, atol=3e-5
    )
    torch.testing.assert_close(
        model.audio.backbone.conv1.weight.detach(), trace["audio_conv1_after"], rtol=0, atol=3e-5
    )


def test_convert_writes_a_checkpoint_with_the_same_numbers(tmp_path, settings, weights, arrays):
    torch.save({"state_dict": weights, "epoch": 3}, tmp_path / "best.pth")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model_config": settings}))
    folder = convert(tmp_path / "best.pth", tmp_path / "config.yaml", tmp_path / "out")
    model = MusCALL.from_pretrained(folder)
    with torch.no_grad():
        audio = model.embed_audio(arrays["audio"])
    torch.testing.assert_close(
        audio, F.normalize(arrays["audio_features"], dim=-1), rtol=1e-4, atol=1e-5
    )


def test_average_pooling_and_its_linear_map_convert_too(tmp_path, settings, weights, arrays):
    torch.manual_seed(0)
    linear = torch.nn.Linear(256, 64)
    kept = {name: value for name, value in weights.items() if ".attnpool." not in name}
    kept |= {f"audio_backbone.final_linear.{n}": v for n, v in linear.state_dict().items()}
    torch.save({"state_dict": kept}, tmp_path / "best.pth")
    average = settings | {"audio": settings["audio"] | {"pooling": "average"}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model_config": average}))
    model = MusCALL.from_pretrained(
        convert(tmp_path / "best.pth", tmp_path / "config.yaml", tmp_path / "out")
    )
    with torch.no_grad():
        features = model.audio(arrays["audio"][:2])
        expected = linear(arrays["layer4_out_clip0_1"].mean(dim=(2, 3)))
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-4)


class Malicious:
    def __reduce__(self):
        return (print, ("this must never run",))


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_convert_of_a_bad_file_is_one_line(tmp_path, settings, content, capsys):
    path = tmp_path / "bad.pth"
    if content is None:
        torch.save({"state_dict": Malicious()}, path)
    else:
        path.write_bytes(content)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(CheckpointError, match=r"bad\.pth") as error:
        convert(path, tmp_path / "config.yaml", tmp_path / "out")
    assert "\n" not in str(error.value)
    assert "never run" not in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_convert_names_a_missing_setting(tmp_path, settings, weights):
    torch.save({"state_dict": weights}, tmp_path / "best.pth")
    incomplete = {k: v for k, v in settings.items() if k != "projection_dim"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(incomplete))
    with pytest.raises(CheckpointError, match="projection_dim"):
        convert(tmp_path / "best.pth", tmp_path / "config.yaml", tmp_path / "out")
