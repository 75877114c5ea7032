import os

import pytest

from muscall.errors import AudioError, one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("naïve 🎵", "naïve 🎵"),
        (os.fsdecode(b"bad \xff.wav"), r"bad \xff.wav"),
        ("turned \u202e round", r"turned \u202e round"),
        ("lone \ud800", r"lone \ud800"),
    ],
)
def test_any_text_becomes_one_printable_line(text, line):
    assert one_line(text) == line
    assert str(AudioError(text, "damaged")) == f"{line}: damaged"
