"""The bar that plays, the same one under every view."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from muscall.serving.page.listener import item
from muscall.serving.shown import Found, Track


class Player(Element, component="player.js"):
    """Plays in the browser alone: the server only hands over lists of what can be played.

    Args:
        handlers: called by event with the key and the title of what plays: when its listener wants
            "more" like it, or to "keep" it; when songs near it are "queued" behind it, or could
            not be asked for ("unqueued"); when it cannot be played ("failed"). "radio" comes with
            the song that a radio started from, to save it.
    """

    def __init__(self, handlers: Mapping[str, Callable[[str, str], object]]) -> None:
        super().__init__()
        self._props |= {"lists": {}, "page": "muscall"}
        for event, handler in handlers.items():
            self.on(event, _with_track(handler))

    def name_page(self, name: str) -> None:
        """Let the title of the tab say what the page is, where no song plays."""
        self._props["page"] = f"{name} · muscall" if name else "muscall"

    def offer(self, name: str, tracks: Sequence[Found | Track]) -> None:
        """Let `play(name)` play `tracks` in their order, those found from their best passage."""
        items = [
            item(track.track, track.passage.start if track.passage else None)
            if isinstance(track, Found)
            else item(track)
            for track in tracks
        ]
        self._props["lists"] = {**self._props["lists"], name: items}


def playing(name: str, key: str) -> str:
    """JavaScript for a click: play a track of a list, or pause it where it plays already.

    A browser lets sound begin in answer to a click alone, for which the way through the server is
    too long.
    """
    return f"() => muscall.play({name!r}, {key!r})"


def _with_track(
    handler: Callable[[str, str], object],
) -> Callable[[GenericEventArguments], object]:
    return lambda event: handler(str(event.args["key"]), str(event.args["title"]))
