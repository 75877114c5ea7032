"""Runs the command line in this process."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from muscall.cli import main

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the command in this process; gives its exit `code`, `out` and `err`."""
    threads = torch.get_num_threads()

    def run(*arguments: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["muscall", *map(str, arguments)])
        monkeypatch.setattr(logging.getLogger("muscall"), "handlers", [])
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capfd.readouterr()
        return SimpleNamespace(code=exit_.value.code, out=out, err=err)

    yield run
    torch.set_num_threads(threads)


@pytest.fixture
def manifest(music: Path, tmp_path: Path) -> Path:
    rows = [
        {"audio": str(path), "caption": f"tone {path.stem}", "split": "ab"[index % 2]}
        for index, path in enumerate(sorted(music.rglob("*.wav")))
    ]
    file = tmp_path / "test.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file
