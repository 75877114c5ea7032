"""What one open page knows: what its listener asks for, found, and keeps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from nicegui import run, ui

from muscall.errors import MuscallError
from muscall.library.search.query import Part, SearchQuery
from muscall.library.store import reading
from muscall.serving.page.conditions import Conditions
from muscall.serving.service import Service
from muscall.serving.shown import Found, Track

PAGE = 12  # results shown at once
_P = ParamSpec("_P")
_R = TypeVar("_R")

log = logging.getLogger("muscall")


@dataclass(frozen=True)
class Taste:
    """A song that results are to be like, or unlike."""

    key: str
    """Of a track, or of an upload."""
    name: str
    liked: bool = True


class Listener:
    """The state of one open page; small, since there are many.

    Args:
        patience: where waveforms and tags wait, so that they never keep searches from a thread.
    """

    def __init__(self, service: Service, patience: asyncio.Semaphore, text: str) -> None:
        self.service = service
        self.patience = patience
        self.client = ui.context.client
        self.text = text
        self.tastes: list[Taste] = []
        self.conditions = Conditions()
        self.max_per_artist: int | None = None
        self.count = PAGE
        self.found: list[Found] | None = None
        """None before anything was asked for."""
        self.understood: tuple[Part, ...] = ()
        """What the sentence was taken to ask for."""
        self.on_ask: Callable[[bool], None] = lambda _: None
        """Shows what is asked for, and whether it is being searched; of the view that is open."""
        self.on_change: Callable[[], None] = lambda: None
        """Shows what was found; of the view that is open."""
        self._turn = 0

    @property
    def query(self) -> SearchQuery:
        return SearchQuery(
            text=self.text.strip(),
            like=tuple(taste.key for taste in self.tastes if taste.liked),
            unlike=tuple(taste.key for taste in self.tastes if not taste.liked),
            where=self.conditions.where(),
            n=self.count,
            max_per_artist=self.max_per_artist,
        )

    @property
    def asks(self) -> bool:
        """Whether there is anything to find."""
        return not self.query.is_empty

    async def search(self, count: int = PAGE) -> None:
        """Find what is asked for; an older search that ends later changes nothing."""
        self.count = count
        self._turn += 1
        turn = self._turn
        self.on_ask(True)
        answer = await self.ask(self.service.search, self.query) if self.asks else None
        if turn == self._turn and not self.client.is_deleted:
            self.found = answer.results if answer else None
            self.understood = answer.understood if answer else ()
            with self.client:
                self.on_ask(False)
                self.on_change()

    async def ask_for(self, text: str) -> None:
        """Search for a sentence, without songs."""
        self.text, self.tastes = text, []
        await self.search()

    async def taste(self, key: str, name: str, *, liked: bool) -> None:
        """Search for more, or less, that is like a song."""
        others = [taste for taste in self.tastes if taste.key != key]
        self.tastes = [*others, Taste(key, name, liked)]
        await self.search()

    async def forget(self, taste: Taste) -> None:
        """Search without a song."""
        self.tastes = [other for other in self.tastes if other != taste]
        await self.search()

    async def ask(
        self, function: Callable[_P, _R], *arguments: _P.args, **named: _P.kwargs
    ) -> _R | None:
        """The answer of `service`, got in a thread; None where there is none: the listener is told.

        The event loop of all listeners waits for nothing.
        """
        try:
            with reading():
                return await run.io_bound(function, *arguments, **named)
        except MuscallError as error:
            self.tell(str(error), "negative")
        except Exception:
            log.exception("the page could not be served")
            self.tell("That went wrong; the server's log says why.", "negative")
        return None

    async def ask_patiently(
        self, function: Callable[_P, _R], *arguments: _P.args, **named: _P.kwargs
    ) -> _R | None:
        """As `ask`, behind everybody's searches and without a word where there is none."""
        async with self.patience:
            try:
                with reading():
                    return await run.io_bound(function, *arguments, **named)
            except MuscallError:
                return None

    def tell(self, message: str, kind: str = "info") -> None:
        """One plain line for a moment."""
        if self.client.is_deleted:
            return
        with self.client:
            ui.notify(message, position="top", timeout=2500, classes=f"toast toast-{kind}")


def item(track: Track, start: float | None = None) -> dict[str, object]:
    """What the player needs to know of a track that it may play."""
    return {
        "key": track.key,
        "title": track.title,
        "artist": track.artist,
        "duration": track.duration,
        "start": start or 0.0,
    }
