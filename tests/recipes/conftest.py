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
        sys.path.remove(str(RECIPE))
        for name, module in list(sys.modules.items()):
            if str(RECIPE) in str(getattr(module, "__file__", None)):
                del sys.modules[name]


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
