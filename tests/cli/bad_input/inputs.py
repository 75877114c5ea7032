"""Bad input of every kind, made in the current folder."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pyarrow
import soundfile
import torch
import yaml
from pyarrow import parquet

RATE = 16000


def tone(path: Path | bytes, seconds: float = 1.0, **options: str) -> None:
    """A tone as a sound file."""
    noise = np.random.default_rng(0).normal(0, 0.02, int(seconds * RATE))
    wave = 0.4 * np.sin(np.arange(int(seconds * RATE)) * 0.17) + noise
    soundfile.write(os.fspath(path), wave.astype(np.float32), RATE, **options)


def wav(path: Path, samples: bytes, *, channels: int = 1, kind: int = 1, bits: int = 16) -> None:
    """A WAV file with this header, whether or not it makes sense."""
    size = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, RATE, RATE * size, size, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(samples))
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body) + len(samples)) + body + samples)


def cut(path: Path, share: float, to: Path) -> None:
    """The first part of a file."""
    data = path.read_bytes()
    to.write_bytes(data[: int(len(data) * share)])


def make_sound() -> None:
    """`bad/` with one good file, `whole/` with the files that were cut."""
    whole, bad = Path("whole"), Path("bad")
    whole.mkdir()
    bad.mkdir()
    tone(bad / "good.wav")
    for name in ("a.mp3", "a.ogg", "a.flac"):
        tone(whole / name, 3.0)
    tone(whole / "a.wav", 3.0)
    for name, options in (("a.m4a", []), ("b.m4a", ["-movflags", "faststart"])):
        run = ["ffmpeg", "-v", "error", "-i", "whole/a.wav", "-b:a", "64k", *options]
        if shutil.which("ffmpeg"):
            subprocess.run([*run, f"whole/{name}"], check=True)
            cut(whole / name, 0.6, bad / f"truncated-{name}")
    cut(whole / "a.mp3", 0.6, bad / "truncated.mp3")
    cut(whole / "a.ogg", 0.6, bad / "truncated.ogg")
    cut(whole / "a.flac", 0.6, bad / "truncated.flac")
    damaged = bytearray((whole / "a.mp3").read_bytes())
    third = len(damaged) // 3
    damaged[third : 2 * third] = np.random.default_rng(1).bytes(third)
    (bad / "corrupt-middle.mp3").write_bytes(damaged)
    (bad / "corrupt.mp3").write_bytes(np.random.default_rng(2).bytes(20_000))
    (bad / "corrupt.flac").write_bytes(b"fLaC" + np.random.default_rng(3).bytes(20_000))
    (bad / "empty.wav").touch()
    wav(bad / "zero-length.wav", b"")
    wav(bad / "zero-channels.wav", bytes(32_000), channels=0)
    wav(bad / "silent.wav", bytes(32_000))
    nan = np.zeros(RATE, np.float32)
    nan[100] = np.nan
    wav(bad / "nan.wav", nan.tobytes(), kind=3, bits=32)
    infinite = np.full(RATE, np.inf, np.float32)
    wav(bad / "infinite.wav", infinite.tobytes(), kind=3, bits=32)
    (bad / "text.mp3").write_text("This is no music.\n" * 100)
    (bad / "picture.mp3").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(5000))
    (bad / "folder.mp3").mkdir()
    os.mkfifo(bad / "pipe.mp3")
    (bad / "dangling.mp3").symlink_to("nowhere.mp3")
    (bad / "loop.mp3").symlink_to("loop.mp3")

    odd = Path("odd names")
    odd.mkdir()
    for name in (b"new\nline.wav", "\U0001f3b5 night.wav".encode(), b"\xff\xfe.wav", b"-n.wav"):
        tone(os.fsencode(odd) + b"/" + name)
    for name in (b"bad\nline.wav", b"bad \xff.wav"):
        Path(os.fsdecode(os.fsencode(odd) + b"/" + name)).write_bytes(b"no music")
    Path("no music").mkdir()
    Path("no music/notes.txt").write_text("nothing to hear")
    many = Path("many")
    many.mkdir()
    for number in range(40):
        tone(many / f"{number}.wav", 2.0)


def make_manifests() -> None:
    """`wrong.*`, each kind of wrong row once, and `pairs.jsonl`, which is right."""
    Path("good.wav").write_bytes(Path("bad/good.wav").read_bytes())
    good = {"audio": "good.wav", "caption": "a tone"}
    rows: list[object] = [
        good,
        {"caption": "no audio"},
        {"audio": "good.wav"},
        {"audio": "", "caption": "empty audio", "id": 3},
        {**good, "caption": "", "id": 4},
        {**good, "caption": [], "id": 5},
        {**good, "caption": ["a tone", " "], "id": 6},
        {**good, "caption": 7, "id": 7},
        {"audio": 8, "caption": "a tone"},
        {**good, "start": -1, "id": 9},
        {**good, "start": "soon", "id": 10},
        {**good, "duration": 0, "id": 11},
        {**good, "start": float("nan"), "id": 12},
        {**good, "id": ["a"]},
        {"audio": "missing.wav", "caption": "a tone"},
        {"audio": "bad", "caption": "a folder"},
        {**good, "id": "twice"},
        {**good, "id": "twice"},
        ["good.wav", "a tone"],
    ]
    lines = [json.dumps(row).encode() for row in rows]
    lines += [b"not JSON", b'{"audio": "good.wav", "caption": "\xff\xfe"', b'{"audio": "cut o']
    lines += [b'{"audio": "good.wav", "caption": "\xff", "id": 22}']
    Path("wrong.jsonl").write_bytes(b"\n".join(lines))
    Path("wrong.csv").write_bytes(
        b"audio,caption,start\n"
        b"good.wav,a tone,\n"
        b"good.wav\n"
        b",no audio,\n"
        b"good.wav,,1\n"
        b"missing.wav,a tone,\n"
        b"good.wav,one, two and three,1\n"
        b"good.wav,a tone,soon\n"
        b"good.wav,a tone,-1\n"
        b"good.wav,\xff\xfe,2\n"
        b'good.wav,"quoted" badly,3\n'
        b"good.wav,a tone,\n"
    )
    Path("other-columns.csv").write_text("file,words\ngood.wav,a tone\n")
    Path("rows.txt").write_text("good.wav a tone")
    Path("none.jsonl").touch()
    Path("not-a-list.json").write_text('{"audio": "good.wav"}')
    Path("not.parquet").write_bytes(b"PAR1 but no more")
    table = {
        "audio": ["good.wav", None, "good.wav", "missing.wav", "good.wav", "good.wav"],
        "caption": ["a tone", "no audio", None, "a tone", "", "a tone"],
        "start": [0.0, 0.0, 1.0, 0.0, 2.0, -1.0],
    }
    parquet.write_table(pyarrow.table(table), "wrong.parquet")
    table = {"audio": [1, 2], "caption": [3.5, 4.5]}
    parquet.write_table(pyarrow.table(table), "types.parquet")
    cut(Path("wrong.parquet"), 0.7, Path("cut.parquet"))
    with tarfile.open("0.tar", "w") as tar:
        tar.add("good.wav")
    cut(Path("0.tar"), 0.7, Path("1.tar"))
    pairs = [{"audio": f"many/{number}.wav", "caption": f"tone {number}"} for number in range(8)]
    write = "".join(json.dumps(row) + "\n" for row in pairs)
    Path("pairs.jsonl").write_text(write)
    bad = [
        {"audio": f"bad/{name}", "caption": f"a {name}"}
        for name in ("nan.wav", "empty.wav", "gone.wav", "good.wav")
    ]
    Path("some-bad.jsonl").write_text(write + "".join(json.dumps(row) + "\n" for row in bad))
    Path("some-bad-train.jsonl").write_text(
        write + "".join(json.dumps(row) + "\n" for row in bad if "gone" not in row["audio"])
    )
    Path("all-bad.jsonl").write_text(json.dumps(bad[0]) + "\n" + json.dumps(bad[1]) + "\n")


def make_checkpoints(tiny: Path) -> None:
    """Copies of the checkpoint `tiny`, each damaged in its own way."""

    def damaged(name: str) -> Path:
        return Path(shutil.copytree(tiny, name))

    (damaged("no-config") / "config.json").unlink()
    (damaged("no-weights") / "model.safetensors").unlink()
    weights = damaged("cut-off") / "model.safetensors"
    cut(tiny / "model.safetensors", 0.5, weights)
    (damaged("empty-weights") / "model.safetensors").write_bytes(b"")
    (damaged("no-json") / "config.json").write_text('{"dim": 32,')
    (damaged("a-list") / "config.json").write_text("[1, 2]")
    values = json.loads((tiny / "config.json").read_text())
    (damaged("wrong-shapes") / "config.json").write_text(json.dumps({**values, "dim": 48}))
    (damaged("unknown-key") / "config.json").write_text(json.dumps({**values, "dimm": 48}))
    sentence = {"kind": "sentence", "pretrained": "x", "bert": None}
    (damaged("no-tokenizer") / "config.json").write_text(json.dumps({**values, "text": sentence}))


def make_settings() -> None:
    """Configurations for `muscall train` and `muscall convert`."""
    Path("run.yaml").write_text("train: {steps: 2}\n")
    Path("broken.yaml").write_text("train: {steps: 2\nmodel: [")
    Path("list.yaml").write_text("- train\n- model\n")
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00train")
    Path("a-file").write_text("in the way")
    Path("text.pth").write_text("no checkpoint")
    Path("empty.pth").touch()
    torch.save({"state_dict": {"a": torch.zeros(3)}}, "other.pth")
    torch.save([1, 2, 3], "list.pth")
    torch.save({"state_dict": {"a": 3}}, "number.pth")
    torch.save({"state_dict": subprocess.Popen}, "code.pth")
    cut(Path("other.pth"), 0.5, Path("cut.pth"))
    audio = {
        "sample_rate": 16000, "n_mels": 128, "n_fft": 1024, "f_min": 0, "f_max": 8000,
        "conv_out_channels": 4, "pooling": "attention", "hidden_size": 64,
    }  # fmt: skip
    text = {
        "vocab_size": 49408, "max_position_embeddings": 77, "hidden_size": 32,
        "num_hidden_layers": 1, "num_attention_heads": 2,
    }  # fmt: skip
    published = {"audio": audio, "text": text, "projection_dim": 32}
    Path("published.yaml").write_text(yaml.safe_dump(published))
    Path("sizes-missing.yaml").write_text(yaml.safe_dump({**published, "text": {}}))
    odd = {**published, "projection_dim": "many"}
    Path("sizes-odd.yaml").write_text(yaml.safe_dump(odd))


def make_all(tiny: Path) -> None:
    """All of it; `tiny` is a whole checkpoint."""
    make_sound()
    tone(Path("long.wav"), 1200.0)
    make_manifests()
    make_checkpoints(tiny)
    make_settings()
