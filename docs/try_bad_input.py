"""Make every bad input that docs/bad-input.md lists, and run the real commands on them.

    .venv/bin/python docs/try_bad_input.py [--model MODEL] [--only WORD] [--parts ...] [--table]

Works in a temporary folder with a tiny untrained model of its own (or MODEL), prints each command
with its exit code, the number of lines on standard output, and standard error, but for the name of
that folder; `--table` prints the rows of the document instead. Ends with 1 where an exit code is
not the expected one, or a traceback shows.

The commands of a library are in try_bad_library.py, those that measure in try_bad_studies.py, and
how all are run in trying.py.

What needs root (a full or read-only disk, another user's file) is left out without it; the ffmpeg
program makes the m4a files.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch
import yaml
from safetensors import safe_open
from try_bad_library import LIBRARY, make_library
from try_bad_studies import STUDIES, make_studies
from trying import MUSCALL, Session, mounted, remount

from muscall.models.config import ModelConfig
from muscall.models.muscall import MusCALL

RATE = 16000
TINY = (
    "model.audio.width=4 model.audio.window_seconds=2 model.text.kind=transformer "
    "model.text.width=32 model.text.layers=1 model.text.heads=2 data.workers=0 "
    "train.batch_size=4 train.precision=fp32"
)


# --- the inputs


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
    Path("other-columns.csv").write_text("file,text\ngood.wav,a tone\n")
    Path("rows.txt").write_text("good.wav a tone")
    Path("none.jsonl").touch()
    Path("not-a-list.json").write_text('{"audio": "good.wav"}')
    Path("not.parquet").write_bytes(b"PAR1 but no more")
    import pyarrow
    from pyarrow import parquet

    table = {
        "audio": ["good.wav", None, "good.wav", "missing.wav", "good.wav", "good.wav"],
        "caption": ["a tone", "no audio", None, "a tone", "", "a tone"],
        "start": [0.0, 0.0, 1.0, 0.0, 2.0, -1.0],
    }
    parquet.write_table(pyarrow.table(table), "wrong.parquet")
    table = {"audio": [1, 2], "caption": [3.5, 4.5]}
    parquet.write_table(pyarrow.table(table), "types.parquet")
    cut(Path("wrong.parquet"), 0.7, Path("cut.parquet"))
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


# --- the commands


def sound(run: Session) -> None:
    run.section("Sound files")
    run.try_("every bad file in one folder", "embed bad -o out.npz --model MODEL", 3)
    run.try_("the same, searched", ["search", "a tone", "bad", "--json", "--model", "MODEL"], 3)
    for name in ("text.mp3", "pipe.mp3", "dangling.mp3", "folder.mp3", "empty.wav"):
        run.try_(
            f"{name} alone",
            f"embed bad/{name} -o one.npz --model MODEL",
            1,
        )
    run.check("one.npz was not written", not Path("one.npz").exists())
    run.try_("silence", "search quiet bad/silent.wav --model MODEL", 0)
    if os.geteuid() == 0:
        shared = Path("shared")
        shared.mkdir()
        tone(shared / "mine.wav")
        tone(shared / "yours.wav")
        (shared / "yours.wav").chmod(0)
        (shared / "locked").mkdir(mode=0)
        run.try_(
            "a file and a folder that another user may not read",
            "search tone shared --model MODEL",
            3,
            user=65534,
        )
    run.try_("a folder without music", ["search", "a tone", "no music", "--model", "MODEL"], 1)
    run.try_("no such file", "search tone nowhere.wav --model MODEL", 1)


def names(run: Session) -> None:
    run.section("Names and queries")
    odd = "odd names"
    done = run.try_("odd names in the table", ["search", "a tone", odd, "--model", "MODEL"], 3)
    if done and not run.table:
        print("".join(f"> {line}\n" for line in done.out.splitlines()), end="")
    done = run.try_("in JSON", ["search", "a tone", odd, "--json", "--model", "MODEL"], 3)
    if done and not run.table:
        print("".join(f"> {hit['path']!a}\n" for hit in json.loads(done.out)), end="")
    done = run.try_("embedded", ["embed", odd, "-o", "odd.npz", "--model", "MODEL"], 3)
    if done:
        paths = np.load("odd.npz")["paths"]
        run.check("every path in odd.npz opens", all(Path(str(path)).is_file() for path in paths))
    run.try_("an empty query", ["search", "", "bad", "--model", "MODEL"], 2, shown='search "" bad')
    run.try_("a blank query", ["search", " ", "bad", "--model", "MODEL"], 2, shown='search " " bad')
    run.try_(
        "a query of 10,000 words",
        ["search", "word " * 10_000, "bad/good.wav", "--model", "MODEL"],
        0,
        shown='search "word word ..." bad/good.wav',
    )
    run.try_(
        "a query that is not UTF-8",
        ["search", b"\xff\xfe", "bad/good.wav", "--model", "MODEL"],
        0,
    )


def usage(run: Session) -> None:
    run.section("Usage, pipes and keys")
    run.try_("nothing", "", 2)
    run.try_("an unknown command", "serch tone bad", 2)
    run.try_("a missing argument", "embed -o out.npz", 2)
    run.try_("a missing option", "embed bad", 2)
    run.try_("an unknown option", "search tone bad --frobnicate", 2)
    run.try_("a number out of range", "search tone bad -n 0", 2)
    run.try_("a folder to write into as a file", "embed bad -o bad", 2)
    run.try_("no folder to write into", "embed many -o no/such/out.npz --model MODEL", 1)
    shown = "muscall search tone many -n 40 | head -1"
    if run.only in f"pipe {shown}":
        for what, reader in (("a reader that stops", "head -1"), ("a reader that is gone", "true")):
            pipe = f'"$0" search tone many -n 40 --json --model "$1" | {reader}'
            pipe += "; exit ${PIPESTATUS[0]}"
            expected = (0, 1)  # whether all was written before the reader went away
            run.run(
                what,
                f"muscall search tone many -n 40 --json | {reader}",
                ["bash", "-c", pipe, MUSCALL, run.model],
                expected,
            )

    wait = 0.0

    def control_c(process: int) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not list(Path().glob(".keys.npz.*")):
            time.sleep(0.05)
        time.sleep(wait)
        os.killpg(process, signal.SIGINT)

    for seconds, when in ((0.3, "while it loads"), (2.0, "while it listens")):
        wait = seconds
        done = run.try_(
            f"Ctrl-C {when}",
            "embed many long.wav -o keys.npz --model MODEL",
            130,
            interrupt=control_c,
        )
        if done:
            run.check("nothing is left behind", not list(Path().glob("*keys.npz*")))


def manifests(run: Session) -> None:
    run.section("Manifests")
    for name in ("wrong.jsonl", "wrong.csv", "wrong.parquet"):
        run.try_("every kind of wrong row", f"evaluate retrieval MODEL {name}", 1)
    for name in ("wrong.jsonl", "wrong.csv", "wrong.parquet"):
        run.try_(
            "every kind of wrong row",
            f"train run.yaml data.train={name} data.val=pairs.jsonl train.out=o {TINY}",
            1,
            shown=f"train run.yaml data.train={name} data.val=pairs.jsonl",
        )
    run.check("no run was started", not Path("o").exists())
    for what, name in (
        ("other columns", "other-columns.csv"),
        ("numbers for text", "types.parquet"),
        ("a Parquet file that was cut off", "cut.parquet"),
        ("not Parquet", "not.parquet"),
        ("JSON, but no list", "not-a-list.json"),
        ("no rows", "none.jsonl"),
        ("another format", "rows.txt"),
        ("no such file", "nowhere.jsonl"),
        ("a folder", "bad"),
        ("a split without rows", "pairs.jsonl --split test"),
    ):
        run.try_(what, f"evaluate retrieval MODEL {name}", 1)
    run.try_("some files are bad or missing", "evaluate retrieval MODEL some-bad.jsonl", 3)
    run.try_("all files are bad", "evaluate retrieval MODEL all-bad.jsonl --json", 1)


def checkpoints(run: Session) -> None:
    run.section("Checkpoints")
    for what, name in (
        ("config.json is missing", "no-config"),
        ("the weights are missing", "no-weights"),
        ("cut off", "cut-off"),
        ("empty weights", "empty-weights"),
        ("config.json is cut off", "no-json"),
        ("config.json is a list", "a-list"),
        ("a configuration of another model", "wrong-shapes"),
        ("an unknown setting", "unknown-key"),
        ("the tokenizer is missing", "no-tokenizer"),
        ("no such folder", "nowhere"),
        ("a file", "good.wav"),
    ):
        run.try_(what, f"search tone bad/good.wav --model {name}", 1)
    for what, weights, config in (
        ("text", "text.pth", "published.yaml"),
        ("empty", "empty.pth", "published.yaml"),
        ("cut off", "cut.pth", "published.yaml"),
        ("other weights", "other.pth", "published.yaml"),
        ("no weights", "list.pth", "published.yaml"),
        ("a number for a weight", "number.pth", "published.yaml"),
        ("code, which is not run", "code.pth", "published.yaml"),
        ("no such file", "nowhere.pth", "published.yaml"),
        ("YAML of something else", "other.pth", "run.yaml"),
        ("sizes are missing", "other.pth", "sizes-missing.yaml"),
        ("a size is no number", "other.pth", "sizes-odd.yaml"),
        ("broken YAML", "other.pth", "broken.yaml"),
        ("YAML, but a list", "other.pth", "list.yaml"),
    ):
        run.try_(what, f"convert {weights} {config} converted", 1)
    run.check("nothing was written", not list(Path().glob("*converted*")))


def settings(run: Session) -> None:
    run.section("Settings")
    data = "data.train=pairs.jsonl data.val=pairs.jsonl"

    def train(what: str, setting: str, expected: int = 1, config: str = "run.yaml") -> None:
        run.try_(
            what,
            f"train {config} {data} train.out=s{len(run.results)} {TINY} {setting}",
            expected,
            shown=f"train {config} {setting}".strip(),
        )

    train("an unknown setting", "train.stepps=3")
    train("an unknown part", "modell.dim=3")
    train("not a number", "train.steps=two")
    train("out of range", "train.lr=-1")
    train("not a number at all", "train.lr=.nan")
    train("below a value", "train.steps.x=1")
    train("no value", "train.steps")
    train("an unknown kind", "model.text.kind=word2vec")
    train("heads that do not divide the width", "model.text.heads=3")
    train("heads that do not divide the features", "model.audio.heads=7")
    train("a window shorter than a sample", "model.audio.window_seconds=0.00001")
    train("no channels", "model.audio.width=0")
    train("no mel bands", "model.audio.mel.n_mels=0")
    train("a batch larger than the set", "train.batch_size=64")
    train("no such device", "train.device=abacus")
    train("a GPU that is not there", "train.device=cuda:9")
    run.try_(
        "no such sentence encoder",
        f"train run.yaml {data} train.out=sentence train.batch_size=4 data.workers=0 "
        "model.text.kind=sentence model.text.pretrained=no-such-model",
        1,
        shown="train run.yaml model.text.kind=sentence model.text.pretrained=no-such-model",
    )
    run.try_(
        "a setting of the text encoder, whose kind is not given",
        f"train run.yaml {data} model.text.layers=2 train.out=a-file",
        1,
        shown="train run.yaml model.text.layers=2",
    )
    train("half of two settings", "model.ssl_dim=16")
    train("a file where the run should be", "train.out=a-file")
    train("no such configuration", "", config="nowhere.yaml")
    train("broken YAML", "", config="broken.yaml")
    train("YAML, but a list", "", config="list.yaml")
    train("not text", "", config="binary.yaml")
    run.try_("no data", "train run.yaml", 1)


def training(run: Session) -> None:
    run.section("Training and a full disk")
    run.try_(
        "some files cannot be decoded",
        f"train run.yaml data.train=some-bad-train.jsonl data.val=pairs.jsonl train.out=t {TINY} "
        "train.batch_size=8",
        0,
        shown="train run.yaml data.train=some-bad.jsonl data.val=pairs.jsonl train.out=t",
    )
    run.try_(
        "other settings in the folder of that run",
        f"train run.yaml data.train=some-bad-train.jsonl data.val=pairs.jsonl train.out=t {TINY} "
        "train.batch_size=8 train.lr=0.1",
        1,
        shown="train run.yaml data.train=some-bad.jsonl data.val=pairs.jsonl "
        "train.out=t train.lr=0.1",
    )
    run.try_(
        "no file can be decoded",
        f"train run.yaml data.train=all-bad.jsonl data.val=pairs.jsonl train.out=u {TINY} "
        "train.batch_size=2",
        1,
        shown="train run.yaml data.train=all-bad.jsonl data.val=pairs.jsonl train.out=u",
    )
    small = Path("small")
    with mounted(small, "1m") as there:
        if there:
            full_disk(run, small)


def full_disk(run: Session, small: Path) -> None:
    run.try_("room on the disk", "embed many -o small/out.npz --model MODEL", 0)
    whole = Path("small/out.npz").read_bytes() if Path("small/out.npz").exists() else b""
    fill(small / "filler")
    run.try_("no room on the disk", "embed many -o small/out.npz --model MODEL", 1)
    run.try_("no room, a new file", "embed many -o small/new.npz --model MODEL", 1)
    kept = not whole or Path("small/out.npz").read_bytes() == whole
    run.check("out.npz is what it was", kept)
    run.check("nothing else is there", len(list(small.iterdir())) == 1 + bool(whole))
    (small / "filler").unlink()
    remount(small, "size=40m")
    command = (
        f"train run.yaml data.train=pairs.jsonl data.val=pairs.jsonl "
        f"train.out=small/run {TINY} train.steps=4 train.validate_every=1 train.save_every=1"
    )
    shown = "train run.yaml ... train.out=small/run train.steps=4 train.save_every=1"
    done = run.try_("the disk is full at the second state", command, 1, shown=shown)
    if done:
        files = [small / "run/best/model.safetensors", small / "run/state/state.safetensors"]
        run.check("best and state are whole", all(map(opens, files)))
        inside = sorted(path.name for path in (small / "run").iterdir())
        run.check(f"no remains: {' '.join(inside)}", not any(n[0] == "." for n in inside))
        remount(small, "size=200m")
        run.try_("more room, the same command", command, 0, shown=shown)
    fill(small / "filler")
    run.try_(
        "a full disk from the start",
        command.replace("small/run", "small/new"),
        1,
        shown=shown.replace("small/run", "small/new"),
    )


def opens(path: Path) -> bool:
    """Whether every tensor of a safetensors file can be read."""
    try:
        with safe_open(path, framework="pt") as file:
            return all(file.get_tensor(name) is not None for name in file.keys())  # noqa: SIM118
    except Exception:
        return False


def fill(path: Path) -> None:
    """Write zeros until the disk is full."""
    try:
        with path.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError:
        pass


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--model", help="checkpoint folder instead of a tiny untrained one")
    options.add_argument("--only", default="", help="only commands that hold this word")
    options.add_argument("--parts", nargs="*", help="sound names usage manifests ...")
    options.add_argument("--fork", action="store_true", help="load Python and torch only once")
    options.add_argument("--table", action="store_true", help="print a Markdown table")
    given = options.parse_args()
    model = str(Path(given.model).resolve()) if given.model else "model"
    os.umask(0o022)
    # A shell that runs this in the background has it, and all that it starts, ignore the key.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        os.chdir(folder)
        torch.manual_seed(0)
        config = ModelConfig.parse(
            {
                "dim": 32,
                "audio": {"width": 4, "features": 64, "window_seconds": 2},
                "text": {"kind": "transformer", "width": 32, "layers": 1, "heads": 2},
            }
        )
        tiny = MusCALL.create(config).eval()
        if given.fork:
            torch.set_num_threads(1)  # others would not survive the fork, and be waited for
        tiny.encode_text(["all that a forked command needs is loaded"])
        tiny.save_pretrained("model")
        for path in Path("model").iterdir():
            path.chmod(0o644)
        os.environ["MUSCALL_LIBRARY"] = "library"  # not that of whoever runs this
        os.environ["XDG_CACHE_HOME"] = str(Path("cache").absolute())
        make_sound()
        tone(Path("long.wav"), 1200.0)
        make_manifests()
        make_checkpoints(Path("model"))
        make_settings()
        make_library()
        make_studies()
        run = Session(model, given.only, given.table, given.fork)
        own = (sound, names, usage, manifests, checkpoints, settings, training)
        for part in (*own, *LIBRARY, *STUDIES):
            if not given.parts or part.__name__ in given.parts:
                part(run)
        os.chdir("/")
    wrong = [result for result in run.results if not result.right]
    print(f"\n{len(run.results)} tried, {len(wrong)} not as expected", file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
