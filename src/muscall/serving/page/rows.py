"""The rows of what was found, as results.js draws them: one element, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nicegui.element import Element

from muscall.serving.page.parts import count, minutes
from muscall.serving.shown import Found, Track, Waveform

_BARS = 100


class Rows(Element, component="results.js"):
    """A row for each track, without waveforms and tags until `draw` and `label` add them.

    Args:
        play_list: the name of the player's list that a click plays from.
        handlers: called by event with the key of a row's track: "add", "more", "less"; or with the
            text of a "tag".
    """

    def __init__(self, play_list: str, handlers: dict[str, Callable[[str], object]]) -> None:
        super().__init__()
        self._props |= {"list": play_list, "rows": []}
        for event, handler in handlers.items():
            self.on(event, _with_text(handler))

    def show(self, found: Sequence[Found], *, ranked: bool) -> None:
        """Replace all rows; `ranked` where one can be nearer than another."""
        self._props["rows"] = [_row(one, ranked=ranked) for one in found]

    def draw(self, key: str, waveform: Waveform) -> None:
        """Show the waveform of a row, in as many bars as the eye can separate."""
        self.run_method("draw", key, _fewer(waveform.peaks), _fewer(waveform.matches))

    def label(self, key: str, texts: Sequence[str]) -> None:
        """Show the tags of a row."""
        self.run_method("label", key, list(texts))


def _with_text(handler: Callable[[str], object]) -> Callable[..., object]:
    return lambda event: handler(str(event.args))


def _row(found: Found, *, ranked: bool) -> dict[str, object]:
    track, share = found.track, 100 * found.relative_score
    fits = f"Fits {share:.0f} % as well as the best" if share else "No strong match"
    return {
        **_about(track),
        "told": f"{track.title}{' by ' + track.artist if track.artist else ''}",
        "path": track.path,
        "duration": track.duration,
        "passage": [found.passage.start, found.passage.seconds] if found.passage else None,
        "fits": fits if ranked else "",
        "share": round(max(share, 2)),
        "named": found.keyword_match,
        "versions": [_about(version) for version in found.versions],
        "others": f"{count(len(found.versions), 'other version')}, the same to the ear",
    }


def _about(track: Track) -> dict[str, object]:
    known = [track.artist, track.album, track.genre, str(track.year or "")]
    known += [f"{track.bpm:.0f} bpm" if track.bpm else "", track.musical_key or ""]
    known += [minutes(track.duration)]
    return {"key": track.key, "title": track.title, "meta": " · ".join(filter(None, known))}


def _fewer(values: list[float]) -> list[float]:
    """At most _BARS values, each the highest of its neighbours."""
    step = -(-len(values) // _BARS) or 1
    return [round(max(values[i : i + step]), 2) for i in range(0, len(values), step)]
