"""What processes tell each other arrives as it was, or not at all."""

from __future__ import annotations

import math
from multiprocessing.connection import Pipe

import numpy as np
import pytest

from muscall.audio.descriptors import Descriptors
from muscall.audio.tags import Tags
from muscall.library.indexing.messages import (
    Changed,
    Decoded,
    Failed,
    Identity,
    Message,
    Note,
    Ready,
    Task,
    Wanted,
    Window,
    receive,
    send,
)

SILENT = b"00" * 200


@pytest.mark.parametrize(
    "message",
    [
        Task("/music/é \udcff\n.flac", 3200, 16000),
        Wanted(True),
        Wanted(False),
        Ready(),
        Identity("0" * 40, Tags("Ann's\0 🎵", ("A", "B"), year=1999, bpm=120.5)),
        Decoded(0.1 + 0.2, Descriptors(97.3, "Eb minor", -14.2), bytes(range(200))),
        Decoded(1.0, Descriptors(), bytes(200)),
        Failed("no"),
        Changed(),
        Note("decoded only half"),
    ],
)
def test_messages_arrive_as_they_were(message: Message) -> None:
    ours, theirs = Pipe()
    send(theirs, message)
    assert receive(ours) == message


def test_windows_arrive_as_they_were() -> None:
    ours, theirs = Pipe()
    samples = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    send(theirs, Window(1 / 3, 0.1, samples))
    window = receive(ours, 1000)
    assert isinstance(window, Window)
    assert (window.start, window.seconds) == (1 / 3, 0.1)
    np.testing.assert_array_equal(window.samples, samples)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04]\x94.",  # a pickle
        b"{}",
        b'["Note"]',
        b'["Note", {"text": 1}]',
        b'["Task", {"path": "a", "length": "1", "sample_rate": 1}]',
        b'["Decoded", {"seconds": NaN, "descriptors": {}, "waveform": "%s"}]' % SILENT,
        b'["Decoded", {"seconds": 1e999, "descriptors": {}, "waveform": "%s"}]' % SILENT,
        b'["Decoded", {"seconds": 1.0, "descriptors": {"tempo": NaN}, "waveform": "%s"}]' % SILENT,
        b'["Decoded", {"seconds": 1.0, "waveform": "%s"}]' % SILENT,
        b'["Decoded", {"seconds": 1.0, "descriptors": {}, "waveform": "%s00"}]' % SILENT,
        b'["Decoded", {"seconds": 1.0, "descriptors": {}, "waveform": "%szz"}]' % SILENT[:-2],
        b'["Decoded", {"seconds": 1.0, "descriptors": {}}]',
        b'["os.system", {"command": "true"}]',
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_an_error(data: bytes) -> None:
    ours, theirs = Pipe()
    theirs.send_bytes(data)
    with pytest.raises(ValueError, match="not understood"):
        receive(ours)


@pytest.mark.parametrize(
    "window",
    [
        Window(0.0, 1.0, np.zeros(9, np.float32)),
        Window(0.0, 1.0, np.full(10, np.inf, np.float32)),
        Window(math.nan, 1.0, np.zeros(10, np.float32)),
    ],
)
def test_a_window_is_whole_and_finite(window: Window) -> None:
    ours, theirs = Pipe()
    send(theirs, window)
    with pytest.raises(ValueError, match="not understood"):
        receive(ours, 10)
