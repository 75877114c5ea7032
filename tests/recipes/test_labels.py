"""The labels that are known to be right of real tracks, and how trust is gained."""

from __future__ import annotations

import numpy as np
import pytest

from muscall import MusCALL
from muscall.library.describing import Vocabulary, read_labels
from muscall.models.musicnn import TAGS
from recipes.corpus.teacher.tagging import NAMES
from recipes.evaluate import labels
from recipes.weights.hearing import WindowFeatures


def test_the_truth_is_of_labels_of_the_vocabulary_and_its_halves_share_no_track() -> None:
    vocabulary = {text for own in read_labels().values() for text in own}
    choosing, final = (labels.read_truth(half) for half in ("choosing", "final"))
    assert not choosing.keys() & final.keys()
    for truth in (choosing, final):
        assert len(truth) >= 40
        assert all(vocabulary.issuperset(told) and any(told.values()) for told in truth.values())
    assert final["gcompris-italy"]["opera"]
    assert not final["gcompris-italy"]["techno"]
    assert "flute" not in final["gcompris-italy"]  # there may be one


def test_what_is_right_by_one_statement_is_not_wrong_by_another() -> None:
    told = labels.read_truth("choosing")["mrrescue-happy-feerings"]
    assert told["happy"]
    assert not told["sad"]
    assert told["chiptune"]


def test_labels_of_the_tagger_are_labels_and_tags() -> None:
    assert labels.HEARD.keys() <= set(read_labels()["instrument"])
    assert all(tag in NAMES for tags in labels.HEARD.values() for tag in tags.split(", "))


def test_the_least_strength_is_the_lowest_from_which_enough_are_right() -> None:
    many = [(float(n), True) for n in range(20, 60)]
    assert labels._least([*many, (10.0, False), (9.0, False)]) == 9
    assert labels._least([*many, *((float(n), False) for n in range(20))]) == 11
    assert labels._least([(1.0, True), (0.0, False)]) == np.inf


def test_tags_are_read_off_an_embedding() -> None:
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(500, 8)).astype(np.float32)
    logits = vectors @ draw.normal(size=(8, 2 * TAGS)).astype(np.float32)
    groups = [f"game/{n % 7}" for n in range(50)]
    windows = WindowFeatures(logits, np.repeat(np.arange(50), 10), groups)
    maps = labels.fit_tagger(windows, vectors)
    sitar = logits[:, NAMES.index("mtt/sitar")]
    told = np.c_[vectors, np.ones(500)] @ maps["instrument", "sitar"]
    assert np.corrcoef(told, sitar)[0, 1] > 0.98
    assert told.mean() == pytest.approx(sitar.mean(), abs=0.2)


def test_right_and_wrong_labels_are_counted(tiny_model: MusCALL) -> None:
    texts = tiny_model.encode_text(["loud music", "quiet music"])
    vocabulary = Vocabulary(tiny_model, {"sound": ["loud", "quiet"]})
    vectors = {"one": texts[0], "other": texts[1]}
    table = labels.report(vocabulary, vectors, {"one": {"loud": True, "quiet": False}})
    assert table.splitlines()[2] == "| sound | 1 | 2 | 0.50 | 1.00 |"
