"""Sentences of other languages are read in English."""

from functools import partial

import pytest

from muscall import load
from muscall.library.search.lexicon import LANGUAGES, read_lexicon
from muscall.library.search.reading import read_sentence, without_part
from muscall.library.search.translating import translated
from muscall.library.search.wording import is_plain
from recipes.dictionary import dictionary
from recipes.evaluate.languages import sentences

PLAIN = {"calm", "piano", "music", "the", "nina", "simone", "kind", "of", "blue", "night"}


@pytest.mark.parametrize(
    ("sentence", "english"),
    [
        ("Ruhige Klaviermusik", "calm piano music"),
        ("RUHIGE AKUSTISCHE GITARRE", "calm acoustic guitar"),
        ("musique de piano triste", "sad piano music"),
        ("chitarra acustica tranquilla", "calm acoustic guitar"),
        ("canciones muy tranquilas", "very calm songs"),
        ("guitarra tranquila y triste", "calm and sad guitar"),
        ("静かなギター", "calm guitar"),
        ("música, piano triste", "music, sad piano"),
        ("ruhige xyzzy", "calm xyzzy"),
        ("guitarra", "guitar"),
        ("suave", "sweet"),
        ("lento", "slow"),
    ],
)
def test_a_sentence_is_put_into_english(sentence: str, english: str) -> None:
    assert translated(sentence, PLAIN.__contains__) == english


@pytest.mark.parametrize(
    "sentence",
    ["calm piano music", "die hard", "kind of blue", "nocturne", "taiko", "", "?", "спокойная"],
)
def test_english_and_what_no_lexicon_knows_stay(sentence: str) -> None:
    assert translated(sentence, PLAIN.__contains__) is None


@pytest.mark.parametrize(
    ("sentence", "understood"),
    [
        ("ruhiges Klavier ohne Schlagzeug", ["sound: calm piano", "without: drums"]),
        ("guitare douce, sans batterie", ["sound: soft guitar", "without: drums"]),
        ("música tranquila sin voz", ["sound: calm music", "without: voice"]),
        ("musica calma senza voce", ["sound: calm music", "without: voice"]),
        ("piano calmo, sem bateria", ["sound: calm piano", "without: drums"]),
        ("ボーカルなしの静かな音楽", ["sound: calm music", "without: vocals"]),
        ("Klavier aus den 90ern", ["sound: piano", "year: 1990 to 1999"]),
        ("guitarra de los 80", ["sound: guitar", "year: 1980 to 1989"]),
        ("ruhige Musik unter 3 Minuten", ["sound: calm music", "length: under 3:00"]),
        ("90年代のギター", ["sound: guitar", "year: 1990 to 1999"]),
    ],
)
def test_negations_and_conditions_are_read(sentence: str, understood: list[str]) -> None:
    first, *others = read_sentence(sentence, is_plain=PLAIN.__contains__).parts
    assert (first.kind, first.text) == ("read as", sentence)
    assert [str(part) for part in others] == understood


def test_a_part_can_be_left_out_of_what_was_read() -> None:
    sentence = "ruhiges Klavier ohne Schlagzeug"
    first, _, drums = read_sentence(sentence, is_plain=PLAIN.__contains__).parts
    assert without_part(first.value, drums) == "calm piano"
    assert without_part(sentence, drums) == sentence


def test_names_of_the_library_are_never_translated() -> None:
    row = {"title": "Guitarra Triste", "artist": "Noche", "album": "", "albumartist": None,
           "composer": None, "path": "/m/a.flac"}  # fmt: skip

    def read(sentence: str) -> list[str]:
        reading = read_sentence(sentence, (), lambda _: [row], PLAIN.__contains__)
        return [str(part) for part in reading.parts]

    assert read("guitarra triste") == ["sound: guitarra triste", "title: Guitarra Triste"]
    assert read("canciones tranquilas de Noche") == [
        "read as: calm songs by Noche", "sound: calm songs", "artist: Noche",
    ]  # fmt: skip


def test_what_can_be_asked_for_in_english_is_not_translated() -> None:
    model = load()
    phrases = [phrase for concept in dictionary.read() for phrase in concept.phrases[:2]]
    assert [said for said in phrases if translated(said, partial(is_plain, model))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lexicon_is_large_and_is_tested_with_sentences(language: str) -> None:
    assert len(read_lexicon(language).entries) >= 1000
    assert len({row[language] for row in sentences()}) == 50
