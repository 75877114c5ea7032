"""What the tests of the recipes share."""

from __future__ import annotations

import pytest

from recipes.corpus import packages
from recipes.corpus.sound import fonts


@pytest.fixture
def small_soundfonts(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The names of the only SoundFonts that are played, the smallest: a test fetches 8 MB."""
    small = ("TimGM6mb", "GMbank")
    monkeypatch.setattr(fonts, "settings", fonts.Settings(fonts=small))
    try:
        for name in small:
            fonts.package(fonts.SOUNDFONTS[name])
    except packages.PackageError as error:
        pytest.skip(f"needs SoundFonts of Debian's: {error}")
    return small
