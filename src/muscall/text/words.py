"""Lower-cased words, the units of word vectors (paper, section 5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

NOTHING = "no word"  # with a space, so that it cannot be a word of a file
# Runs of letters and digits, with apostrophes inside them.
WORD = r"[\p{L}\p{N}]+(?:'[\p{L}\p{N}]+)*"

_NORMALIZER = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
_SPLITTER = pre_tokenizers.Split(Regex(WORD), behavior="removed", invert=True)


def words_of(text: str) -> list[str]:
    """Words of a text in lower case, without punctuation: "Don't stop!" -> don't, stop."""
    return [word for word, _ in _SPLITTER.pre_tokenize_str(_NORMALIZER.normalize_str(text))]


def word_tokenizer(words: Sequence[str]) -> Tokenizer:
    """A tokenizer whose ids are the places of words in `words`, from 1; 0 for other words."""
    vocabulary = {word: number for number, word in enumerate((NOTHING, *words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=NOTHING))
    tokenizer.normalizer = _NORMALIZER
    tokenizer.pre_tokenizer = _SPLITTER
    return tokenizer
