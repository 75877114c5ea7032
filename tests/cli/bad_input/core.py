"""Bad input to the commands that need neither a library nor labels."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
from safetensors import safe_open

from tests.cli.bad_input.inputs import tone
from tests.cli.bad_input.session import MUSCALL, Session, mounted, remount

TINY = (
    "model.audio.width=4 model.audio.window_seconds=2 model.text.kind=transformer "
    "model.text.width=32 model.text.layers=1 model.text.heads=2 data.workers=0 "
    "train.batch_size=4 train.precision=fp32"
)


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
    run.try_("odd names in the table", ["search", "a tone", odd, "--model", "MODEL"], 3)
    run.try_("in JSON", ["search", "a tone", odd, "--json", "--model", "MODEL"], 3)
    if run.try_("embedded", ["embed", odd, "-o", "odd.npz", "--model", "MODEL"], 3):
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
    run.try_("a command of two words without the rest", "evaluate retrieval model", 2)
    run.try_("an unknown option", "search tone bad --frobnicate", 2)
    run.try_("no threads", ["--threads", "0", "search", "a tone", "bad"], 2)
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

    def control_c(process: int) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not list(Path().glob(".keys.npz.*")):
            time.sleep(0.05)
        time.sleep(0.7)  # the weights are read first, and safetensors hides the key there
        os.killpg(process, signal.SIGINT)

    embed = "embed many long.wav -o keys.npz --model MODEL"
    if run.try_("Ctrl-C while it listens", embed, 130, interrupt=control_c):
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
        ("shards: without a caption, cut off, missing", "{0..2}.tar"),
        ("a pattern of nothing", "none-*.tar"),
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
            f"train {config} {data} train.out=s{run.tried} {TINY} {setting}",
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
    if run.try_("the disk is full at the second state", command, 1, shown=shown):
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


CORE = (sound, names, usage, manifests, checkpoints, settings, training)
