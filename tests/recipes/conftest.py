"""The open corpus's modules: it is a folder of scripts, not a package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "open-corpus"


@pytest.fixture(scope="module")
def recipe() -> Iterator[Callable[[str], ModuleType]]:
    """Imports a module of the recipe; skips the test where a library of its is missing."""

    def load(name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ImportError as error:
            pytest.skip(f"recipe module {name}: {error}")

    sys.path.insert(0, str(RECIPE))
    try:
        yield load
    finally:
        _forget(str(RECIPE))


def _forget(folder: str) -> None:
    sys.path.remove(folder)
    for name, module in list(sys.modules.items()):
        if folder in str(getattr(module, "__file__", None)):
            del sys.modules[name]


@pytest.fixture(scope="module")
def recipe_beside(
    recipe: Callable[[str], ModuleType],
) -> Iterator[Callable[[str], Callable[[str], ModuleType]]]:
    """By folder of another recipe, what imports its modules; they use those of the open corpus."""
    recipe("dev.rulers")
    before = list(sys.path)

    def beside(folder: str) -> Callable[[str], ModuleType]:
        sys.path.insert(0, str(RECIPE.parent / folder))
        return importlib.import_module

    yield beside
    for added in set(sys.path) - set(before):
        _forget(added)


@pytest.fixture
def small_soundfonts(
    recipe: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> tuple[str, ...]:
    """The names of the only SoundFonts that are played, the smallest: a test fetches 8 MB."""
    fonts, packages = recipe("sound.fonts"), recipe("packages")
    small = ("TimGM6mb", "GMbank")
    monkeypatch.setattr(fonts, "settings", fonts.Settings(fonts=small))
    try:
        for name in small:
            fonts.package(fonts.SOUNDFONTS[name])
    except packages.PackageError as error:
        pytest.skip(f"needs SoundFonts of Debian's: {error}")
    return small
