"""The dictionary of musical words, and the sentences that are made of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from recipes.corpus.teacher import tagging
from recipes.dictionary import dictionary, sentences


@pytest.fixture(scope="module")
def concepts() -> list[object]:
    return dictionary.read()


def test_there_are_3000_concepts_and_every_attribute_is_asked_for() -> None:
    concepts = dictionary.read()
    assert len(concepts) >= 3000
    assert sum(len(concept.phrases) for concept in concepts) >= 15_000
    asked = Counter(name for concept in concepts for name in concept.profile)
    assert asked.keys() == set(dictionary.ATTRIBUTES)
    assert min(asked.values()) >= 20


def test_the_package_knows_the_words_of_the_dictionary(concepts: list[dictionary.Concept]) -> None:
    words = dictionary.WORDS.read_text("utf-8").split()
    assert words == dictionary.musical_words(concepts)
    assert {"shoegaze", "chiptune", "qawwali"} <= set(words)


def test_every_tag_that_an_attribute_is_made_of_is_musicnns() -> None:
    tags = [tag for own in dictionary.TAGGED.values() for tag in own]
    assert len(tags) == len(set(tags))
    assert set(tags) <= set(tagging.NAMES)


@pytest.mark.parametrize(
    ("words", "attribute", "high"),
    [
        ("sad", "happy", False), ("fast", "tempo", True), ("waltz time", "triple", True),
        ("solo piano", "drums", False), ("minor key", "minor", True),
        ("bagpipes", "bagpipes", True),
    ],
)  # fmt: skip
def test_words_imply_what_they_mean(
    concepts: list[object], words: str, attribute: str, high: bool
) -> None:
    found = [c.profile.get(attribute, 0.0) for c in concepts if c.name == words]
    assert found
    assert all(value > 0.5 if high else value < -0.5 for value in found)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"concept": "a", "phrases": ["a"], "profile": {"loudness": 1}}, "loudness"),
        ({"concept": "a", "phrases": ["a"], "profile": {"loud": 9}}, "loud 9"),
        ({"concept": "a", "phrases": ["a", "a"], "profile": {"loud": 1}}, "twice"),
        ({"concept": "a", "phrases": []}, "profile"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, entry: dict[str, object], why: str) -> None:
    (tmp_path / "some.jsonl").write_text(json.dumps(entry) + "\n")
    with pytest.raises(dictionary.DictionaryError, match=rf"some\.jsonl, line 1: .*{why}"):
        dictionary.read(tmp_path)


def test_profiles_are_centred_and_in_the_order_that_is_asked_for() -> None:
    concepts = [
        dictionary.Concept("calm", ("calm",), {"slow": 2.0}),
        dictionary.Concept("mad", ("mad",), {"fast": 1.0, "slow": -1.0}),
    ]
    np.testing.assert_allclose(
        dictionary.profiles(concepts, ("fast", "slow")), [[-0.5, 1.5], [0.5, -1.5]]
    )


def test_sentences_vary_and_are_the_same_for_the_same_seed(concepts: list[object]) -> None:
    composer = sentences.Composer(concepts)
    drawn = list(composer.draw(np.random.default_rng(0), 400))
    again = list(composer.draw(np.random.default_rng(0), 400))
    assert [text for text, _ in drawn] == [text for text, _ in again]
    assert len({text for text, _ in drawn}) > 380
    phrases = {text for text, _ in composer.phrases}
    composed = [text for text, _ in drawn if text not in phrases]
    assert 100 < len(composed) < 320
    for _, profile in drawn:
        assert profile.shape == (len(composer.attributes),)
        assert np.isfinite(profile).all()


def test_what_is_joined_does_not_contradict_itself(concepts: list[object]) -> None:
    composer, rng = sentences.Composer(concepts), np.random.default_rng(0)
    text, profile = composer.phrases[0]
    agree = []
    for _ in range(50):
        joined, both = composer.joined(text, profile, rng)
        assert text in joined
        agree.append(sentences.cosine(profile, both))
    assert min(agree) > 0.4


def test_what_is_unwanted_is_absent(concepts: list[object]) -> None:
    composer = sentences.Composer(concepts)
    place = composer.attributes.index
    for name, attributes in sentences.ABSENT.items():
        for _, profile in composer.phrases[::1000]:
            less = composer.lacking(profile, name)
            for attribute in attributes:
                if attribute.startswith("+"):
                    assert less[place(attribute[1:])] > profile[place(attribute[1:])]
                else:
                    assert less[place(attribute)] <= -1.5
