"""Saved playlists: requests under a name, that find anew whatever fits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import partial

from nicegui import ui

from muscall.errors import MuscallError
from muscall.library.playlists.saved import Request, Saved
from muscall.library.store import reading
from muscall.serving.page import parts
from muscall.serving.page.listener import Listener
from muscall.serving.page.parts import block, icon_button, line, text_button
from muscall.serving.shown import Track, answer_of

_TRACKS = 50


class SavedPlaylists:
    """Those of the library, for everybody who opens it.

    Args:
        keep: puts tracks into the listener's own playlist.
    """

    def __init__(self, listener: Listener, keep: Callable[[Sequence[Track]], None]) -> None:
        self._listener, self._keep = listener, keep
        self._playlists = listener.service.library.playlists
        with block("saved", "section", aria_label="Saved playlists") as self._box:
            line("Saved", "heading", "h2")
            self._list = block("saved-list", role="list", aria_label="Saved playlists")

    async def show(self) -> None:
        """Show those that there are now."""
        every = await self._listener.ask(self._playlists.all)
        if self._list.is_deleted:
            return
        self._box.set_visibility(bool(every))
        with self._list.clear():
            for saved in every or []:
                with block("saved-row", role="listitem"):
                    self._row(saved)

    def _row(self, saved: Saved) -> None:
        play = icon_button("play_arrow", f"Play {saved.name}")
        play.on("click", js_handler=f"() => muscall.playSaved({json.dumps(saved.name)})")
        with block("about"):
            line(saved.name, "title")
            line(saved.request.said(), "artist")
        keep = partial(self._keep_all, saved.name)
        icon_button("playlist_add", f"Add the songs of {saved.name} to the playlist", keep)
        icon_button("close", f"Delete {saved.name}", partial(self._remove, saved.name))

    async def _keep_all(self, name: str) -> None:
        found = await self._listener.ask(self._playlists.tracks, name)
        if found is not None:
            self._keep([one.track for one in answer_of(found).results])

    async def _remove(self, name: str) -> None:
        await self._listener.ask(self._playlists.remove, name)
        await self.show()

    async def save(self) -> None:
        """Ask for a name, and keep under it what the listener asks for now."""
        query = self._listener.query
        request = Request(
            text=query.text,
            like=tuple(map(str, query.like)),
            unlike=tuple(map(str, query.unlike)),
            where=query.where,
            n=_TRACKS,
            max_per_artist=query.max_per_artist,
        )
        with parts.asking("Save this request") as dialog:
            line(
                "It becomes a playlist of up to 50 songs that finds anew whatever fits, after every"
                " look at your folders.",
                "dialog-text",
            )
            name = ui.input(value=self._listener.about[:60]).props("outlined dense autofocus")
            name.classes("dialog-field").props["aria-label"] = "Name of the playlist"

            async def submit() -> None:
                try:
                    with reading():
                        await asyncio.to_thread(self._playlists.save, name.value or "", request)
                except MuscallError as error:
                    name.error = str(error)
                else:
                    dialog.submit(name.value)

            name.on("keydown.enter", submit)
            with block("dialog-buttons"):
                text_button("Cancel", "close", dialog.close).classes("quiet")
                text_button("Save", "o_bookmark", submit).classes("primary")
        saved = await parts.answer_of(dialog)
        if saved:
            self._listener.tell(f"Saved as {saved}")
            await self.show()
