"""Conditions in a listener's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscall.library.search.conditions import take_conditions, take_keys
from muscall.library.search.filters import parse_filter


@pytest.mark.parametrize(
    ("sentence", "rest", "value", "where"),
    [
        ("songs from 2003", "songs", "2003", "year = 2003"),
        ("calm piano from the 90s", "calm piano", "1990 to 1999", "year >= 1990 and year <= 1999"),
        ("90's music", "music", "1990 to 1999", "year >= 1990 and year <= 1999"),
        ("late nineties hits", "hits", "1997 to 1999", "year >= 1997 and year <= 1999"),
        ("jazz 1960-1969", "jazz", "1960 to 1969", "year >= 1960 and year <= 1969"),
        ("from 2003 to 2005", "", "2003 to 2005", "year >= 2003 and year <= 2005"),
        ("from before the eighties", "", "before 1980", "year < 1980"),
        ("rock since 2010", "rock", "since 2010", "year >= 2010"),
        ("rock after 2010, loud", "rock, loud", "after 2010", "year > 2010"),
        ("up to 1989", "", "until 1989", "year <= 1989"),
        ("under 3 minutes", "", "under 3:00", "duration < 180"),
        ("longer than five minutes", "", "over 5:00", "duration > 300"),
        ("no longer than 2 and a half minutes", "", "at most 2:30", "duration <= 150"),
        ("songs under 2:30", "songs", "under 2:30", "duration < 150"),
        ("over an hour", "", "over 1:00:00", "duration > 3600"),
        ("over 99999 hours", "", "over 99999:00:00", "duration > 359996400"),
        ("2-4 minutes long", "", "2:00 to 4:00", "duration >= 120 and duration <= 240"),
        ("between two and four minutes", "", "2:00 to 4:00", "duration >= 120 and duration <= 240"),
        ("about 3 minutes long", "", "about 3:00", "duration >= 162 and duration <= 198"),
        ("120 bpm", "", "120 bpm", "bpm >= 115.2 and bpm <= 124.8"),
        ("house between 120 and 125 bpm", "house", "120 to 125 bpm", "bpm >= 120 and bpm <= 125"),
        ("at least 140 beats per minute", "", "at least 140 bpm", "bpm >= 140"),
        ("slower than 90 bpm and sad", "sad", "under 90 bpm", "bpm < 90"),
        ("rated 4 stars or more", "", "at least 4 stars", "rating >= 4"),
        ("calm piano, at least four stars", "calm piano", "at least 4 stars", "rating >= 4"),
        ("4+ stars jazz", "jazz", "at least 4 stars", "rating >= 4"),
        ("five-star hits", "hits", "5 stars", "rating = 5"),
        ("jazz rated 3.5 stars", "jazz", "3.5 stars", "rating = 3.5"),
        ("from 2 to 4 stars", "", "2 to 4 stars", "rating >= 2 and rating <= 4"),
        ("no more than two stars", "", "at most 2 stars", "rating <= 2"),
        ("in a minor", "", "A minor", 'key = "A minor"'),
        ("nocturne in E flat major", "nocturne", "Eb major", 'key = "Eb major"'),
        ("C# minor with strings", "with strings", "C# minor", 'key = "C# minor"'),
    ],
)
def test_a_condition_is_taken_out(sentence: str, rest: str, value: str, where: str) -> None:
    found, (part,) = take_conditions(sentence)
    assert (found, part.value, part.where) == (rest, value, where)
    assert part.text in sentence


@pytest.mark.parametrize(
    "sentence",
    ["80s synths", "2003", "in a minor key", "a minor hit", "not too slow", "Symphony No. 5",
     "two pianos", "half an hour of calm", "music for 18 musicians", "1000 violins",
     "star wars", "5 stars in the sky", "seven stars", "four star generals"],
)  # fmt: skip
def test_other_numbers_and_letters_are_words(sentence: str) -> None:
    assert take_conditions(sentence) == (sentence, [])


@given(st.lists(st.sampled_from(
    ["between", "from", "the", "90s", "1999", "to", "and", "2:30", "half an", "minutes", "bpm",
     "99999", "0", "in", "a", "flat", "minor", "under", "-", "early", "00s", "5", "a half", "s"]
)))  # fmt: skip
def test_every_condition_is_a_filter(words: list[str]) -> None:
    for part in take_conditions(" ".join(words))[1]:
        parse_filter(part.where)


@pytest.mark.parametrize(
    ("sentence", "rest", "key"),
    [
        ("Klavier in a-Moll", "Klavier", "A minor"),
        ("cis-Moll", "", "C# minor"),
        ("Sonate As-Dur", "Sonate", "Ab major"),
        ("h-Moll", "", "B minor"),
        ("B-Dur", "", "Bb major"),
        ("piano en la mineur", "piano", "A minor"),
        ("mi bémol majeur", "", "Eb major"),
        ("guitarra en do sostenido menor", "guitarra", "C# minor"),
        ("chitarra in fa diesis minore", "chitarra", "F# minor"),
        ("piano em si bemol maior", "piano", "Bb major"),
        ("嬰ハ短調のピアノ", "ピアノ", "C# minor"),
        ("in a minor", "in a minor", None),
        ("la menor", "", "A minor"),
        ("duro y mayor", "duro y mayor", None),
    ],
)
def test_keys_are_read_as_other_languages_name_them(
    sentence: str, rest: str, key: str | None
) -> None:
    left, parts = take_keys(sentence)
    assert left == rest
    assert [part.value for part in parts] == ([key] if key else [])
    assert all(part.where == f'key = "{key}"' for part in parts)
