"""Whole runs: what they write, and that nothing but the settings decides what comes out."""

import json
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml
from safetensors.torch import load_file

import muscall
from muscall.data.manifest import read_manifest
from muscall.errors import CheckpointError, ConfigError, ManifestError, MuscallError
from muscall.evaluation.retrieval import evaluate_retrieval
from muscall.models.config import SentenceConfig
from muscall.models.sentence import SentenceEncoder
from muscall.models.wordvectors import read_vectors
from muscall.training import Config, train

RATE = 16000
STEPS = 8


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """A manifest of 16 tones with captions that say which, 12 to train on."""
    folder = tmp_path_factory.mktemp("pairs")
    generator = np.random.default_rng(0)
    lines = []
    for number in range(16):
        time_axis = np.arange(3 * RATE) / RATE
        tone = 0.3 * np.sin(2 * np.pi * 100 * (number + 1) * time_axis)
        tone += 0.02 * generator.normal(size=tone.shape)
        soundfile.write(folder / f"{number}.flac", tone, RATE)
        captions = [f"a tone of {100 * (number + 1)} hertz", f"number {number}"]
        split = "val" if number % 4 == 0 else "train"
        lines.append({"audio": f"{number}.flac", "caption": captions, "split": split})
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def settings(pairs, tiny_config, tmp_path):
    """Settings of a run of a few seconds, as nested mappings."""
    return {
        "model": tiny_config.model_dump(mode="json"),
        "data": {
            "train": str(pairs),
            "train_split": "train",
            "val": str(pairs),
            "val_split": "val",
            "workers": 0,
            "augment": {"pitch_shift": 0.0},
        },
        "train": {
            "out": str(tmp_path / "run"),
            "steps": STEPS,
            "batch_size": 6,
            "micro_batch": 2,
            "lr": 1e-2,
            "precision": "fp32",
            "threads": 1,
            "save_every": 2,
        },
    }


def run(settings, **changes):
    values = {section: dict(values) for section, values in settings.items()}
    for name, value in changes.items():
        section, _, setting = name.partition("__")
        values.setdefault(section, {})[setting] = value
    return train(Config.parse(values))


def weights_of(out):
    return load_file(Path(out) / "last" / "model.safetensors")


def assert_identical(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def launcher(processes):
    """torchrun without its entry point, which may not be on the path."""
    return ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]


def start_process(settings, folder, *module):
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings))
    command = [sys.executable, *module, "-m", "muscall", "train", str(path)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def test_a_run_leaves_everything_that_was_promised(settings):
    best = run(settings)
    out = Path(settings["train"]["out"])
    assert best == out / "best"
    for folder in ("best", "last"):
        assert muscall.load(out / folder).encode_text(["a tone"]).shape == (1, 16)
    records = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    training = [r for r in records if r["kind"] == "train"]
    assert [r["step"] for r in training] == list(range(STEPS))
    assert all(np.isfinite(r["loss"]) and r["lr"] > 0 for r in training)
    validation = [r for r in records if r["kind"] == "validation"]
    assert {"R@1", "R@5", "R@10", "mAP10", "MedR"} <= validation[-1].keys()
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((out / "tensorboard").glob("events*"))


def test_training_learns(settings):
    run(settings, train__steps=60, train__validate_every=60, train__save_every=1000)
    path = Path(settings["train"]["out"]) / "metrics.jsonl"
    losses = [r["loss"] for r in map(json.loads, path.read_text().splitlines()) if "loss" in r]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_a_killed_run_ends_with_the_weights_of_one_never_killed(settings, tmp_path, caplog):
    settings["train"]["steps"] = 30
    whole = dict(settings, train=settings["train"] | {"out": str(tmp_path / "whole")})
    run(whole)
    metrics = Path(settings["train"]["out"]) / "metrics.jsonl"
    process = start_process(settings, tmp_path)
    while process.poll() is None:
        if metrics.exists() and len(metrics.read_text().splitlines()) >= 9:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.005)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    with caplog.at_level(logging.INFO, "muscall"):
        run(settings)
    assert "going on after step" in caplog.text
    assert_identical(weights_of(whole["train"]["out"]), weights_of(settings["train"]["out"]))
    ours, theirs = (
        list(map(json.loads, path.read_text().splitlines()))
        for path in (metrics, tmp_path / "whole" / "metrics.jsonl")
    )
    assert ours == theirs
    assert_identical(
        load_file(tmp_path / "run" / "best" / "model.safetensors"),
        load_file(tmp_path / "whole" / "best" / "model.safetensors"),
    )


