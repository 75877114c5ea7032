"""Every `muscall` line of the README and of the first pages runs, in the order it stands there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import mutagen
import numpy as np
import pytest
import soundfile
import torch
import uvicorn
import yaml
from safetensors import safe_open
from torch import Tensor

Run = Callable[..., SimpleNamespace]
ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/index.md", "docs/quick-start.md")
# One step of two clips is enough to see that a training runs.
SHORT = ("train.steps=1", "train.batch_size=2", "train.micro_batch=2", "data.workers=0")


def lines(page: str) -> list[str]:
    """The lines of its console blocks that begin with muscall."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    return re.findall(r"^(?:\$ )?(muscall .*)", "\n".join(blocks), flags=re.MULTILINE)


def sing(path: Path, seed: int, **tags: str) -> Path:
    """Three seconds of noise, with tags."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(0, 0.1, 3 * 16000)
    soundfile.write(path, noise, 16000, format=path.suffix[1:])
    if tags:
        file = mutagen.File(path, easy=True)
        file.update(tags)
        file.save()
    return path


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, reference: Callable[[str], dict[str, Tensor]]
) -> Path:
    """What the pages take for granted: music, manifests, GTZAN and a published checkpoint."""
    home = tmp_path_factory.mktemp("home")
    songs = [
        sing(home / "Music" / f"{name}.flac", seed, artist="Ann", genre="Dub", title=f"Song {name}")
        for seed, name in enumerate(("song", "sea", "sky", "sun", "snow"))
    ]
    sing(home / "song.flac", 9)
    rows = [{"audio": str(path), "caption": f"a song named {path.stem}"} for path in songs]
    for name in ("train", "val", "test", "my"):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (home / f"{name}.jsonl").write_text(text)
    for genre in ("jazz", "rock"):
        sing(home / "GTZAN" / "genres" / genre / f"{genre}.00000.wav", 0)
    state = {
        name.removeprefix("state."): tensor
        for name, tensor in reference("small_attention").items()
        if name.startswith("state.")
    }
    torch.save({"state_dict": state}, home / "best_model.pth")
    with safe_open(ROOT / "tests" / "data" / "small_attention.safetensors", "pt") as file:
        settings = json.loads(file.metadata()["config"])
    (home / "config.yaml").write_text(yaml.safe_dump({"model_config": settings}))
    (home / "configs").symlink_to(ROOT / "configs")
    return home


@pytest.mark.parametrize("page", PAGES)
def test_every_line_of_the_page_runs(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MUSCALL_LIBRARY", str(home / "library"))
    # It would serve until it is stopped: tests/cli/test_serve.py does that.
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: None)
    commands = lines(page)
    assert commands
    for line in commands:
        words = [str(Path(word).expanduser()) if word[0] == "~" else word for word in typed(line)]
        if words[0] == "train":
            words += SHORT
        done = run(*words)
        # A data set that is not whole is told: two clips of GTZAN are all there is.
        expected = 3 if words[:2] == ["manifest", "gtzan"] else 0
        assert done.code == expected, f"{line}: {done.err}"


def typed(line: str) -> list[str]:
    """The words behind `muscall`, without a comment."""
    return shlex.split(line, comments=True)[1:]


def test_the_readme_shows_the_commands_that_matter_most() -> None:
    shown = {typed(line)[0] for line in lines("README.md")}
    assert shown >= {"search", "index", "similar", "serve", "embed", "train", "evaluate", "convert"}
