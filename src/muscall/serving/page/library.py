"""The library view: what is indexed, how far indexing is, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from nicegui import ui

from muscall.library.status import Status
from muscall.serving.page.listener import Listener
from muscall.serving.page.parts import block, count, line, text_button

_MOST = 1000  # failures listed
_OFTEN, _SELDOM = 1.0, 15.0  # seconds between looks at the progress, and at the library
_STATES = {"idle": "Up to date", "running": "Listening", "paused": "Paused"}


class LibraryView:
    """The page at `/library`."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._indexing = listener.service.indexing
        self._state = ""
        listener.on_ask = lambda _: None
        listener.on_change = partial(ui.navigate.to, "/")
        with block("view view-library"):
            line("Library", "page-title", "h1")
            self._damage = ui.label().classes("damage").props('role="alert"')
            self._damage.set_visibility(False)
            self._facts = block("facts")
            self._invitation = block("card invitation")
            self._invitation.set_visibility(False)
            with self._invitation:
                invite(listener)
            with block("card", "section", aria_label="Indexing") as self._card:
                with block("card-head"):
                    line("Indexing", "heading", "h2")
                    self._badge = ui.label().classes("state")
                    self._buttons = block("card-buttons")
                self._bar = ui.linear_progress(0, show_value=False, size="8px", color="primary")
                self._bar.props('rounded aria-label="Progress of indexing"')
                self._told = ui.label().classes("told").props('aria-live="polite"')
            self._folders = block("card", "section", aria_label="Folders")
            self._failures = block("card", "section", aria_label="Files that cannot be read")
        for card in (self._facts, self._card, self._folders, self._failures):
            card.set_visibility(False)
        ui.timer(_OFTEN, self._show_progress)
        ui.timer(_SELDOM, self._show_library)

    async def _show_library(self) -> None:
        listener = self._listener
        status = await listener.ask(listener.service.status)
        failures = await listener.ask(listener.service.errors)
        if self._facts.is_deleted or status is None:
            return
        there = bool(status.files or status.advice)
        for element in (self._facts, self._folders, self._card):
            element.set_visibility(there)
        self._invitation.set_visibility(not there)
        self._damage.set_text(status.advice or "")
        self._damage.set_visibility(bool(status.advice))
        self._show_facts(status)
        self._show_folders(status)
        self._show_failures(failures or [])

    def _show_facts(self, status: Status) -> None:
        heard = [pipeline for pipeline in status.pipelines if pipeline.tracks]
        tracks = max((pipeline.tracks for pipeline in heard), default=0)
        hours = max((pipeline.hours for pipeline in heard), default=0.0)
        facts = [
            (f"{tracks:,}", "tracks"),
            (f"{hours:,.0f} h" if hours >= 10 else _span(3600 * hours), "of music"),
            (f"{status.files:,}", "files"),
            (f"{status.failed:,}", "cannot be read"),
            (f"{status.bytes / 1e6:,.0f} MB", "on disk"),
        ]
        if status.offline:
            facts.insert(3, (f"{status.offline:,}", "offline"))
        with self._facts.clear():
            for number, what in facts:
                with block("fact"):
                    line(number, "fact-number")
                    line(what, "fact-name")

    def _show_folders(self, status: Status) -> None:
        with self._folders.clear():
            line("Folders", "heading", "h2")
            for root, when in status.roots.items():
                with block("folder"):
                    ui.icon("folder")
                    line(str(root), "path")
                    line(f"last read {when.astimezone():%d %b %Y, %H:%M}", "artist")

    def _show_failures(self, failures: list[tuple[str, str]]) -> None:
        self._failures.set_visibility(bool(failures))
        with self._failures.clear():
            line(f"{count(len(failures), 'file')} cannot be read", "heading", "h2")
            rows = [{"path": str(path), "reason": reason} for path, reason in failures[:_MOST]]
            table = ui.table(
                rows=rows,
                columns=[
                    {"name": name, "label": label, "field": name, "align": "left"}
                    for name, label in (("path", "File"), ("reason", "Why"))
                ],
                row_key="path",
                pagination=10,
            )
            table.props("flat dense wrap-cells").classes("failures")
            if len(failures) > _MOST:
                line(f"and {len(failures) - _MOST:,} more: muscall errors", "artist")

    async def _show_progress(self) -> None:
        indexing = self._indexing
        state, progress = indexing.state, indexing.progress
        if state != self._state:
            self._show_state(state)
            await self._show_library()
        self._bar.set_visibility(progress is not None)
        if progress is None:
            self._told.set_text(indexing.error or indexing.report or "")
            return
        self._bar.set_value(progress.done / max(progress.total, 1))
        told = [f"{progress.done:,} of {count(progress.total, 'file')}"]
        if state == "running":
            told += [f"{progress.speed:.1f} tracks/s", f"{progress.times:,.0f} times real time"]
            told += [f"{_span(progress.left)} left"] if progress.left is not None else []
        self._told.set_text(" · ".join(told))

    def _show_state(self, state: str) -> None:
        self._state = state
        self._badge.set_text(_STATES[state])
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
            await self._show_progress()

        text_button(text, icon, click).classes("primary")


def invite(listener: Listener) -> None:
    """What to do where nothing is indexed: a folder to name, and the command that does the same."""

    async def start() -> None:
        named = (folder.value or "").strip()
        if not named:
            folder.run_method("focus")
            return
        await listener.ask(partial(listener.service.indexing.start, [named]))
        ui.navigate.to("/library")

    ui.icon("library_music").classes("invitation-icon")
    line("Nothing is indexed yet", "empty-title")
    line("Name a folder of music on the machine that serves this page:", "empty-text")
    with block("invitation-row"):
        folder = ui.input(placeholder="/home/ann/Music").props("outlined dense")
        folder.props["aria-label"] = "Folder of music"
        folder.on("keydown.enter", start)
        text_button("Index it", "play_arrow", start).classes("primary")
    with line("or in a terminal: ", "empty-text"):
        line("muscall index ~/Music", "command", "code")


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"