def launch(settings, processes, folder):
    """Train so under torchrun, which takes as many imports of torch as processes, and its own."""
    process = start_process(settings, folder, *launcher(processes))
    output, _ = process.communicate()
    assert process.returncode == 0, output


def one_of(rank, processes, values, folder):
    """What torchrun tells a process, and then that process."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": (folder / "port").read_text()}
    run(values)


def fork(settings, processes, folder):
    """Train so, all forked from one process that has imported torch."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with socket.create_server(("127.0.0.1", 0)) as free:
        (folder / "port").write_text(str(free.getsockname()[1]))
    ranks = [
        context.Process(target=one_of, args=(rank, processes, settings, folder))
        for rank in range(processes)
    ]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join()
    assert [process.exitcode for process in ranks] == [0] * processes


@pytest.mark.parametrize(
    ("together", "processes", "loss", "heads"),
    [
        (launch, 3, {"weighting": "content", "kappa": 0.05, "ssl_weight": 0.3}, {"ssl_dim": 8}),
        (fork, 2, {"kind": "sigmoid"}, {"logit_bias": -2.0}),
        (fork, 2, {"kind": "triplet"}, {}),
    ],
)
def test_many_processes_equal_one(settings, tmp_path, together, processes, loss, heads):
    settings["loss"] = loss
    settings["model"] |= heads
    # Adam turns the rounding of gradients that are nearly zero into whole steps; a large eps does
    # not.
    settings["train"]["eps"] = 1e-3
    alone = dict(settings, train=settings["train"] | {"out": str(tmp_path / "alone")})
    run(alone)
    together(settings, processes, tmp_path)
    ours, theirs = weights_of(settings["train"]["out"]), weights_of(tmp_path / "alone")
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-3, atol=1e-4, msg=name)
    losses = [
        [r["loss"] for r in map(json.loads, path.read_text().splitlines()) if "loss" in r]
        for path in (tmp_path / "run" / "metrics.jsonl", tmp_path / "alone" / "metrics.jsonl")
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_launcher(settings, tmp_path, sent, ends_with_all_it_started):
    settings["train"]["steps"] = 10_000
    settings["data"]["workers"] = 1
    metrics = tmp_path / "run" / "metrics.jsonl"
    process = start_process(settings, tmp_path, *launcher(2))
    ends_with_all_it_started(
        process, sent, lambda: metrics.exists() and len(metrics.read_text().splitlines()) > 2
    )


def test_recomputing_equals_keeping_activations(settings, tmp_path):
    settings["train"]["eps"] = 1e-3
    run(settings, train__gradient_caching=False)
    run(settings, train__gradient_caching=True, train__out=str(tmp_path / "other"))
    ours, theirs = weights_of(settings["train"]["out"]), weights_of(tmp_path / "other")
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-3, atol=1e-4, msg=name)


def test_compiled_it_learns_the_same(settings, tmp_path, caplog):
    if shutil.which("g++") is None:
        pytest.skip("no compiler is here")
    settings["model"]["audio"] = {"kind": "crnn", "width": 4, "hidden": 8, "window_seconds": 2}
    settings["model"]["projection"] = True
    losses = []
    for compiled in (False, True):
        out = tmp_path / str(compiled)
        of = {"train__steps": 2, "train__gradient_caching": False, "train__compile": compiled}
        run(settings, **of, train__out=str(out))
        lines = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
        losses.append([line["loss"] for line in lines if "loss" in line])
    assert len(losses[0]) == 2
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert "cannot compile here" not in caplog.text
    muscall.load(tmp_path / "True" / "last")


def test_without_a_compiler_the_run_goes_on(settings, monkeypatch, caplog):
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("a compiler that is not there",))
    torch._dynamo.reset()
    run(settings, train__steps=1, train__compile=True)
    (told,) = [record.message for record in caplog.records if "train.compile" in record.message]
    assert "cannot compile here" in told
    assert "\n" not in told


