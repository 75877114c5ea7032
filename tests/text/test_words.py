from tokenizers import Tokenizer

from muscall.text.words import word_tokenizer, words_of


def test_words_are_lower_case_and_without_punctuation():
    assert words_of("Don't stop, DJ: up-tempo 70's R&B!") == [
        *("don't", "stop", "dj", "up", "tempo", "70's", "r", "b")
    ]
    assert words_of("Ünïcödé 日本 🎸 'quoted'") == ["ünïcödé", "日本", "quoted"]
    assert words_of(" ... ") == []


def test_known_words_have_their_number_and_others_none():
    tokenizer = word_tokenizer(["calm", "piano"])
    assert tokenizer.encode("Piano, a calm PIANO.").ids == [2, 0, 1, 2]
    assert tokenizer.encode("").ids == []
    assert tokenizer.get_vocab_size() == 3


def test_a_saved_tokenizer_is_the_same():
    tokenizer = word_tokenizer(["don't", "stop"])
    again = Tokenizer.from_str(tokenizer.to_str())
    assert again.encode("DON'T you stop").ids == tokenizer.encode("DON'T you stop").ids == [1, 0, 2]
