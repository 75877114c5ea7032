"""Saved playlists: requests under a name, that find anew whatever fits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import partial

from nicegui import ui

from muscall.errors import MuscallError, NotFound
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
        every = await self._listener.ask(self._all)
        if self._list.is_deleted:
            return
        self._box.set_visibility(bool(every))
        with self._list.clear():
            for saved, said in every or []:
                with block("saved-row", role="listitem"):
                    self._row(saved, said)

    def _all(self) -> list[tuple[Saved, str]]:
        """Each with what it asks for; songs by their titles."""
        return [(saved, self._named(saved.request).said()) for saved in self._playlists.all()]

    def _named(self, request: Request) -> Request:
        sides = {"like": request.like, "unlike": request.unlike}
        named = {side: tuple(map(self._title, songs)) for side, songs in sides.items()}
        return request.model_copy(update=named)

    def _title(self, song: str) -> str:
        try:
            return self._listener.service.track(song).title
        except NotFound:
            return song  # a file, or a track that is gone

    def _row(self, saved: Saved, said: str) -> None:
        play = icon_button("play_arrow", f"Play {saved.name}")
        play.on("click", js_handler=f"() => muscall.playSaved({json.dumps(saved.name)})")
        with block("about"):
            line(saved.name, "title")
            line(said, "artist")
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

    async def save_search(self) -> None:
        """Save what the listener asks for now."""
        query = self._listener.query
        search = Request(
            text=query.text,
            like=tuple(map(str, query.like)),
            unlike=tuple(map(str, query.unlike)),
            where=query.where,
            n=_TRACKS,
            max_per_artist=query.max_per_artist,
        )
        await self._save(search, self._listener.about)

    async def save_walk(self, key: str, title: str) -> None:
        """Save the songs that play on from one."""
        await self._save(Request(way="walk", like=(key,), n=_TRACKS), f"Radio {title}")

    async def save_path(self, first: Track, last: Track, n: int) -> None:
        """Save the `n` songs that lead from one to another."""
        path = Request(way="path", like=(first.key, last.key), n=n)
        await self._save(path, f"{first.title} to {last.title}")

    async def _save(self, request: Request, about: str) -> None:
        """Ask for a name, and keep the request under it."""
        with parts.asking("Save this request") as dialog:
            line(
                f"It becomes a playlist of up to {request.n} songs that finds anew whatever fits,"
                " after every look at your folders.",
                "dialog-text",
            )
            name = ui.input(value=about[:60]).props("outlined dense autofocus")
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
