"""Each example runs as its docstring says, on a few short sounds."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import uvicorn
from tokenizers import Tokenizer

from muscall import Library, MusCALL
from muscall.models.checkpoint import released
from muscall.models.config import BertConfig, ModelConfig, SentenceConfig
from muscall.models.sentence import SentenceEncoder
from muscall.serving.app import build

FOLDER = Path(__file__).parents[1] / "examples"

Run = Callable[..., list[str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run an example in this process; gives the lines that it printed."""

    def run(name: str, *arguments: object) -> list[str]:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def address(music: Path, tiny_model: MusCALL, tmp_path: Path) -> Iterator[str]:
    """Where the five sounds are served."""
    library = Library(tmp_path / "library", tiny_model)
    library.index([music], workers=1)
    app = build(library, cache=tmp_path / "cache", page=False)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def test_every_example_is_run_here() -> None:
    said = Path(__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'run\(\s*"(\w+)"', said)) == {path.stem for path in FOLDER.glob("*.py")}


def test_a_folder_is_searched(run: Run, music: Path) -> None:
    lines = run("search_folder", music, "a low tone")
    scores = [float(line.split()[0]) for line in lines]
    assert len(lines) == 5
    assert scores == sorted(scores, reverse=True)


def test_a_sentence_is_found_for_a_track(run: Run, music: Path) -> None:
    lines = run("sentence_for_track", music / "0.wav", "loud drums", "a choir")
    assert {line.split("  ")[-1] for line in lines} == {"loud drums", "a choir"}
    assert lines == sorted(lines, key=lambda line: -float(line.split()[0]))


def test_a_folder_is_tagged(run: Run, music: Path) -> None:
    lines = run("tag_folder", music, "calm", "energetic")
    labels = {line.split()[0] for line in lines}
    assert len(lines) == 5
    # Told against each other, no label can fit all tracks best.
    assert labels == {"calm", "energetic"}


def test_a_model_is_trained_from_nothing(run: Run, tmp_path: Path) -> None:
    line = run("train_pairs", tmp_path / "tones")[-1]
    percent = float(line.split()[1])
    assert percent >= 50  # by chance 17


def test_the_packaged_weights_are_tuned(run: Run, music: Path, tmp_path: Path) -> None:
    rows = [
        {"audio": str(path), "caption": f"tone {path.stem}"}
        for path in sorted(music.rglob("*.wav"))
    ]
    manifest = tmp_path / "mine.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = ["train.steps=1", "data.workers=0", f"train.out={tmp_path / 'run'}"]
    lines = run("fine_tune", manifest, *settings)
    assert [line.split()[0] for line in lines[-2:]] == ["before", "after"]


def test_a_small_model_learns_what_clap_hears(
    run: Run, music: Path, make_clap: Callable[..., Path], tmp_path: Path
) -> None:
    rows = [
        {"audio": str(path), "caption": f"tone {path.stem}"}
        for path in sorted(music.rglob("*.wav"))
    ]
    manifest, settings = tmp_path / "mine.jsonl", tmp_path / "settings.yaml"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings.write_text(
        "model: {audio: {width: 4, blocks: [1, 1, 1, 1], heads: 2, features: 16}, "
        "text: {width: 32, layers: 1, heads: 2}}\n"
        "train: {steps: 1, batch_size: 4, micro_batch: 4, validate_every: 1}\n"
    )
    own = [f"data.train={manifest}", f"data.val={manifest}", f"train.out={tmp_path / 'run'}"]
    lines = run("learn_from_teacher", make_clap(), settings, *own, "data.workers=0")
    assert [line.split()[0] for line in lines[-2:]] == ["teacher", "pupil"]


WITHOUT = """
import runpy, sys
sys.modules |= dict.fromkeys(("torch", "muscall", "tokenizers", "transformers", "soundfile"))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_onnx_files_are_searched_without_torch(
    tiny_config: ModelConfig, music: Path, tmp_path: Path
) -> None:
    """By an interpreter that finds neither torch nor muscall; `run("onnx_search")` would.

    `make bare` names one of an environment that has onnxruntime and numpy alone.
    """
    python = os.environ.get("BARE_PYTHON", sys.executable)
    pytest.importorskip("onnxscript")
    from muscall.models import onnx

    tokenizer = Tokenizer.from_file(str(released() / "tokenizer.json"))
    bert = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 128,
    }
    text = SentenceConfig(bert=BertConfig.parse(bert))
    config = tiny_config.model_copy(update={"text": text})
    torch.manual_seed(0)
    model = MusCALL(config, SentenceEncoder(text, tokenizer)).eval()
    folder = tmp_path / "onnx"
    onnx.export(model, folder, version="")
    songs = [str(path) for path in sorted(music.rglob("*.wav"))]
    heard = model.encode_audio(songs)
    script = str(FOLDER / "onnx_search.py")
    for sentence in ("a low tone", "Déjà-vu: café & unbelievably calm, 1950s MUSIC!"):
        command = [python, "-c", WITHOUT, script, str(folder), sentence, *songs]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = {line[8:]: float(line[:6]) for line in done.stdout.splitlines()}
        expected = heard @ model.encode_text(sentence)[0]
        assert found == pytest.approx(dict(zip(songs, expected, strict=True)), abs=6e-4)
    # What is hidden is missed where it is needed.
    command = [python, "-c", WITHOUT, str(FOLDER / "search_folder.py"), str(music), "calm"]
    assert "ModuleNotFoundError" in subprocess.run(command, capture_output=True, text=True).stderr


def test_a_library_is_used(run: Run, music: Path, tmp_path: Path) -> None:
    lines = run("use_library", tmp_path / "library", music, "a low tone")
    assert lines[0] == "5 tracks are new, 0 as before"
    assert sum(line.startswith("like ") for line in lines) == 2
    assert run("use_library", tmp_path / "library", music, "a low tone")[0].startswith("0 tracks")


def test_a_server_is_asked(run: Run, address: str) -> None:
    lines = run("ask_api", address, "a low tone")
    assert re.match(r"1 /.*\.wav", lines[0])
    assert "#EXTM3U" in lines
    with pytest.raises(SystemExit, match="the query is empty"):
        run("ask_api", address, "")


def test_a_map_is_drawn(run: Run, music: Path, tmp_path: Path) -> None:
    picture = tmp_path / "map.png"
    assert run("plot_map", music, picture) == [f"5 tracks in {picture}"]
    assert picture.read_bytes().startswith(b"\x89PNG")
