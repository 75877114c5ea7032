"""Small parts that several views are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from muscall.clock import clock
from muscall.serving.page.player import playing
from muscall.serving.security import prefix
from muscall.serving.shown import Track

Handler = Callable[..., Any]


def block(name: str, tag: str = "div", **attributes: object) -> Element:
    """An element with classes of the style sheet; `aria_label` becomes `aria-label`."""
    element = ui.element(tag).classes(name)
    for attribute, value in attributes.items():
        element.props[attribute.replace("_", "-")] = value
    return element


def line(text: str, name: str, tag: str = "div") -> TextElement:
    """A text with classes of the style sheet."""
    return TextElement(tag=tag, text=text).classes(name)


def icon_button(icon: str, label: str, on_click: Handler | None = None) -> ui.button:
    """A round button that says what it does to the eye, the pointer and a screen reader."""
    button = ui.button(icon=icon, on_click=on_click, color=None).props("flat round dense")
    button.props["aria-label"] = button.props["title"] = label
    return button


def text_button(text: str, icon: str, on_click: Handler | None = None) -> ui.button:
    """A button with its icon and words; the style sheet gives it its weight by classes."""
    return ui.button(text, icon=icon, on_click=on_click, color=None).props("unelevated no-caps")


@contextmanager
def asking(title: str) -> Iterator[ui.dialog]:
    """A dialog that is filled in the block, and then waits for `answer_of`."""
    with ui.dialog() as dialog, ui.card().classes("dialog"):
        dialog.props["aria-label"] = title
        line(title, "heading", "h2")
        yield dialog


async def answer_of(dialog: ui.dialog) -> Any:
    """What a dialog is submitted with, None where it was closed."""
    answer = await dialog
    if not dialog.is_deleted:
        dialog.delete()
    return answer


def play_cover(play_list: str, track: Track) -> None:
    """A track's cover as the button that plays it."""
    with block("cover-button", "button", type="button", aria_label=f"Play {track.title}") as button:
        block("cover", "img", src=cover_of(track.key), alt="", loading="lazy")
        with block("cover-over"):
            ui.icon("play_arrow").classes("when-idle")
            ui.icon("pause").classes("when-playing")
    button.on("click.stop", js_handler=playing(play_list, track.key))


def cover_of(key: str) -> str:
    """The address of a track's cover, below the sub-path that a proxy serves this under."""
    request = ui.context.client.request
    return f"{prefix(request.headers)}/page/cover/{quote(key)}"


def minutes(seconds: float) -> str:
    """A length as people say it: "3:07", "1 h 12 min"."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600:,} h {whole % 3600 // 60} min"
    return clock(whole)


def count(number: int, what: str) -> str:
    """ "1 track", "1,200 tracks"."""
    return f"{number:,} {what}" + "s" * (number != 1)
