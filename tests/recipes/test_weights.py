"""The recipe of the released weights: what is trained on, and what the teacher hears."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import muscall
from muscall import MusCALL
from muscall.data.manifest import read_manifest
from muscall.models.config import ModelConfig
from recipes.corpus import unpacking
from recipes.weights import pack, train

RATE = 16000


def row(name: str, part: str) -> dict[str, object]:
    return {
        "id": name, "audio": f"{name}.flac", "caption": [f"a {part} called {name}"],
        "part": part, "duration": 6.0,
    }  # fmt: skip


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two recordings and two grooves of noise, 6 s each."""
    for number, name in enumerate(("one", "two", "three", "four")):
        noise = np.random.default_rng(number).normal(0, 0.1, 6 * RATE)
        soundfile.write(tmp_path / f"{name}.flac", noise, RATE)
    return tmp_path


ROWS = [row("one", "recordings"), row("two", "recordings"), row("three", "grooves"),
        row("four", "grooves")]  # fmt: skip


def test_unpacking_keeps_the_sound_and_is_done_once(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ready = unpacking.unpack(ROWS, corpus, out)
    for before, after in zip(ROWS, ready, strict=True):
        original, _ = soundfile.read(corpus / str(before["audio"]))
        sound, rate = soundfile.read(out / after["audio"])
        assert rate == RATE
        np.testing.assert_allclose(sound, original, atol=1e-4)
    first = out / ready[0]["audio"]
    written = first.stat().st_mtime_ns
    assert unpacking.unpack(ROWS, corpus, out) == ready
    assert first.stat().st_mtime_ns == written
    manifest = unpacking.write(ready, out / "train.jsonl")
    assert [r.id for r in read_manifest(manifest)] == ["one", "two", "three", "four"]
    assert unpacking.rows_of(manifest) == ready


def test_recordings_are_cut_into_pieces_that_cover_them() -> None:
    rows = train.in_pieces(ROWS)
    assert len({piece["id"] for piece in rows}) == len(rows) == 2 * train.PIECES + 2
    own = rows[: train.PIECES]
    assert {piece["duration"] for piece in own} == {6.0 * train.LENGTH}
    starts = [piece["start"] for piece in own]
    assert starts == sorted(set(starts))
    assert starts[0] == 0
    assert starts[-1] + own[-1]["duration"] == pytest.approx(6.0)
    assert max(np.diff(starts)) <= own[0]["duration"]
    assert [piece for piece in rows if piece["part"] == "grooves"] == ROWS[2:]


def test_half_of_what_is_learned_from_are_recordings() -> None:
    rendered = [row(f"rendered-{n}", "scores") for n in range(20)]
    rows = train.in_pieces([*rendered, *ROWS[:2]])
    recorded = [r for r in rows if r["part"] == "recordings"]
    assert len(recorded) == len(rendered)
    assert len({r["id"] for r in recorded}) == len(recorded)
    assert train.in_pieces(rendered) == rendered


def test_packed_weights_give_the_same_embeddings_without_the_training_heads(
    tiny_config: ModelConfig, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = MusCALL(tiny_config.model_copy(update={"teacher_dim": 5, "ssl_dim": 4})).eval()
    sound = [(np.random.default_rng(0).normal(0, 0.1, 3 * RATE).astype(np.float32), RATE)]
    before = model.encode_audio(sound), model.encode_text(["calm"])
    pack.lighter(model).save_pretrained(tmp_path / "packed")
    packed = muscall.load(tmp_path / "packed")
    assert (packed.config.teacher_dim, packed.config.ssl_dim) == (0, 0)
    assert not any("head" in name for name in packed.state_dict())
    for old, new in zip(
        before, (packed.encode_audio(sound), packed.encode_text(["calm"])), strict=True
    ):
        assert (old @ new.T).item() > 0.999
