"""Sentences of other languages are read in English."""

import pytest

from muscall.library.search.reading import read_sentence
from muscall.library.search.translating import LANGUAGES, read_lexicon, translated
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
    ],
)
def test_a_sentence_is_put_into_english(sentence: str, english: str) -> None:
    assert translated(sentence, PLAIN.__contains__) == english


@pytest.mark.parametrize("sentence", ["calm piano music", "die hard", "kind of blue", "", "?", "спокойная"])
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lexicon_is_large_and_what_is_tested_is_read(language: str) -> None:
    assert len(read_lexicon(language).entries) >= 1000
    twins = [row[language] for row in sentences()]
    assert len(set(twins)) == len(twins) == 50
