"""The map: every track a point, near what sounds alike, and the place of what is asked for."""

from __future__ import annotations

from functools import partial

from nicegui import background_tasks
from nicegui.element import Element

from muscall.serving.page.folders import Beginning
from muscall.serving.page.listener import Listener
from muscall.serving.page.parts import block, cover_of, icon_button, line
from muscall.serving.page.search import SearchBox
from muscall.serving.page.tray import Tray
from muscall.serving.shown import Track


class MapCanvas(Element, component="map.js"):
    """Draws the points that the API gives; a click plays, and emits `picked` with the key."""

    def __init__(self) -> None:
        super().__init__()
        self._props |= {"url": "/v1/map", "found": [], "place": None}

    def show(self, found: list[str], place: tuple[float, float] | None) -> None:
        """Mark the tracks that were found, and where the request itself lies (0..1)."""
        self._props |= {"found": found, "place": place}
        self.update()


class MapView:
    """The page at `/map`."""

    def __init__(self, listener: Listener, tray: Tray) -> None:
        self._listener, self._tray = listener, tray
        with block("view view-map") as view:
            line("Map", "visually-hidden", "h1")
            SearchBox(listener, "/map")
            with block("map") as self._map:
                self._canvas = MapCanvas()
                self._canvas.on("picked", lambda event: self._pick(str(event.args)))
                self._card = block("map-card", role="status")
                self._card.set_visibility(False)
            Beginning(listener, self._show_map)
        self._view = view
        self._empty = False
        listener.on_change = self.show
        self.show()

    def _show_map(self, empty: bool) -> None:
        self._map.set_visibility(not empty)
        if self._empty and not empty:
            self._canvas.run_method("load")
        self._empty = empty

    def show(self) -> None:
        """Show what was found."""
        self._listener.name_page(" · ".join(filter(None, [self._listener.about, "Map"])))
        background_tasks.create(self._show_place(), context=self._view)

    async def _show_place(self) -> None:
        listener = self._listener
        query = listener.query
        place = await listener.ask(listener.service.project, query) if listener.asks else None
        if query == listener.query and not self._canvas.is_deleted:
            self._canvas.show([found.track.key for found in listener.found or []], place)

    async def _pick(self, key: str) -> None:
        track = await self._listener.ask(self._listener.service.track, key)
        if track is not None and not self._card.is_deleted:
            self._show_card(track)

    def _show_card(self, track: Track) -> None:
        with self._card.clear():
            block("cover", "img", src=cover_of(track.key), alt="")
            with block("about"):
                line(track.title, "title")
                line(track.artist or track.genre, "artist")
            icon_button("playlist_add", "Add to the playlist", partial(self._tray.add, track))
            more = partial(self._listener.taste, track.key, track.title, liked=True)
            icon_button("o_thumb_up", "More like this", more)
            icon_button("close", "Close", partial(self._card.set_visibility, False))
        self._card.set_visibility(True)
