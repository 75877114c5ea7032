"""The recipe of the word vectors: what is read of a page, what is learned, what is written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from muscall.models.wordvectors import read_vectors
from recipes.word2vec import train

PAGE = """<html><head><title>Waltz</title><style>p {color: red}</style></head><body>
<h1>The waltz</h1><p>A <b>dance</b> in triple time&mdash;usually
slow; it came from Vienna.</p><pre>code { here }</pre></body></html>"""


def test_a_page_is_its_prose(tmp_path: Path) -> None:
    (tmp_path / "waltz.html").write_text(PAGE)
    clauses = list(train.sentences_of(train.text_of(tmp_path / "waltz.html")))
    assert clauses == [
        ["the", "waltz"],
        ["a", "dance", "in", "triple", "time", "usually", "slow"],
        ["it", "came", "from", "vienna"],
    ]


def test_a_dictionary_is_unpacked(tmp_path: Path) -> None:
    text = "Fugue \\Fugue\\, n.\n   A polyphonic\n   composition. [1913 Webster]"
    (tmp_path / "words.dict.dz").write_bytes(gzip.compress(text.encode()))
    first, *rest = train.sentences_of(train.text_of(tmp_path / "words.dict.dz"))
    assert first == ["fugue", "fugue", "n"]
    assert rest == [["a", "polyphonic", "composition"], ["1913", "webster"]]


def test_every_source_says_what_it_is_and_its_licence() -> None:
    sources = yaml.safe_load(train.SOURCES.read_text())
    readme = (train.SOURCES.parent / "README.md").read_text()
    for name, source in sources.items():
        assert set(source) == {"what", "licence", "files"}
        assert f"| {name} | {source['licence']} |" in readme


def test_only_the_training_split_of_captions_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"audio": "a.wav", "caption": ["slow Jazz", "A waltz."], "split": "train"},
        {"audio": "b.wav", "caption": "unheard words", "split": "test"},
    ]
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "none.yaml").write_text("{}")
    monkeypatch.setattr(train, "SOURCES", tmp_path / "none.yaml")
    found = list(train.sentences(tmp_path, manifest))
    assert found == [("captions", ["slow", "jazz"]), ("captions", ["a", "waltz"])]


def test_words_in_like_places_get_like_vectors_that_the_model_reads(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    kinds = (["piano", "guitar", "violin"], ["calm", "slow", "gentle"])
    sides = (["plays", "strings", "keys"], ["mood", "feeling", "tune"])
    text = [
        [str(word) for word in draw.choice(kinds[kind] + sides[kind], 6)]
        for kind in draw.integers(2, size=600)
    ]
    vectors = train.train(text, size=16, least=2, epochs=300)
    assert vectors.similarity("piano", "guitar") > vectors.similarity("piano", "calm") + 0.2
    again = train.train(text, size=16, least=2, epochs=300)
    np.testing.assert_array_equal(again.vectors, vectors.vectors)
    train.write(vectors, {"epochs": 300}, tmp_path / "out")
    words, table = read_vectors(tmp_path / "out" / "vectors.bin", limit=100)
    assert set(words) == {word for group in (*kinds, *sides) for word in group}
    np.testing.assert_array_equal(table[words.index("piano")], vectors["piano"])
    assert json.loads((tmp_path / "out" / "vectors.json").read_text()) == {"epochs": 300}
