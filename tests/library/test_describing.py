"""Labels that fit a track, told against other tracks or against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from muscall import MusCALL
from muscall.errors import MuscallError
from muscall.library.describing import ENOUGH, EXCLUSIVE, Vocabulary, read_labels

LABELS = {
    "mood": ["calm", "angry", "a song that makes me think of home"],
    "sound": ["loud", "quiet"],
    "only": ["one"],
}


def near(vector: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """(count, dim) unit vectors around `vector`."""
    noise = np.random.default_rng(seed).normal(size=(count, len(vector)))
    tracks = vector + noise / np.sqrt(len(vector))
    return np.asarray(tracks / np.linalg.norm(tracks, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def vocabulary(tiny_model: MusCALL) -> Vocabulary:
    return Vocabulary(tiny_model, LABELS)


@pytest.fixture(scope="module")
def others(tiny_model: MusCALL) -> np.ndarray:
    return near(tiny_model.encode_text(["music"])[0], ENOUGH)


def test_strengths_are_deviations_over_the_other_tracks(
    vocabulary: Vocabulary, others: np.ndarray
) -> None:
    strengths = vocabulary.against(others).strengths(others)
    assert strengths.shape == (ENOUGH, 6)
    np.testing.assert_allclose(strengths.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(strengths.std(axis=0), 1, atol=1e-3)


def test_a_track_is_told_by_what_others_are_not(
    vocabulary: Vocabulary, others: np.ndarray, tiny_model: MusCALL
) -> None:
    calm, angry = tiny_model.encode_text(["calm music", "angry music"])
    told = vocabulary.against(others)
    for label, away in (("calm", calm - angry), ("angry", angry - calm)):
        track = others.mean(axis=0) + 3 * away
        found = told.describe(track / np.linalg.norm(track), n=1)
        assert [one.kind for one in found] == ["mood", "sound", "only"]
        moods = {one.text: one.strength for one in told.describe(track, n=3) if one.kind == "mood"}
        assert moods[label] == max(moods["calm"], moods["angry"]) > 0


def test_labels_are_the_best_of_each_kind_best_first(
    vocabulary: Vocabulary, others: np.ndarray
) -> None:
    told = vocabulary.against(others)
    everything = told.describe(others[0], n=9)
    assert {(one.kind, one.text) for one in everything} == {
        (kind, text) for kind, texts in LABELS.items() for text in texts
    }
    for n in (1, 2):
        expected = []
        for kind in LABELS:
            of_kind = [one for one in everything if one.kind == kind]
            assert of_kind == sorted(of_kind, key=lambda one: -one.strength)
            expected += of_kind[:n]
        assert told.describe(others[0], n=n) == expected


def test_of_labels_that_exclude_each_other_the_best_is_given_alone(
    tiny_model: MusCALL, others: np.ndarray
) -> None:
    groups = ({"loud", "quiet"}, {"calm", "quiet"})
    alone = Vocabulary(tiny_model, LABELS, others, exclusive=groups)
    every = Vocabulary(tiny_model, LABELS, others)
    for track in others:
        strengths = {one.text: one.strength for one in every.describe(track, n=9)}
        given = {one.text for one in alone.describe(track, n=9)}
        assert strengths.keys() - given <= {"loud", "quiet", "calm"}
        for group in groups:
            assert len(given & group) <= 1
        for text in strengths.keys() - given:
            rivals = set().union(*(group for group in groups if text in group)) & given
            assert max(strengths[one] for one in rivals) >= strengths[text]


def test_what_excludes_each_other_is_in_the_vocabulary() -> None:
    labels = {label for labels in read_labels().values() for label in labels}
    assert all(len(group) > 1 and group <= labels for group in EXCLUSIVE)


def test_without_other_tracks_labels_are_told_against_each_other(
    vocabulary: Vocabulary, others: np.ndarray, tiny_model: MusCALL
) -> None:
    few = vocabulary.against(others[: ENOUGH - 1])
    for told in (vocabulary, few, vocabulary.against(others[:0])):
        strengths = told.strengths(others)
        for of_kind in (strengths[:, :3], strengths[:, 3:5]):
            np.testing.assert_allclose(of_kind.mean(axis=1), 0, atol=1e-3)
            np.testing.assert_allclose(of_kind.std(axis=1), 1, atol=1e-3)
        np.testing.assert_allclose(strengths[:, 5], 0, atol=1e-3)  # nothing to tell it against
    sentence = tiny_model.encode_text(["a song that makes me think of home"])[0]
    assert vocabulary.describe(sentence, n=1)[0].text == "a song that makes me think of home"


def test_a_vocabulary_can_be_told_against_others_again(
    vocabulary: Vocabulary, others: np.ndarray
) -> None:
    told = vocabulary.against(others)
    before = told.strengths(others)
    again = told.against(others[::-1][:ENOUGH] * np.float32(0.5))
    np.testing.assert_array_equal(told.strengths(others), before)
    assert not np.allclose(again.strengths(others), before)


def test_the_vocabulary_of_the_package() -> None:
    labels = read_labels()
    assert {"genre", "mood", "instrument"} <= set(labels)
    for texts in labels.values():
        assert all(isinstance(text, str) for text in texts)
        assert len(set(texts)) == len(texts) > 10


def test_labels_of_ones_own(tmp_path: Path) -> None:
    lines, kinds = tmp_path / "moods.txt", tmp_path / "kinds.yaml"
    lines.write_text("calm\n\n  a bit sad, träumerisch \n")
    assert read_labels(lines) == {"label": ["calm", "a bit sad, träumerisch"]}
    kinds.write_text("mood: [calm, 1999]\nempty: []\n")
    assert read_labels(kinds) == {"mood": ["calm", "1999"], "empty": []}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", b"\n \n", "no labels"),
        ("a.txt", b"\xff\xfe", "no labels: .*decode"),
        ("a.yaml", b"mood: calm", "expected lists of labels"),
        ("a.yaml", b"[calm]", "expected lists of labels"),
        ("a.yaml", b"mood: [calm", "no labels: "),
        ("a.yaml", b"mood: []", "no labels"),
        (None, None, "no labels: No such file"),
    ],
)
def test_what_holds_no_labels_is_one_line(
    tmp_path: Path, name: str | None, content: bytes | None, says: str
) -> None:
    path = tmp_path / (name or "missing")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MuscallError, match=f"{path}: {says}") as caught:
        read_labels(path)
    assert "\n" not in str(caught.value)
