"""Uploads are heard, whatever they do to the process that decodes them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from muscall import MusCALL
from muscall.errors import AudioError
from muscall.serving.uploads import Uploads


def test_a_decoder_that_never_comes_to_its_end_is_given_up(
    tiny_model: MusCALL, take_over: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muscall.serving.uploads._PATIENCE", 3)
    take_over(
        "import os; send(connection, Ready()); os.write(connection.fileno(), b'\\0\\0\\1\\0')"
    )
    with pytest.raises(AudioError, match=r"^song\.mp3: cannot be heard within 3 s$"):
        Uploads(lambda: tiny_model).add("song.mp3", io.BytesIO(b"music"))
