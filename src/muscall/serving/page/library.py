"""The library view: what is indexed, how far indexing is, and what could not be read."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from muscall.library.status import Status
from muscall.serving.page.folders import FolderList, invite
from muscall.serving.page.indexing import IndexingCard, span
from muscall.serving.page.listener import Listener
from muscall.serving.page.parts import block, count, line

_MOST = 1000  # failures listed
_SELDOM = 5.0  # seconds between looks at the library


class LibraryView:
    """The page at `/library`."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._looked: object = None
        listener.path = ""
        listener.on_ask = lambda _: None
        listener.on_change = partial(ui.navigate.to, "/")
        listener.name_page("Library")
        with block("view view-library"):
            line("Library", "page-title", "h1")
            self._damage = ui.label().classes("damage").props('role="alert"')
            self._damage.set_visibility(False)
            self._facts = block("facts")
            self._invitation = block("card invitation")
            self._invitation.set_visibility(False)
            self._card = IndexingCard(listener, self._show_library)
            with self._invitation:
                invite(listener, self._card.look)
            self._folders = FolderList(listener, self._show_library)
            self._failures = block("card", "section", aria_label="Files that cannot be read")
        for card in (self._facts, self._folders.card, self._failures):
            card.set_visibility(False)
        ui.timer(_SELDOM, self._show_library, immediate=False)

    async def _show_library(self) -> None:
        listener = self._listener
        status = await listener.ask(listener.service.status)
        failures = await listener.ask(listener.service.errors)
        if self._facts.is_deleted or status is None:
            return
        there = bool(status.files or status.advice or status.roots)
        self._facts.set_visibility(there)
        self._folders.card.set_visibility(there)
        self._card.show(there)
        self._invitation.set_visibility(not there and listener.service.indexing.state == "idle")
        self._damage.set_text(status.advice or "")
        self._damage.set_visibility(bool(status.advice))
        self._folders.show(status)
        if (status, failures) == self._looked:
            return  # a table made anew would be at its first page again
        self._looked = status, failures
        self._show_facts(status)
        self._show_failures(failures or [])

    def _show_facts(self, status: Status) -> None:
        versions = [version for version in status.embedding_versions if version.tracks]
        tracks = max((version.tracks for version in versions), default=0)
        hours = max((version.hours for version in versions), default=0.0)
        facts = [
            (f"{tracks:,}", "tracks"),
            (f"{hours:,.0f} h" if hours >= 10 else span(3600 * hours), "of music"),
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
