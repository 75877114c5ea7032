"""What was found: a row for each track, whose waveform and tags follow when they are known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nicegui import background_tasks

from muscall.serving.page.listener import PAGE, Listener
from muscall.serving.page.parts import block, text_button
from muscall.serving.page.rows import Rows
from muscall.serving.page.tray import Tray
from muscall.serving.shown import Found, Track

LIST = "results"
_TAGS = 4
_MOST = 120  # rows
_STRONG = 0.5  # standard deviations from which a tag is worth showing


class ResultList:
    """The list under a search; `on_tag` is called with a tag that was clicked."""

    def __init__(self, listener: Listener, tray: Tray, on_tag: Callable[[str], object]) -> None:
        self._listener = listener
        self._tracks: dict[str, Track] = {}
        self._shown: dict[str, Track] = {}
        self._rows = Rows(
            LIST,
            {
                "add": lambda key: tray.add(self._tracks[key]),
                "more": lambda key: self._taste(key, liked=True),
                "less": lambda key: self._taste(key, liked=False),
                "tag": on_tag,
            },
        )
        self._more = block("show-more")
        with self._more:
            text_button("Show more", "expand_more", self._show_more).classes("quiet")
        self._filling: asyncio.Task[None] | None = None

    def show(self, found: list[Found]) -> None:
        """Replace what is shown."""
        listener = self._listener
        if self._filling is not None:
            self._filling.cancel()
        shown = {one.key: one for row in found for one in (row.track, *row.versions)}
        # A click may still be on its way from the rows before.
        self._tracks, self._shown = {**self._shown, **shown}, shown
        # By conditions alone no track is nearer than another.
        ranked = any(part.kind == "sound" for part in listener.understood)
        self._rows.show(found, ranked=bool(listener.query.like) or ranked)
        self._more.set_visibility(len(found) == listener.count < _MOST)
        self._filling = background_tasks.create(self._fill(found), context=self._rows)

    async def _show_more(self) -> None:
        await self._listener.search(self._listener.count + PAGE)

    async def _taste(self, key: str, *, liked: bool) -> None:
        await self._listener.taste(key, self._tracks[key].title, liked=liked)

    async def _fill(self, found: list[Found]) -> None:
        """Bring waveforms and then tags in, the best tracks first."""
        listener, query = self._listener, self._listener.query
        keys = [one.track.key for one in found]
        for key in keys:
            drawn = await listener.ask_patiently(listener.service.waveform, key, query)
            if self._rows.is_deleted:
                return  # the listener has gone to another view, or away
            if drawn is not None:
                self._rows.draw(key, drawn)
        for key in keys:
            labels = await listener.ask_patiently(listener.service.labels, key, 1)
            if self._rows.is_deleted:
                return
            best = sorted(labels or [], key=lambda label: -label.strength)[:_TAGS]
            self._rows.label(key, [label.text for label in best if label.strength >= _STRONG])
