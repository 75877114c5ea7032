import sys
from pathlib import Path

import numpy as np
import pytest
from immich_memories_music import tracks_dir
from rich.console import Console

from muscall.library.embedding import Collection
from recipes.demo import demo


def test_every_track_has_a_mood_and_a_kind() -> None:
    paths = sorted(tracks_dir().rglob("*.opus"))
    relevant = demo.relevance(paths)
    assert relevant.shape == (7, 28)
    counts = dict(zip(demo.LABELS, relevant.sum(axis=1), strict=True))
    assert counts["acoustic"] + counts["electronic"] == 28
    assert {counts[mood] for mood in ("calm", "energetic")} == {5}
    assert {counts[mood] for mood in ("happy", "nostalgic", "tender")} == {6}
    assert all(path.parent.name in demo.labels(path) for path in paths)


def test_a_model_that_knows_the_labels_finds_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    class Knowing:
        def encode_text(self, sentences: list[str]) -> np.ndarray:
            words = [sentence.split()[0] for sentence in sentences]
            return np.array([[word == label for label in demo.LABELS] for word in words], float)

    paths = sorted(tracks_dir().rglob("*.opus"))
    collection = Collection(paths, demo.relevance(paths).T.astype(np.float32), [])
    demo.show_precision(Console(width=100), Knowing(), collection)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    (mean,) = [row for row in rows if "mean" in row[:2]]
    assert "100.0" in mean
    assert "1.00" in mean


def test_a_folder_of_ones_own(
    tiny_checkpoint: Path,
    music: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["demo", str(music), "--model", str(tiny_checkpoint)])
    demo.main()
    out = capsys.readouterr().out
    assert all(sentence in out for sentence in demo.SENTENCES)
    assert out.count("0.wav") == len(demo.SENTENCES)
    assert "ACE-Step" not in out
