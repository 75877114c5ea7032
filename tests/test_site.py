"""The documentation site is built whole, and asks no other server for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "muscall"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make docs` builds. Strictly: no page, link, anchor or file is missing."""
    folder = tmp_path_factory.mktemp("site")
    command = ["-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


def pages(site: Path) -> dict[str, str]:
    return {
        str(path.relative_to(site)): path.read_text(encoding="utf-8")
        for path in site.rglob("*.html")
    }


def test_every_module_is_in_the_reference(site: Path) -> None:
    text = "".join(pages(site)[f"reference/{path.name}"] for path in site.glob("reference/*"))
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        if path.stem != "__main__":
            assert f'id="{module.removesuffix(".__init__")}"' in text


def test_every_page_command_card_and_example_is_there(site: Path) -> None:
    found = pages(site)
    for path in (ROOT / "docs").rglob("*.md"):
        assert str(path.relative_to(ROOT / "docs").with_suffix(".html")) in found
    for path in PACKAGE.glob("weights/*/README.md"):
        assert f"cards/{path.parent.name}.html" in found
    for path in (ROOT / "examples").glob("*.py"):
        assert f"examples/{path.name}" in found["examples.html"]
    for command in ("search", "index", "train", "evaluate retrieval"):
        assert f"muscall {command}" in found["commands.html"]


def test_every_page_is_reached_from_the_first(site: Path) -> None:
    reached: set[str] = set()
    waiting = ["index.html"]
    found = pages(site)
    while waiting:
        page = waiting.pop()
        if page not in reached and page in found:
            reached.add(page)
            for href in re.findall(r'href="([^"#:]+\.html)', found[page]):
                waiting.append(os.path.normpath(Path(page).parent / href))
    assert found.keys() - reached == {"404.html"}


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for name, text in pages(site).items():
        # Tags that load; a link to follow is no load.
        for tag in re.findall(r"<(?:script|link|img|iframe|source|object)\b[^>]*>", text):
            assert not re.search(r'(?:src|href|data)="?(?:https?:)?//', tag), f"{name}: {tag}"
        # Material would fetch this from a server of scripts.
        assert 'class="mermaid"' not in text
    for path in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", path.read_text()), path


def test_formulas_and_code_are_set(site: Path) -> None:
    text = pages(site)["model.html"]
    assert text.count('display="block"') == 6
    assert "src/muscall/losses/infonce.py" in text
    for name, page in pages(site).items():
        assert "<!-- code:" not in page, name
        assert "$`" not in page, name


def test_external_links_are_listed(site: Path) -> None:
    lines = (site / "links.txt").read_text(encoding="utf-8").splitlines()
    listed = {line.split("\t")[0] for line in lines}
    assert "https://arxiv.org/abs/2208.12208" in listed
