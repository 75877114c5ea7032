"""The search view: a sentence, songs that it should be like or unlike, filters, and what was found.

The map has the same box over it, so `SearchBox` is a part of its own.
"""

from __future__ import annotations

import asyncio
from functools import partial

from nicegui import background_tasks, ui
from nicegui.events import ValueChangeEventArguments

from muscall.library.search.query import Part
from muscall.library.search.reading import without_part
from muscall.serving.page.drop import Drop
from muscall.serving.page.folders import Beginning
from muscall.serving.page.listener import Listener, Taste
from muscall.serving.page.panel import FilterPanel
from muscall.serving.page.parts import block, icon_button, line, text_button
from muscall.serving.page.player import Player
from muscall.serving.page.results import LIST, ResultList
from muscall.serving.page.tray import Tray

EXAMPLES = (
    "calm acoustic guitar",
    "dreamy synths, no drums",
    "happy music for a road trip",
    "sad piano at night",
    "fast and energetic electronic music",
    "something warm with strings",
)
_LONGEST = 500  # characters of a sentence
_PAUSE = 0.2  # seconds without a key, after which the search begins


class SearchBox:
    """The box, its chips and filters; it searches for what they say, also while one types."""

    def __init__(self, listener: Listener, path: str) -> None:
        self._listener, self._said = listener, listener.text
        self._turn = 0
        # What typing made an address of; what is typed next takes its place.
        self._typed: tuple[str, list[Taste]] | None = None
        listener.path = path
        self._shown: tuple[list[Taste], tuple[Part, ...]] | None = None  # whose chips there are
        self._drop = Drop(self._heard, lambda reason: listener.tell(reason, "negative"))
        with block("search", "search"):
            with block("search-row"):
                self._input = ui.input(placeholder="Describe the music you are looking for")
                self._input.props("borderless clearable clear-icon=close inputmode=search")
                self._input.props["aria-label"] = "Describe the music you are looking for"
                self._input.props["maxlength"] = _LONGEST
                self._input.props["autocomplete"] = "off"
                self._input.set_value(listener.text)
                self._input.props["autofocus"] = path == "/" and not listener.asked
                self._input.classes("search-input").on("keydown.enter", self._submit)
                self._input.on_value_change(self._changed)
                with self._input.add_slot("prepend"):
                    ui.icon("search")
                song = icon_button("o_audio_file", "Search with a song of yours")
                song.on("click", js_handler=self._drop.choose())
                self._tune = icon_button("tune", "Filters", self._toggle_filters)
                self._tune.props["aria-expanded"] = "false"
                with self._tune:
                    self._badge = ui.badge().props("floating")
                go = ui.button("Search", on_click=self._submit, color=None)
                go.props("unelevated no-caps").classes("primary search-go")
            ui.element("datalist").props("id=suggestions")
            self._progress = block("search-progress", role="status", aria_label="Searching")
            self._progress.set_visibility(False)
            self._panel = FilterPanel(listener, self._submit)
            self._chips = block("chips")
        # Which the browser shows when it has come here from another view.
        listener.client.sub_pages_router.current_path = listener.address
        listener.on_ask = self._show
        self._show(False)
        if listener.asks and listener.found is None:
            background_tasks.create(listener.search(), context=self._chips)

    async def search(self, text: str) -> None:
        """Search for a sentence, as if it was typed."""
        await self._listener.change(text=text[:_LONGEST])

    def _show(self, searching: bool) -> None:
        listener = self._listener
        self._progress.set_visibility(searching)
        if self._said != listener.text:  # otherwise what is typed meanwhile stays
            self._said = listener.text
            self._input.set_value(listener.text)
        self._panel.show()
        filters = listener.conditions.count() + (listener.max_per_artist is not None)
        self._badge.set_text(str(filters))
        self._badge.set_visibility(filters > 0)
        parts = tuple(part for part in listener.understood if part.kind != "sound")
        if self._shown == (listener.tastes, parts):
            return  # a chip made anew would lose the click that is on its way to it
        self._shown = listener.tastes, parts
        with self._chips.clear():
            for taste in listener.tastes:
                with block("chip" if taste.liked else "chip chip-less"):
                    ui.icon("thumb_up" if taste.liked else "thumb_down")
                    ui.label(f"{'Like' if taste.liked else 'Less like'} {taste.name}")
                    icon_button("close", f"Without {taste.name}", partial(listener.forget, taste))
            for part in parts:
                with block("chip"):
                    ui.label(str(part))
                    if part.kind not in ("read as", "unknown"):
                        icon_button("close", f"Without {part}", partial(self._leave_out, part))
        self._chips.set_visibility(bool(listener.tastes or parts))

    async def _submit(self) -> None:
        self._turn += 1  # it waits for no pause
        await self._search_typed(self._input.value or "")
        self._typed = None

    async def _search_typed(self, text: str) -> None:
        listener = self._listener
        self._said = text  # it stands in the box, and perhaps more by now
        replace = self._typed == (listener.text, listener.tastes)
        self._typed = text[:_LONGEST], listener.tastes
        # Whatever else was asked for meanwhile keeps its address.
        await listener.change(text=text[:_LONGEST], replace=replace)

    async def add(self, words: str) -> None:
        """Ask for something beside what is asked for."""
        text = self._listener.text.strip()
        if words.lower() not in text.lower():
            await self.search(f"{text}, {words}" if text else words)

    async def _changed(self, event: ValueChangeEventArguments[str | None]) -> None:
        self._turn += 1
        turn = self._turn
        if event.value is None:  # by the cross; what is typed is never None
            await self.search("")
            return
        await asyncio.sleep(_PAUSE)
        there = turn == self._turn and not self._input.is_deleted
        if there and event.value.strip() != self._listener.text.strip():
            await self._search_typed(event.value)

    async def _leave_out(self, part: Part) -> None:
        listener = self._listener
        read_as = (each.value for each in listener.understood if each.kind == "read as")
        await self.search(without_part(next(read_as, listener.text), part))

    async def _heard(self, key: str, name: str) -> None:
        await self._listener.taste(key, name, liked=True)

    def _toggle_filters(self) -> None:
        self._tune.props["aria-expanded"] = str(self._panel.toggle()).lower()


