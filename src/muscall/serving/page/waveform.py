"""The waveform of a track: how loud it is, and in colour how well each passage matches."""

from __future__ import annotations

from nicegui.element import Element

from muscall.library.search.hits import Passage
from muscall.serving.shown import Track, Waveform

_BARS = 100


class WaveformView(Element, component="waveform.js"):
    """Empty until it is told what to show; a click plays from there."""

    def __init__(self, play_list: str, track: Track, passage: Passage | None) -> None:
        super().__init__()
        self._props |= {
            "list": play_list,
            "track": track.key,
            "duration": track.duration,
            "peaks": [],
            "matches": [],
            "passage": [passage.start, passage.seconds] if passage else None,
        }

    def show(self, waveform: Waveform) -> None:
        """Draw `waveform`, in as many bars as can be told apart."""
        self._props["peaks"] = _fewer(waveform.peaks)
        self._props["matches"] = _fewer(waveform.matches)
        self.update()


def _fewer(values: list[float]) -> list[float]:
    """At most _BARS values, each the highest of its neighbours."""
    step = -(-len(values) // _BARS) or 1
    return [round(max(values[i : i + step]), 2) for i in range(0, len(values), step)]
