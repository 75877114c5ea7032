"""Negations in a listener's sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscall.library.search.wording import Wording, names_in, read_wording


@pytest.mark.parametrize(
    ("sentence", "wanted", "avoided"),
    [
        ("calm solo piano", "calm solo piano", ()),
        ("dreamy synths, no drums", "dreamy synths", ("drums",)),
        ("calm piano without drums or vocals", "calm piano", ("drums", "vocals")),
        ("rock but no singing", "rock", ("singing",)),
        ("no vocals, slow and sad", "slow and sad", ("vocals",)),
        ("techno with no drums and no bass", "techno", ("drums", "bass")),
        ("guitar without any distortion, warm", "guitar, warm", ("distortion",)),
        ("jazz minus the saxophone", "jazz", ("saxophone",)),
        ("non-electronic dance music", "non-electronic dance music", ()),
        ("dance music, non-electronic", "dance music", ("electronic",)),
        ("something not too fast", "something not too fast", ()),
        ("not too fast without drums", "not too fast", ("drums",)),
        ("upbeat, non-stop dancing", "upbeat, non-stop dancing", ()),
        ("Symphony No. 5", "Symphony No. 5", ()),
        ("Symphony No. 5, no choir", "Symphony No. 5", ("choir",)),
        ("no wave", "no wave", ()),
        ("post-punk, no wave", "post-punk, no wave", ()),
        ("No-Wave without singing, non-music", "No-Wave, non-music", ("singing",)),
        ("No Woman, No Cry", "No Woman, No Cry", ()),
        ("nocturne in a notable key", "nocturne in a notable key", ()),
        ("  ", "", ()),
    ],
)
def test_what_is_wanted_and_what_is_not(
    sentence: str, wanted: str, avoided: tuple[str, ...]
) -> None:
    assert read_wording(sentence) == Wording(wanted, avoided)


@pytest.mark.parametrize(
    ("sentence", "wanted", "avoided"),
    [
        ("music by No Doubt", "music by No Doubt", ()),
        ("like No Doubt, but no singing", "like No Doubt", ("singing",)),
        ("ska without no doubt or drums", "ska", ("no doubt", "drums")),
        ("songs like No Woman No Cry", "songs like No Woman No Cry", ()),
        ("songs like no woman, no cry, no drums", "songs like no woman, no cry", ("drums",)),
        ("calm, no doubtful singing", "calm", ("doubtful singing",)),
        ("as ain't no sunshine, without strings", "as ain't no sunshine", ("strings",)),
        ("calm piano, no drums", "calm piano", ("drums",)),
    ],
)
def test_names_are_no_negations(sentence: str, wanted: str, avoided: tuple[str, ...]) -> None:
    names = names_in(
        [
            "No Doubt", "No Woman, No Cry (Live)", "Ain\u2019t No Sunshine - Remastered 2012", "No",
            "Etude (no drums)", "Woman; Nocturnes",
        ]
    )  # fmt: skip
    assert read_wording(sentence, names) == Wording(wanted, avoided)


def test_each_of_several_names_in_a_tag_is_one() -> None:
    several, live = "Post-Punk; No Wave", "Not For You [1994]"
    assert names_in([several, live, "(Can't Get No) Rest", "Jazz"]) == {
        "post punk no wave", "no wave", "not for you 1994", "not for you", "can t get no rest",
    }  # fmt: skip


@given(st.text(max_size=80), st.sets(st.text(max_size=20)))
def test_something_is_always_wanted_if_anything_was_said(sentence: str, tags: set[str]) -> None:
    found = read_wording(sentence, names_in(tags))
    assert bool(found.wanted) == bool(sentence.strip()) or not sentence.strip(" ,;")