class SearchView:
    """The page at `/`."""

    def __init__(self, listener: Listener, player: Player, tray: Tray) -> None:
        self._listener, self._player, self._tray = listener, player, tray
        with block("view") as view:
            view.props["data-state"] = "home"
            self._hero()
            self._box = SearchBox(listener, "/")
            self._examples()
            self._head = block("results-head", aria_live="polite")
            self._results = ResultList(listener, tray, self._box.add)
            self._empty = block("empty")
            Beginning(listener, lambda _: None)
        self._view = view
        listener.on_change = self.show
        self.show()

    def show(self) -> None:
        """Show what was found."""
        listener = self._listener
        found = listener.found
        listener.name_page(listener.about)
        state = "found" if listener.asks or listener.tastes else "home"
        self._view.props["data-state"] = state
        self._empty.set_visibility(found == [])
        self._head.set_visibility(bool(found))
        self._results.show(found or [])
        self._player.offer(LIST, found or [])
        versions = [version for one in found or [] for version in one.versions]
        self._player.offer("versions", versions)
        if found:
            self._show_head(len(found))
        elif found == []:
            self._show_nothing()

    def _hero(self) -> None:
        with block("hero"):
            line("Find music with a sentence", "hero-title", "h1")
            line(
                "Say how it sounds, name an artist, or drop a song anywhere on this page.",
                "hero-text",
            )

    def _examples(self) -> None:
        with block("examples", role="group", aria_label="Examples"):
            for example in EXAMPLES:
                with block("example", "button", type="button") as button:
                    ui.label(example)
                button.on("click", partial(self._box.search, example))

    def _show_head(self, number: int) -> None:
        listener, tray = self._listener, self._tray
        tracks = [one.track for one in listener.found or []]
        with self._head.clear():
            line(f"The {number} best" if number > 1 else "One song", "heading", "h2")
            play = text_button("Play all", "play_arrow").classes("quiet")
            play.on("click", js_handler=f"() => muscall.play({LIST!r})")
            text_button("Keep all", "playlist_add", lambda: tray.add(*tracks)).classes("quiet")
            if not any(taste.key.startswith("upload-") for taste in listener.tastes):
                text_button("Save", "o_bookmark", tray.saved.save_search).classes("quiet")

    def _show_nothing(self) -> None:
        listener = self._listener
        with self._empty.clear():
            ui.icon("search_off")
            line("Nothing found", "empty-title")
            filtered = listener.conditions.count() or any(
                part.where for part in listener.understood
            )
            line(
                "No song passes all filters: take one away."
                if filtered
                else "Try other words, or fewer of them.",
                "empty-text",
            )
