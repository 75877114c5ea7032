"""The panel of filters: friendly fields that become a filter of the library."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement

from muscall.serving.page.conditions import LENGTHS
from muscall.serving.page.listener import Listener
from muscall.serving.page.parts import block, text_button

_MOST = {None: "Any number", 1: "One each", 2: "Two each", 3: "Three each"}


class FilterPanel:
    """Hidden at first; `on_apply` searches with what is set."""

    def __init__(self, listener: Listener, on_apply: Callable[[], Awaitable[None]]) -> None:
        self._listener, self._on_apply = listener, on_apply
        self._fields: list[tuple[ValueElement[Any], object, str]] = []
        self._box = block("filters", role="group", aria_label="Filters")
        self._box.set_visibility(False)
        with self._box:
            with block("filter-range"):
                self._number("Year from", "year_from", "1990")
                self._number("Year to", "year_to", "1999")
            with block("filter-range"):
                self._number("Tempo from", "bpm_from", "90")
                self._number("Tempo to", "bpm_to", "120", "bpm")
            self._text("Genre", "genre", "jazz")
            self._text("Artist", "artist")
            length = ui.select(LENGTHS, label="Length", value=listener.conditions.length)
            self._add(length, listener.conditions, "length")
            most = ui.select(_MOST, label="Songs of an artist", value=listener.max_per_artist)
            self._add(most, listener, "max_per_artist")
            with block("filter-buttons"):
                text_button("Apply", "check", self._apply).classes("primary")
                text_button("Reset", "restart_alt", self._reset).classes("quiet")

    def show(self) -> None:
        """Show what is set, as an address may have done."""
        for field, target, name in self._fields:
            field.set_value(getattr(target, name))

    def toggle(self) -> bool:
        """Show or hide it; whether it is shown now."""
        shown = not self._box.visible
        self._box.set_visibility(shown)
        return shown

    def _number(self, label: str, name: str, example: str, unit: str | None = None) -> None:
        value = getattr(self._listener.conditions, name)
        field = ui.number(label, value=value, placeholder=example, suffix=unit)
        self._add(
            field.props("stack-label").on("keydown.enter", self._apply),
            self._listener.conditions,
            name,
        )

    def _text(self, label: str, name: str, example: str = "") -> None:
        value = getattr(self._listener.conditions, name)
        field = ui.input(label, value=value, placeholder=example)
        self._add(
            field.props("stack-label").on("keydown.enter", self._apply),
            self._listener.conditions,
            name,
        )

    def _add(self, field: ValueElement[Any], target: object, name: str) -> None:
        field.props("outlined dense options-dense").bind_value_to(target, name)
        self._fields.append((field, target, name))

    async def _apply(self) -> None:
        self._listener.conditions.put_in_order()
        self.show()
        await self._on_apply()

    async def _reset(self) -> None:
        for field, _, _ in self._fields:
            field.set_value("" if isinstance(field.value, str) else None)
        await self._on_apply()
