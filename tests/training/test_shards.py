"""Training over shards, killed and gone on with, ends as training over plain files does."""

import io
import json
import logging
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
import torch
import yaml
from pyarrow import parquet
from safetensors.torch import load_file

from muscall.training import Config, train

RATE, ITEMS = 16000, 12


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """The same pairs three times: as files with a manifest, as Parquet and as tar shards."""
    folder = tmp_path_factory.mktemp("pairs")
    noise = np.random.default_rng(0)
    rows = []
    for number in range(ITEMS):
        suffix = ("flac", "wav")[number % 2]
        sound = noise.uniform(-0.3, 0.3, 3 * RATE + number)
        soundfile.write(folder / f"{number:02}.{suffix}", sound, RATE)
        split = "val" if number % 4 == 0 else "train"
        captions = [f"number {number}", f"noise {number}"]
        rows.append({"audio": f"{number:02}.{suffix}", "caption": captions, "split": split})
    lines = "".join(json.dumps({"id": row["audio"], **row}) + "\n" for row in rows)
    (folder / "pairs.jsonl").write_text(lines)
    for shard in range(2):
        part = rows[shard * ITEMS // 2 : (shard + 1) * ITEMS // 2]
        table = [
            {
                **row,
                "id": row["audio"],
                "audio": {"bytes": (folder / row["audio"]).read_bytes(), "path": row["audio"]},
            }
            for row in part
        ]
        name = folder / f"train-{shard}.parquet"
        parquet.write_table(pa.Table.from_pylist(table), name, row_group_size=4)
        with tarfile.open(folder / f"{shard:03}.tar", "w") as tar:
            for row in part:
                tar.add(folder / row["audio"], row["audio"])
                told = json.dumps({**row, "id": row["audio"]}).encode()
                member = tarfile.TarInfo(f"{Path(row['audio']).stem}.json")
                member.size = len(told)
                tar.addfile(member, io.BytesIO(told))
    return folder


@pytest.fixture(scope="module")
def settings(pairs, tiny_config):
    def of(name, out):
        manifest = str(pairs / name)
        return {
            "model": tiny_config.model_dump(mode="json"),
            "data": {
                "train": manifest,
                "train_split": "train",
                "val": manifest,
                "val_split": "val",
                "workers": 1,
                "augment": {"pitch_shift": 0.0},
            },
            "train": {
                "out": str(out),
                "steps": 24,
                "batch_size": 6,
                "micro_batch": 3,
                "lr": 1e-2,
                "precision": "fp32",
                "threads": 1,
                "save_every": 2,
            },
        }

    return of


@pytest.fixture(scope="module")
def plain(settings, tmp_path_factory):
    """Where the training over the manifest ended."""
    out = tmp_path_factory.mktemp("plain") / "run"
    train(Config.parse(settings("pairs.jsonl", out)))
    return weights(out)


def weights(out):
    return load_file(out / "last" / "model.safetensors")


@pytest.mark.parametrize("shards", ["train-*.parquet", "{000..001}.tar"])
def test_a_killed_training_over_shards_ends_with_the_weights_of_the_manifest(
    settings, plain, tmp_path, shards, caplog
):
    ours = settings(shards, tmp_path / "shards")
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(ours))
    command = [sys.executable, "-m", "muscall", "train", str(config)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    metrics = tmp_path / "shards" / "metrics.jsonl"
    while process.poll() is None:
        if metrics.exists() and len(metrics.read_text().splitlines()) >= 8:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.005)
    _, told = process.communicate()
    assert process.returncode == -signal.SIGKILL, told
    with caplog.at_level(logging.INFO, "muscall"):
        train(Config.parse(ours))
    assert "going on after step" in caplog.text
    right = weights(tmp_path / "shards")
    assert plain.keys() == right.keys()
    assert all(torch.equal(plain[name], right[name]) for name in plain)
