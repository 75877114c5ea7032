"""How far indexing is, and the buttons that start and pause it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from muscall.errors import one_line
from muscall.serving.page.listener import Listener
from muscall.serving.page.parts import block, count, line, text_button

_OFTEN = 1.0  # seconds between looks
_STATES = {"idle": "Up to date", "running": "Listening", "paused": "Paused"}


class IndexingCard:
    """Shown while a run is at work or paused, or `always`.

    Args:
        on_change: called when a run begins, pauses or ends, and once at first.
    """

    def __init__(
        self, listener: Listener, on_change: Callable[[], Awaitable[None]], *, always: bool = False
    ) -> None:
        self._listener, self._on_change, self._always = listener, on_change, always
        self._indexing = listener.service.indexing
        self._state: tuple[str, object] | None = None
        with block("card indexing", "section", aria_label="Indexing") as self._card:
            with block("card-head"):
                line("Indexing", "heading", "h2")
                self._badge = ui.label().classes("state").props('aria-live="polite"')
                self._buttons = block("card-buttons")
            self._bar = ui.linear_progress(0, show_value=False, size="8px", color="primary")
            self._bar.props('rounded aria-label="Progress of indexing"')
            self._told = ui.label().classes("told")
        self._card.set_visibility(False)
        ui.timer(_OFTEN, self.look)

    def show(self, shown: bool) -> None:
        """Whether to show it where no run is at work."""
        self._always = shown
        self._card.set_visibility(shown or self._indexing.state != "idle")

    async def look(self) -> None:
        """Show how far the run is."""
        indexing = self._indexing
        state, progress = indexing.state, indexing.progress
        if (state, indexing.waiting) != self._state:
            self._state = state, indexing.waiting
            self._show_state(state)
            await self._on_change()
            if self._card.is_deleted:
                return
        self._bar.set_visibility(state != "idle")
        if state == "idle":
            self._told.set_text(indexing.error or indexing.report or "")
            return
        if progress is None:
            self._told.set_text("Looking through the folder")
            self._bar.set_value(0)
            return
        self._bar.set_value(progress.done / max(progress.total, 1))
        told = [f"{progress.done:,} of {count(progress.total, 'file')}"]
        if state == "running":
            told += [f"{progress.speed:.1f} tracks/s"] * bool(progress.speed)
            told += [f"{progress.times:,.0f} times real time"] * bool(progress.times)
            told += [f"about {span(progress.left)} left"] if progress.left is not None else []
        told += [f"then {one_line(folder)}" for folder in indexing.waiting]
        self._told.set_text(" · ".join(told))

    def _show_state(self, state: str) -> None:
        self._card.set_visibility(self._always or state != "idle")
        stopped = state == "idle" and self._indexing.error is not None
        self._badge.set_text("Stopped early" if stopped else _STATES[state])
        self._badge.classes(replace=f"state state-{state}")
        with self._buttons.clear():
            if state == "idle":
                self._button("Look for changes", "sync", self._indexing.start)
            elif state == "running":
                self._button("Pause", "pause", self._indexing.pause)
            else:
                self._button("Resume", "play_arrow", self._indexing.resume)

    def _button(self, text: str, icon: str, act: Callable[[], None]) -> None:
        async def click() -> None:
            await self._listener.ask(act)
            await self.look()

        text_button(text, icon, click).classes("primary")


def span(seconds: float) -> str:
    """A time as people say it: "40 s", "12 min", "1.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"
