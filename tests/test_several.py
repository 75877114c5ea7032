"""One thing where several may be given is the only one."""

from pathlib import Path

import pytest

from muscall.several import several


@pytest.mark.parametrize("one", ["song.flac", "", Path("song.flac"), 3])
def test_one_thing_is_the_only_one(one):
    assert several(one) == [one]


@pytest.mark.parametrize("many", [["a", "b"], ("a", "b"), iter("ab"), {"a": 1, "b": 2}.keys()])
def test_several_things_are_a_list_of_them(many):
    assert several(many) == ["a", "b"]


def test_nothing_is_an_empty_list():
    assert several(()) == []
