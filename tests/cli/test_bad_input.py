"""docs/bad-input.md says what the commands do with bad input: its tables come from a real run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The quick ones; `python -m tests.cli.bad_input --write` runs them all and writes the page.
PARTS = {
    "sound": "Sound files",
    "names": "Names and queries",
    "usage": "Usage, pipes and keys",
    "manifests": "Manifests",
    "checkpoints": "Checkpoints",
    "settings": "Settings",
    "sets": "Data sets: manifest",
}


def _sections(page: str) -> dict[str, list[str]]:
    """The rows of the table below each heading."""
    sections = (section.partition("\n") for section in page.split("\n## ")[1:])
    return {title: [r for r in body.splitlines() if r[:1] == "|"] for title, _, body in sections}


@pytest.fixture(scope="module")
def tables() -> dict[str, list[str]]:
    """The tables as a run writes them now."""
    command = [sys.executable, "-m", "tests.cli.bad_input", "--parts", *PARTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return _sections(done.stdout)


@pytest.mark.parametrize("title", PARTS.values())
def test_the_page_is_what_the_commands_do(tables: dict[str, list[str]], title: str) -> None:
    if title == "Sound files" and (os.geteuid() or not shutil.which("ffmpeg")):
        pytest.skip("the page has another user's files, and m4a files of ffmpeg")
    written = _sections((ROOT / "docs" / "bad-input.md").read_text())
    assert len(tables[title]) > 5
    assert tables[title] == written[title]
