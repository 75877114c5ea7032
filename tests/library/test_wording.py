"""Negations in a listener's sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscall.library.wording import Wording, read_wording


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
        ("Symphony No. 5", "Symphony No. 5", ()),
        ("No Woman, No Cry", "No Woman, No Cry", ()),
        ("nocturne in a notable key", "nocturne in a notable key", ()),
        ("  ", "", ()),
    ],
)
def test_what_is_wanted_and_what_is_not(
    sentence: str, wanted: str, avoided: tuple[str, ...]
) -> None:
    assert read_wording(sentence) == Wording(wanted, avoided)


@given(st.text(max_size=80))
def test_something_is_always_wanted_if_anything_was_said(sentence: str) -> None:
    found = read_wording(sentence)
    assert bool(found.wanted) == bool(sentence.strip()) or not sentence.strip(" ,;")
