"""How well sentences of other languages are read, measured."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from muscall import Library, MusCALL
from recipes.evaluate import languages


def test_what_sentences_share_with_their_twins_is_counted(
    tiny_model: MusCALL,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "songs").mkdir()
    for number in range(12):
        noise = np.random.default_rng(number).normal(0, 0.1, 32_000)
        soundfile.write(tmp_path / "songs" / f"{number}.flac", noise, 16_000)
    library = Library(tmp_path / "library", tiny_model)
    library.index([tmp_path / "songs"])
    rows = [{"en": "calm guitar", "de": "ruhige Gitarre"}, {"en": "piano", "de": "piano"}]
    monkeypatch.setattr(languages, "Library", lambda _: library)
    monkeypatch.setattr(languages, "sentences", lambda: rows)
    monkeypatch.setattr(sys, "argv", ["languages", str(tmp_path / "library")])
    languages.main()
    (row,) = capsys.readouterr().out.splitlines()[2:]
    assert row.split(" | ")[:5] == ["| de", "2", "10.0", "100 %", "1"]
