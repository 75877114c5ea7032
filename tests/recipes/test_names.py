"""How well names are found, measured."""

from __future__ import annotations

import sys
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile

from muscall import Library, MusCALL
from recipes.evaluate import names


def test_names_that_are_found_are_counted(
    tiny_model: MusCALL,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number, (artist, title) in enumerate([("Drascula", "Prologue"), ("Drascula; Ann", "Rain")]):
        path = tmp_path / "songs" / f"{number}.flac"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, np.random.default_rng(number).normal(0, 0.1, 32_000), 16_000)
        file = mutagen.File(path, easy=True)
        file["artist"], file["title"] = artist, title
        file.save()
    library = Library(tmp_path / "library", tiny_model)
    library.index([tmp_path / "songs"])
    found = names.names(library)
    assert {kind: sorted(own) for kind, own in found.items()} == {
        "artist": ["Ann", "Drascula"], "album": [], "title": ["Prologue", "Rain"],
    }  # fmt: skip
    assert len(found["artist"]["Drascula"]) == 2
    monkeypatch.setattr(names, "Library", lambda _: library)
    monkeypatch.setattr(sys, "argv", ["names", str(tmp_path / "library")])
    names.main()
    rows = [line.split(" | ")[:5] for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows == [
        ["| artist", "2", "1.000", "1.000", "0.000"], ["| title", "2", "1.000", "1.000", "0.000"],
    ]  # fmt: skip


def test_a_slip_is_one_letter() -> None:
    draw = np.random.default_rng(0)
    for _ in range(100):
        assert abs(len(names.with_a_slip("Drascula", draw)) - 8) <= 1
