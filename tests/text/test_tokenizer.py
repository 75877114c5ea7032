import json
from pathlib import Path

import pytest

from muscall.text.tokenizer import clip_tokenizer

CASES = json.loads((Path(__file__).parents[1] / "data" / "clip_tokens.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["caption"][:20] for case in CASES])
def test_ids_equal_the_reference(case):
    assert clip_tokenizer().encode(case["caption"]).ids == case["ids"]


def test_vocabulary_has_the_size_of_clips():
    assert clip_tokenizer().get_vocab_size() == 49408


def test_a_long_text_keeps_its_end_token():
    ids = clip_tokenizer().encode("word " * 10_000).ids
    assert len(ids) == 77
    assert ids[-1] == 49407