def test_workers_do_not_change_the_result(settings, tmp_path):
    run(settings, train__steps=3)
    run(settings, train__steps=3, train__out=str(tmp_path / "other"), data__workers=2)
    assert_identical(weights_of(settings["train"]["out"]), weights_of(tmp_path / "other"))


@pytest.mark.parametrize("frozen", [True, False])
def test_a_pretrained_sentence_encoder_trains_frozen_or_not(settings, frozen):
    settings["model"]["text"] = {"kind": "sentence", "frozen": frozen}
    best = run(settings, train__steps=2, train__batch_size=4)
    text = muscall.load(best).text.state_dict()
    untouched = SentenceEncoder.pretrained(SentenceConfig()).state_dict()
    assert all(torch.equal(text[name], untouched[name]) for name in text) == frozen


@pytest.fixture
def baseline(settings, vectors):
    """Settings of a run of the DCASE baseline, likewise tiny."""
    settings["model"] = {
        "dim": 16,
        "projection": False,
        "audio": {"kind": "crnn", "width": 4, "hidden": 8, "features": 16, "window_seconds": 2},
        "text": {"kind": "word2vec", "vectors": str(vectors)},
    }
    settings["loss"] = {"kind": "triplet"}
    return settings


def test_precision_is_the_devices_own_unless_it_is_set(settings, tmp_path, has_bf16):
    weights = []
    for name in ("auto", "fp32", "bf16"):
        out = str(tmp_path / name)
        run(settings, train__out=out, train__precision=name, train__steps=2)
        weights.append(weights_of(out)["audio_projection.weight"])
    alike = [torch.equal(weights[0], other) for other in weights[1:]]
    assert alike == [not has_bf16, has_bf16]


@pytest.mark.parametrize("kind", ["triplet", "infonce"])
def test_the_baseline_trains_and_is_a_model_like_any_other(baseline, pairs, vectors, kind):
    baseline["loss"]["kind"] = kind
    best = run(baseline, train__precision="bf16", train__steps=4)
    model = muscall.load(best, device="cpu")
    words, table = read_vectors(vectors, limit=100)
    kept = model.text.vectors.weight[1 + words.index("piano")]
    np.testing.assert_allclose(kept.numpy(), table[words.index("piano")], rtol=1e-6)
    similarity = (
        model.encode_text(["a tone of 300 hertz"])
        @ model.encode_audio([pairs.parent / "2.flac", pairs.parent / "3.flac"]).T
    )
    assert similarity.shape == (1, 2)
    assert np.isfinite(similarity).all()
    scores = evaluate_retrieval(model, read_manifest(pairs, split="val"))
    assert (scores.items, scores.failures) == (4, [])


def test_word_vectors_are_learned_where_they_are_not_frozen(baseline, vectors):
    baseline["model"]["text"]["frozen"] = False
    model = muscall.load(run(baseline, train__steps=2), device="cpu")
    words, table = read_vectors(vectors, limit=100)
    kept = model.text.vectors.weight.detach().numpy()
    tone = words.index("tone")
    assert np.abs(kept[1 + tone] - table[tone]).max() > 1e-3


def test_a_run_of_an_older_version_goes_on(settings):
    run(settings, train__steps=2)
    path = Path(settings["train"]["out"]) / "config.json"
    then = json.loads(path.read_text())
    for newer in ("loss.kind", "loss.margin", "model.audio.kind", "model.projection"):
        del then[newer]
    path.write_text(json.dumps(then))
    run(settings, train__steps=2)
    with pytest.raises(ConfigError, match=r"loss\.margin=0\.2, not 0\.3"):
        run(settings, train__steps=2, loss__margin=0.3)


def test_a_run_that_cannot_start_claims_no_folder(baseline, vectors):
    baseline["model"]["text"]["vectors"] = "no-such-vectors.bin"
    with pytest.raises(CheckpointError, match=r"no-such-vectors\.bin: no such word vectors"):
        run(baseline, train__steps=1)
    baseline["model"]["text"]["vectors"] = str(vectors)
    run(baseline, train__steps=1)


def test_cached_features_of_a_frozen_encoder_change_nothing(settings, monkeypatch):
    settings["model"]["text"] = {"kind": "sentence", "frozen": True}
    settings["train"]["eps"] = 1e-3
    run(settings, train__steps=3)
    cached = weights_of(settings["train"]["out"])
    monkeypatch.setattr("muscall.training.trainer._Run._sentence_vectors", lambda *_: None)
    run(settings, train__steps=3, train__out=settings["train"]["out"] + "-again")
    computed = weights_of(settings["train"]["out"] + "-again")
    for name, value in cached.items():
        torch.testing.assert_close(computed[name], value, rtol=1e-3, atol=1e-4, msg=name)


