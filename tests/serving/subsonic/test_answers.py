"""XML holds what JSON holds, whatever names hold."""

from __future__ import annotations

from xml.etree import ElementTree

from muscall.errors import AudioError, MuscallError, NotFound
from muscall.serving.subsonic.answers import Code, Problem, failed, succeeded


def test_names_of_any_characters_are_readable_xml() -> None:
    name = 'A & B <"Ünïcode"> \x00\x0b\ud800\uffff 音\n'
    root = ElementTree.fromstring(succeeded({"song": {"title": name}}, "xml").body)
    assert root[0].get("title") == 'A & B <"Ünïcode">  音\n'


def test_errors_have_their_codes() -> None:
    def code(error: MuscallError) -> str:
        root = ElementTree.fromstring(failed(error, "xml").body)
        return f"{root[0].get('code')}: {root[0].get('message')}"

    assert code(Problem(Code.MISSING, "no id")) == "10: no id"
    assert code(NotFound("gone")) == "70: gone"
    assert code(MuscallError("else")) == "0: else"
    assert code(AudioError("/secret/song.mp3", "cut off")) == "0: cut off"
