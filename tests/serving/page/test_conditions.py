import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscall.library.search.filters import parse_filter
from muscall.serving.page.conditions import LENGTHS, Conditions

NUMBERS = st.none() | st.floats() | st.integers()


def test_nothing_set_is_no_filter():
    assert Conditions().where() == ""
    assert Conditions(genre="  ").count() == 0


def test_what_a_listener_sets_becomes_a_filter():
    conditions = Conditions(year_from=1990, year_to=1999, genre="jazz", length="duration < 120")
    assert conditions.where() == (
        'year >= 1990 and year <= 1999 and genre ~ "jazz" and duration < 120'
    )
    assert conditions.count() == 3
    turned = Conditions(year_from=1999, year_to=1990)
    assert turned.where() == "year >= 1990 and year <= 1999"


@pytest.mark.parametrize("artist", ['The "Quiet" Engines', "Guns N' Roses", """a ' and " b"""])
def test_quotes_cannot_end_a_text_early(artist):
    assert "artist" in parse_filter(Conditions(artist=artist).where())


@given(
    st.builds(
        Conditions,
        year_from=NUMBERS,
        year_to=NUMBERS,
        bpm_from=NUMBERS,
        bpm_to=NUMBERS,
        genre=st.text(),
        artist=st.text(),
        length=st.sampled_from(sorted(LENGTHS)),
    )
)
def test_the_library_understands_whatever_is_set(conditions):
    where = conditions.where()
    assert bool(where) == (conditions.count() > 0)
    if where:
        parse_filter(where)