def test_a_finished_run_is_not_repeated(settings):
    run(settings)
    before = (Path(settings["train"]["out"]) / "metrics.jsonl").read_text()
    run(settings)
    assert (Path(settings["train"]["out"]) / "metrics.jsonl").read_text() == before


def test_another_run_in_the_same_folder_is_refused(settings):
    run(settings, train__steps=1)
    with pytest.raises(ConfigError, match=r"holds a run with train\.lr=0\.01, not 0\.5"):
        run(settings, train__steps=1, train__lr=0.5)


def test_a_finished_run_says_how_to_go_on(settings):
    run(settings, train__steps=1)
    last = Path(settings["train"]["out"]) / "last"
    with pytest.raises(ConfigError, match=r"to go on from it, train\.init=") as caught:
        run(settings, train__steps=2)
    assert f"train.init={last} and another train.out" in str(caught.value)


def test_a_table_that_changes_between_two_halves_is_refused(settings, pairs, tmp_path):
    lines = pairs.read_text().splitlines()
    folder = pairs.parent
    table = folder / f"{tmp_path.name}.jsonl"
    table.write_text("\n".join(lines[:-1]))
    run(settings, data__train=str(table), train__steps=1)
    table.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match="holds a run on other rows"):
        run(settings, data__train=str(table), train__steps=1)
    table.write_text("\n".join(lines[:-1]))
    run(settings, data__train=str(table), train__steps=1)


def test_captions_that_are_cut_off_are_counted(settings, pairs, tmp_path, caplog):
    lines = [json.loads(line) for line in pairs.read_text().splitlines()]
    for number, line in enumerate(lines):
        line["caption"] = "slow strings and an oboe over " * (40 if number % 2 else 1)
    table = pairs.parent / f"{tmp_path.name}-long.jsonl"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run(settings, data__train=str(table), data__val=str(table), train__steps=1)
    (told,) = [message for message in caplog.messages if "captions are" in message]
    assert told == "8 of 16 captions are longer than the model reads, their ends do not count"


def test_without_clipping_gradients_stay_as_they_are_and_their_norm_is_logged(settings, tmp_path):
    # Adam's steps do not depend on the size of gradients, unless epsilon is as large as they are.
    settings["train"] |= {"steps": 2, "eps": 1.0}
    norms, weights = [], []
    for most in (None, 1e-3, 1e9):
        out = tmp_path / str(most)
        run(settings, train__out=str(out), train__clip_norm=most)
        lines = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
        norms.append(next(line["gradient_norm"] for line in lines))
        weights.append(weights_of(out))
    assert norms[0] == norms[1] == norms[2] > 1e-3
    assert_identical(weights[0], weights[2])
    name = "audio_projection.weight"
    assert not torch.equal(weights[0][name], weights[1][name])


def test_a_damaged_state_is_named(settings):
    run(settings)
    state = Path(settings["train"]["out"]) / "state" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"state\.safetensors: damaged"):
        run(settings)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"train__batch_size": 100}, ConfigError, "100"),
        ({"data__train": ""}, ConfigError, r"data\.train"),
        ({"data__train": "missing.jsonl"}, ManifestError, r"missing\.jsonl"),
        ({"loss__ssl_weight": 0.3}, ConfigError, r"model\.ssl_dim"),
        ({"loss__kind": "sigmoid"}, ConfigError, r"model\.logit_bias"),
        ({"model__logit_bias": -1.0}, ConfigError, r"loss\.kind=sigmoid"),
        (
            {"loss__kind": "triplet", "loss__hard_negative_beta": 1.0},
            ConfigError,
            "belong to infonce",
        ),
        ({"model__projection": False}, ConfigError, r"model\.projection"),
        ({"train__lr": 1e12, "train__clip_norm": 1e12}, MuscallError, "not finite"),
    ],
)
def test_what_cannot_work_is_one_line(settings, change, error, says):
    with pytest.raises(error, match=says) as caught:
        run(settings, **change)
    assert "\n" not in str(caught.value)
