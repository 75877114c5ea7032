"""Folders of music: one is named or looked for, and the library's are listed and taken out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from nicegui import ui

from muscall.errors import MuscallError, one_line
from muscall.library.status import Status
from muscall.serving.page.indexing import IndexingCard
from muscall.serving.page.listener import Listener
from muscall.serving.page.parts import (
    answer_of,
    asking,
    block,
    count,
    icon_button,
    line,
    text_button,
)

_MOST = 500  # folders listed in one


class FolderField:
    """A field that takes the name of a folder, and a button that indexes it."""

    def __init__(self, listener: Listener, on_added: Callable[[], Awaitable[None]]) -> None:
        self._listener, self._on_added = listener, on_added
        self._folders = listener.service.folders
        with block("folder-field"):
            self._input = ui.input(placeholder="~/Music").props("outlined dense no-error-icon")
            self._input.props["aria-label"] = "Folder of music"
            self._input.on("keydown.enter", self._add)
            with self._input.add_slot("append"):
                icon_button("o_folder_open", "Look for a folder", self._choose)
            text_button("Index it", "play_arrow", self._add).classes("primary")

    async def _add(self) -> None:
        name = self._input.value or ""
        try:
            folder = await asyncio.to_thread(self._folders.find, name)
        except MuscallError as error:
            self._input.error = str(error)
            self._input.run_method("focus")
            return
        self._input.error = None
        self._input.set_value("")
        await self._listener.ask(self._listener.service.indexing.start, [folder])
        await self._on_added()

    async def _choose(self) -> None:
        try:
            start = await asyncio.to_thread(self._folders.find, self._input.value or "")
        except MuscallError:
            start = await asyncio.to_thread(self._folders.start)
        with asking("Choose a folder") as dialog:
            path = ui.label().classes("path").props('aria-live="polite"')
            there = block("chooser-list")
            with block("dialog-buttons"):
                text_button("Cancel", "close", dialog.close).classes("quiet")
                text_button("Take this one", "check", lambda: dialog.submit(path.text)).classes(
                    "primary"
                )

        async def show(folder: Path) -> None:
            around = self._folders.above(folder)
            inside = await asyncio.to_thread(self._folders.inside, folder)
            path.set_text(str(folder))
            with there.clear():
                if around is not None:
                    entry("arrow_upward", "The folder above", around)
                for one in inside[:_MOST]:
                    entry("o_folder", one_line(one.name), one)
                if not inside:
                    line("No folders in it", "artist")

        def entry(icon: str, name: str, folder: Path) -> None:
            with block("chooser-entry", "button", type="button") as button:
                ui.icon(icon)
                ui.label(name)
            button.on("click", partial(show, folder))

        await show(start)
        chosen = await answer_of(dialog)
        if chosen:
            self._input.error = None
            self._input.set_value(chosen)
            self._input.run_method("focus")


class FolderList:
    """The folders of the library: how much each holds, and a way out for it."""

    def __init__(self, listener: Listener, on_change: Callable[[], Awaitable[None]]) -> None:
        self._listener, self._on_change = listener, on_change
        self._shown: object = None
        with block("card", "section", aria_label="Folders") as self.card:
            line("Folders", "heading", "h2")
            self._list = block("folder-list", role="list", aria_label="Folders of the library")
            FolderField(listener, on_change)

    def show(self, status: Status) -> None:
        """Show what is in `status`, and what waits to be read."""
        waiting = self._listener.service.indexing.waiting
        running = self._listener.service.indexing.state == "running"
        told = {
            root: f"{count(status.counts.get(root, 0), 'file')} · "
            + ("being read" if running else f"last read {when.astimezone():%d %b %Y, %H:%M}")
            for root, when in status.roots.items()
        }
        told |= dict.fromkeys(waiting, "comes next")
        if told == self._shown:
            return  # a button made anew would lose the click that is on its way to it
        self._shown = told
        with self._list.clear():
            for folder, what in told.items():
                with block("folder", role="listitem"):
                    ui.icon("folder")
                    line(one_line(folder), "path")
                    line(what, "artist")
                    if folder in status.roots:
                        name = f"Take {one_line(folder)} out"
                        icon_button("close", name, partial(self._take_out, folder))

    async def _take_out(self, folder: Path) -> None:
        with asking("Take this folder out?") as dialog:
            line(one_line(folder), "path")
            line(
                "Nothing on the disk is touched. Its songs can stay in the library, without what "
                "changes there from now on, or be forgotten.",
                "dialog-text",
            )
            with block("dialog-buttons"):
                text_button("Cancel", "close", dialog.close).classes("quiet")
                keep = text_button("Keep its songs", "o_bookmark", lambda: dialog.submit("keep"))
                keep.classes("quiet")
                forget = text_button("Forget its songs", "o_delete", lambda: dialog.submit("go"))
                forget.classes("primary")
        answer = await answer_of(dialog)
        if answer:
            remove = partial(
                self._listener.service.indexing.remove, folder, keep_tracks=answer == "keep"
            )
            gone = await self._listener.ask(remove)
            if gone is not None:
                files, tracks = gone
                self._listener.tell(
                    f"Forgotten: {count(tracks, 'song')} in {count(files, 'file')}"
                    if answer == "go"
                    else "Its songs stay; the folder is looked through no more"
                )
            await self._on_change()


def invite(listener: Listener, on_added: Callable[[], Awaitable[None]]) -> None:
    """What to do where nothing is indexed: a folder to name, and the command that does the same."""
    ui.icon("library_music").classes("invitation-icon")
    line("Nothing is indexed yet", "empty-title")
    line("Name a folder of music on the machine that serves this page:", "empty-text")
    FolderField(listener, on_added)
    with line("or in a terminal: ", "empty-text"):
        line("muscall serve ~/Music", "command", "code")


class Beginning:
    """What every view shows of a library that is being made: an invitation, then its progress."""

    def __init__(self, listener: Listener, on_change: Callable[[bool], None]) -> None:
        self._listener, self._on_change = listener, on_change
        with block("card invitation") as self._invitation:
            pass
        self._invitation.set_visibility(False)
        self._card = IndexingCard(listener, self._look)

    async def _look(self) -> None:
        service = self._listener.service
        status = await self._listener.ask(service.status)
        if status is None or self._invitation.is_deleted:
            return
        empty = not status.files and not status.advice
        invited = empty and service.indexing.state == "idle"
        if invited and not self._invitation.visible:
            with self._invitation.clear():
                invite(self._listener, self._card.look)
        self._invitation.set_visibility(invited)
        self._on_change(empty)
