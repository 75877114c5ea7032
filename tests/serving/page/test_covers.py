from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from muscall.serving.page.covers import drawn


@given(st.text())
def test_any_key_has_a_picture_that_is_always_the_same(key):
    assert ElementTree.fromstring(drawn(key)).tag.endswith("svg")
    assert drawn(key) == drawn(key)


def test_pictures_differ():
    assert len({drawn(f"{key:x}") for key in range(100)}) > 95
