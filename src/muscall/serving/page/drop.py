"""A song of the listener's own as the query: dropped anywhere on the page, or chosen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui.element import Element


class Drop(Element, component="drop.js"):
    """Sends a file to the API, which bounds it; shows itself while a file is held over the page.

    Args:
        on_heard: called with the upload's id and the file's name.
        on_failed: called with one line that says why not.
    """

    def __init__(
        self, on_heard: Callable[[str, str], Awaitable[None]], on_failed: Callable[[str], object]
    ) -> None:
        super().__init__()
        self.on("heard", lambda event: on_heard(str(event.args["id"]), str(event.args["name"])))
        self.on("failed", lambda event: on_failed(str(event.args)))

    def choose(self) -> str:
        """JavaScript for a click that lets the listener choose a file."""
        return f"() => getElement({self.id}).choose()"
