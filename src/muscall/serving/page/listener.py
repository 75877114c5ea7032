"""What one open page knows: what its listener asks for, found, and keeps."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar
from urllib.parse import parse_qs, quote, urlencode

from nicegui import run, ui

from muscall.errors import MuscallError
from muscall.library.search.query import Part, SearchQuery
from muscall.library.store import NothingIndexed, reading
from muscall.serving.page.conditions import Conditions
from muscall.serving.schemas import EXAMPLE
from muscall.serving.security import prefix
from muscall.serving.service import Service
from muscall.serving.shown import Found, Track

PAGE = 12  # results shown at once
_LONGEST = 500  # characters of a sentence
_MOST = 20  # songs to be like, and unlike
_P = ParamSpec("_P")
_R = TypeVar("_R")

log = logging.getLogger("muscall")


@dataclass(frozen=True)
class Taste:
    """A song that results should be like, or unlike."""

    key: str
    """Of a track, or of an upload."""
    name: str
    liked: bool = True


class Listener:
    """The state of one open page; small, since there are many.

    Args:
        patience: where waveforms and tags wait, so that they never keep searches from a thread.
    """

    def __init__(self, service: Service, patience: asyncio.Semaphore, query: str) -> None:
        self.service = service
        self.patience = patience
        self.client = ui.context.client
        self.path = ""
        """The view that shows what is asked for, "/" or "/map"; "" where another one is open."""
        self.text = ""
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
        self.name_page: Callable[[str], None] = lambda _: None
        """Shows what the open page is in the title of its tab."""
        self._turn = 0
        self._take(query)

    @property
    def asked(self) -> str:
        """What is asked for as the query of an address, such as "q=calm&year_from=1990"."""
        pairs = [("q", self.text.strip())] if self.text.strip() else []
        pairs += [("like" if one.liked else "unlike", one.key) for one in self.tastes]
        pairs += self.conditions.told().items()
        if self.max_per_artist is not None:
            pairs.append(("max_per_artist", str(self.max_per_artist)))
        return urlencode(pairs, quote_via=quote)

    @property
    def address(self) -> str:
        """Of the view that is open, with what is asked for."""
        return f"{self.path}?{self.asked}".rstrip("?")

    @property
    def about(self) -> str:
        """What is asked for in a few words; "" for nothing."""
        return self.text.strip() or ", ".join(
            f"{'Like' if one.liked else 'Less like'} {one.name}" for one in self.tastes
        )

    def _take(self, query: str) -> None:
        given = parse_qs(query)
        self.text = given.get("q", [""])[0][:_LONGEST]
        names = {one.key: one.name for one in self.tastes}
        self.tastes = [
            Taste(key, names.get(key, ""), liked)
            for name, liked in (("like", True), ("unlike", False))
            for key in given.get(name, [])[:_MOST]
            if re.fullmatch(EXAMPLE, key)
        ]
        self.conditions.take({name: values[0] for name, values in given.items()})
        most = given.get("max_per_artist", [""])[0]
        self.max_per_artist = int(most) if most in ("1", "2", "3") else None

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
        await self._name_tastes()
        answer = await self.ask(self.service.search, self.query) if self.asks else None
        if turn == self._turn and not self.client.is_deleted:
            self.found = answer.results if answer else None
            self.understood = answer.understood if answer else ()
            with self.client:
                self.on_ask(False)
                self.on_change()

    async def _name_tastes(self) -> None:
        """Those of an address have no names yet, and may be gone."""
        if all(taste.name for taste in self.tastes):
            return
        asked = self.tastes
        names = [one.name or await self.ask(self.service.name_of, one.key) for one in asked]
        if self.tastes == asked:
            pairs = zip(asked, names, strict=True)
            self.tastes = [replace(taste, name=name) for taste, name in pairs if name]

    async def open(self, query: str) -> None:
        """Search for what an address says."""
        self._take(query)
        await self.search()

    async def change(
        self,
        *,
        text: str | None = None,
        tastes: Sequence[Taste] | None = None,
        replace: bool = False,
    ) -> None:
        """Search for something else, at an address of its own that the browser goes back from.

        Args:
            replace: whether the address takes the place of the one before.
        """
        self.text = self.text if text is None else text
        self.tastes = self.tastes if tastes is None else list(tastes)
        if self.path:
            start = prefix(self.client.request.headers)
            with self.client:
                history = ui.navigate.history
                (history.replace if replace else history.push)(start + self.address)
        await self.search()

    async def taste(self, key: str, name: str, *, liked: bool) -> None:
        """Search for more, or less, that is like a song."""
        others = [taste for taste in self.tastes if taste.key != key]
        await self.change(tastes=[*others, Taste(key, name, liked)][-_MOST:])

    async def forget(self, taste: Taste) -> None:
        """Search without a song."""
        await self.change(tastes=[other for other in self.tastes if other != taste])

    async def ask(
        self, function: Callable[_P, _R], *arguments: _P.args, **named: _P.kwargs
    ) -> _R | None:
        """The answer of `service`, got in a thread; None where there is none: the listener is told.

        The event loop of all listeners waits for nothing.
        """
        try:
            with reading():
                return await run.io_bound(function, *arguments, **named)
        except NothingIndexed:
            pass  # every view says what to do about it
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
        """One plain line for a moment; what is "negative" stays until it is closed."""
        if self.client.is_deleted:
            return
        stays = kind == "negative"
        with self.client:
            ui.notify(
                message,
                position="bottom",
                timeout=0 if stays else 2500,
                close_button="Close" if stays else False,
                classes=f"toast toast-{kind}",
                group=message,
            )


def item(track: Track, start: float | None = None) -> dict[str, object]:
    """What the player needs to know of a track that it may play."""
    return {
        "key": track.key,
        "title": track.title,
        "artist": track.artist,
        "duration": track.duration,
        "start": start or 0.0,
    }
