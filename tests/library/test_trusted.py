"""Labels that can be trusted: what is not sure is not said."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from muscall import MusCALL, load
from muscall.library.describing import ENOUGH, EXCLUSIVE, Vocabulary, read_labels, told_genres
from muscall.library.embedding_version import embedding_version_of
from muscall.library.trusted import Calibration, calibration

LABELS = {"instrument": ["piano", "drums"], "sound": ["loud", "quiet", "solo"]}


@pytest.fixture(scope="module")
def made(tiny_model: MusCALL) -> Calibration:
    """Piano is told by the first dimension, drums by the second, and sounds by their text."""
    dim = tiny_model.config.dim
    tagger = np.zeros((5, dim + 1), np.float32)
    tagger[0, [0, dim]] = 10, -5
    tagger[1, [1, dim]] = 10, -5
    least = np.array([0, 0, 1, 1, 1], np.float32)
    usual = np.array([[0] * 5, [0.1] * 5], np.float32)
    return Calibration(LABELS, tagger, least, usual)


def given(vocabulary: Vocabulary, track: np.ndarray, genre: str | None = None) -> dict[str, float]:
    return {label.text: label.strength for label in vocabulary.describe(track, 3, genre)}


def test_only_what_is_strong_enough_is_given(tiny_model: MusCALL, made: Calibration) -> None:
    vocabulary = Vocabulary(tiny_model, LABELS, calibration=made)
    dim = tiny_model.config.dim
    piano, drums, nothing = np.eye(dim, dtype=np.float32)[:3]
    assert given(vocabulary, piano)["piano"] == pytest.approx(5)
    assert "drums" not in given(vocabulary, piano)
    assert "piano" not in given(vocabulary, drums)
    assert not given(vocabulary, nothing).keys() & {"piano", "drums"}
    assert all(
        strength >= 0 for track in np.eye(dim) for strength in given(vocabulary, track).values()
    )
    (loud,) = tiny_model.encode_text(["loud music"])
    assert "loud" in given(vocabulary, loud)
    never = replace(made, least=np.full(5, np.inf, np.float32))
    assert not given(Vocabulary(tiny_model, LABELS, calibration=never), loud)


def test_sounds_are_told_against_other_tracks_and_tags_are_not(
    tiny_model: MusCALL, made: Calibration
) -> None:
    (loud,) = tiny_model.encode_text(["loud music"])
    track = loud + 2 * np.eye(len(loud), dtype=np.float32)[0]
    track /= np.linalg.norm(track)
    among = Vocabulary(tiny_model, LABELS, np.tile(track, (ENOUGH, 1)), calibration=made)
    alone = Vocabulary(tiny_model, LABELS, calibration=made)
    assert "loud" in given(alone, track)
    assert "loud" not in given(among, track)  # where all others are as loud
    assert given(among, track)["piano"] == given(alone, track)["piano"]


def test_the_genre_of_the_file_comes_first_and_is_not_said_twice(tiny_model: MusCALL) -> None:
    labels = {"genre": ["techno", "house"], "sound": ["loud"]}
    vocabulary = Vocabulary(tiny_model, labels)
    found = vocabulary.describe(np.ones(tiny_model.config.dim), 2, "Techno; Other")
    assert [(one.text, one.told) for one in found if one.kind == "genre"] == [
        ("Techno", True),
        ("house", False),
    ]
    assert [one.text for one in vocabulary.describe(np.ones(tiny_model.config.dim), 1, "Fado; Folk")
            if one.kind == "genre"] == ["Fado"]  # fmt: skip


def test_a_tag_that_says_nothing_is_no_genre() -> None:
    assert told_genres("(None); Unknown; Jazz; Other; Sound FX") == ["Jazz"]
    assert told_genres(None) == told_genres("") == []


def test_what_is_written_is_read(made: Calibration) -> None:
    file = BytesIO()
    made.write(file, "an embedding version")
    file.seek(0)
    with np.load(file) as table:
        assert table["embedding_version"] == "an embedding version"
        assert table["texts"].tolist() == [text for own in LABELS.values() for text in own]
        np.testing.assert_array_equal(table["least"], made.least)


def test_the_calibration_is_of_the_packaged_weights() -> None:
    """After other weights are packaged: python -m recipes.evaluate.labels --calibrate."""
    model = load()
    found = calibration(embedding_version_of(model))
    assert found is not None
    vocabulary = read_labels()
    assert all(set(own) <= set(vocabulary[kind]) for kind, own in found.labels.items())
    count = sum(map(len, found.labels.values()))
    assert found.tagger.shape == (count, model.config.dim + 1)
    assert found.least.shape == (count,)
    assert found.usual.shape == (2, count)
    labels = Vocabulary(model, found.labels, exclusive=EXCLUSIVE, calibration=found)
    tracks = np.random.default_rng(0).normal(size=(50, model.config.dim))
    for track in tracks / np.linalg.norm(tracks, axis=1, keepdims=True):
        said = given(labels, track.astype(np.float32)).keys()
        assert all(len(group & said) <= 1 for group in EXCLUSIVE)
    assert calibration("another") is calibration(None) is None
