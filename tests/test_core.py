"""What `pip install muscall` brings is enough to embed, search a folder, train and evaluate.

`make core` runs this where nothing else is installed; elsewhere one process runs all the commands
without being able to import what the extras bring.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from muscall import MusCALL
from muscall.models.config import ModelConfig

EXTRAS = {
    "library": ["lancedb", "lark", "platformdirs", "pyarrow", "watchfiles"],
    "serve": ["fastapi", "nicegui", "multipart", "uvicorn"],
    "mcp": ["mcp"],
    "train": ["audiomentations", "matplotlib", "tensorboard"],
    "ray": ["lance", "lance_ray", "ray"],
}
COMMANDS = """
import contextlib, io, json, logging, sys

modules, commands = json.load(sys.stdin)
sys.modules.update(dict.fromkeys(modules))  # from now on they cannot be imported

from muscall.cli import main

done = []
for command in commands:
    sys.argv = ["muscall", *command]
    logging.getLogger("muscall").handlers.clear()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            done.append({"code": end.code, "out": out.getvalue(), "err": err.getvalue()})
print(json.dumps(done))
"""

Ran = dict[str, SimpleNamespace]


@pytest.fixture(scope="module")
def rows(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of the five sounds."""
    lines = [
        json.dumps({"audio": str(path), "caption": f"tone {path.stem}"})
        for path in sorted(music.rglob("*.wav"))
    ]
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def ran(
    rows: Path, music: Path, tiny_checkpoint: Path, tiny_config: ModelConfig, run_folder: Path
) -> Ran:
    """What the commands did, by name."""
    config = run_folder / "tiny.yaml"
    config.write_text(
        json.dumps({"model": tiny_config.model_dump(mode="json"), "train": {"batch_size": 2}})
    )
    settings = [f"data.train={rows}", f"data.val={rows}", "data.workers=0", "train.steps=2"]
    settings += ["train.device=cpu", "train.precision=fp32", f"train.out={run_folder / 'run'}"]
    plain = [*settings, "data.augment.enabled=false"]
    tiny = ["--model", str(tiny_checkpoint)]
    library = ["--library", str(run_folder / "library")]
    commands = {
        "version": ["--version"],
        "search": ["search", "a low tone", str(music), "--json"],
        "embed": ["embed", str(music), "-o", str(run_folder / "out.npz"), *tiny],
        "train": ["train", str(config), *plain],
        "evaluate": ["evaluate", "retrieval", str(tiny_checkpoint), str(rows), "--json"],
        "index": ["index", str(music), *library],
        "status": ["status", *library],
        "search a library": ["search", "a low tone", *library],
        "serve": ["serve", *library],
        "mcp": ["mcp", *library],
        "path": ["path", str(music), str(music), *library],
        "playlist": ["playlist", "save", "low", "a low tone", *library],
        "list": ["search", "a low tone", str(music), "--m3u", str(run_folder / "low.m3u8")],
        "augment": ["train", str(config), *settings, f"train.out={run_folder / 'augmented'}"],
        "reproduce": ["reproduce", "table1"],
    }
    modules = [module for of_extra in EXTRAS.values() for module in of_extra]
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS],
        input=json.dumps([modules, list(commands.values())]),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(
        zip(commands, (SimpleNamespace(**one) for one in json.loads(done.stdout)), strict=True)
    )


def test_a_folder_is_searched(ran: Ran) -> None:
    done = ran["search"]
    assert (done.code, done.err) == (0, "")
    hits = json.loads(done.out)["results"]
    assert sum(1 + len(hit["versions"]) for hit in hits) == 5


def test_what_is_found_in_a_folder_becomes_a_list(ran: Ran, run_folder: Path) -> None:
    assert ran["list"].code == 0
    assert (run_folder / "low.m3u8").read_text().startswith("#EXTM3U\n#EXTINF:3,")


def test_a_folder_is_embedded(ran: Ran, run_folder: Path, tiny_model: MusCALL) -> None:
    assert ran["embed"].code == 0
    stored = np.load(run_folder / "out.npz")
    own = tiny_model.encode_audio([Path(path) for path in stored["paths"]])
    np.testing.assert_allclose(stored["embeddings"], own, atol=1e-5)


def test_two_steps_are_trained(ran: Ran, run_folder: Path) -> None:
    done = ran["train"]
    assert (done.code, done.out.strip()) == (0, str(run_folder / "run" / "best"))
    metrics = (run_folder / "run" / "metrics.jsonl").read_text().splitlines()
    assert sum(json.loads(line)["kind"] == "train" for line in metrics) == 2
    # What is left out is said, once each.
    assert done.err.count('TensorBoard needs pip install "muscall[train]": no module') == 1
    assert done.err.count('matplotlib needs pip install "muscall[train]": no module') == 1


def test_retrieval_is_measured(ran: Ran) -> None:
    done = ran["evaluate"]
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["text_to_audio"]["R@10"]


@pytest.mark.parametrize(
    ("command", "extra", "what"),
    [
        ("index", "library", "muscall.Library"),
        ("status", "library", "muscall.Library"),
        ("search a library", "library", "a search without files"),
        ("serve", "serve", "muscall serve"),
        ("mcp", "mcp", "muscall mcp"),
        ("path", "library", "muscall.Library"),
        ("playlist", "library", "muscall.Library"),
        ("augment", "train", "augmentation (data.augment.enabled)"),
        ("reproduce", "train", "muscall reproduce"),
    ],
)
def test_a_missing_extra_is_one_line_with_the_command(
    ran: Ran, command: str, extra: str, what: str
) -> None:
    done = ran[command]
    assert (done.code, done.out) == (1, "")
    *_, line = done.err.splitlines()
    said, _, module = line.partition(": no module ")
    assert said == f'muscall: {what} needs pip install "muscall[{extra}]"'
    assert module.split(".")[0] in [name for of_extra in EXTRAS.values() for name in of_extra]


def test_a_missing_extra_is_an_import_error_in_python() -> None:
    code = (
        "import sys; sys.modules['lancedb'] = None\n"
        "import muscall\n"
        "try: muscall.Library\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    said = 'muscall.Library needs pip install "muscall[library]": no module '
    assert (done.stdout.startswith(said), done.stderr) == (True, "")
