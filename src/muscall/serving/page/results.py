"""What was found: a row for each track, whose waveform and tags follow when they are known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nicegui import background_tasks, ui
from nicegui.element import Element

from muscall.serving.page.listener import PAGE, Listener
from muscall.serving.page.parts import (
    block,
    count,
    icon_button,
    line,
    minutes,
    play_cover,
    text_button,
)
from muscall.serving.page.tray import Tray
from muscall.serving.page.waveform import WaveformView
from muscall.serving.shown import Found, Track

LIST = "results"
_TAGS = 4
_MOST = 120  # rows
_STRONG = 0.5  # standard deviations from which a tag is worth showing


class Results:
    """The list under a search; `on_tag` is called with a tag that was clicked."""

    def __init__(self, listener: Listener, tray: Tray, on_tag: Callable[[str], object]) -> None:
        self._listener, self._tray, self._on_tag = listener, tray, on_tag
        self._box = block("results", role="list", aria_label="Results")
        self._more = block("show-more")
        self._filling: asyncio.Task[None] | None = None

    def show(self, found: list[Found]) -> None:
        """Replace what is shown."""
        if self._filling is not None:
            self._filling.cancel()
        with self._box.clear():
            rows = [self._row(one) for one in found]
        with self._more.clear():
            if len(found) == self._listener.count < _MOST:
                text_button("Show more", "expand_more", self._show_more).classes("quiet")
        self._filling = background_tasks.create(self._fill(rows), context=self._box)

    async def _show_more(self) -> None:
        await self._listener.search(self._listener.count + PAGE)

    def _row(self, found: Found) -> tuple[Found, WaveformView, Element]:
        track = found.track
        told = f"{track.title}{' by ' + track.artist if track.artist else ''}"
        row = block("track", role="listitem", tabindex=0, data_key=track.key, aria_label=told)
        with row:
            play_cover(LIST, track)
            with block("about"):
                line(track.title, "title").props["title"] = track.path
                _meta(track)
            waveform = WaveformView(LIST, track, found.passage)
            _relevance(found, self._listener)
            with block("tags") as tags:
                if found.keyword_match:
                    line("Name matches", "tag tag-named", "span")
            with block("actions"):
                self._actions(track)
            if found.versions:
                self._versions(found)
        return found, waveform, tags

    def _actions(self, track: Track) -> None:
        listener, tray = self._listener, self._tray

        async def more() -> None:
            await listener.taste(track.key, track.title, liked=True)

        async def less() -> None:
            await listener.taste(track.key, track.title, liked=False)

        icon_button("playlist_add", "Add to the playlist (a)", lambda: tray.add(track)).classes(
            "act-add"
        )
        icon_button("o_thumb_up", "More like this (+)", more).classes("act-more")
        icon_button("o_thumb_down", "Less like this (-)", less).classes("act-less")

    def _versions(self, found: Found) -> None:
        with ui.expansion(
            f"{count(len(found.versions), 'other version')}, the same to the ear"
        ) as box:
            box.classes("versions").props("dense")
            for version in found.versions:
                with block("version", data_key=version.key):
                    play_cover("versions", version)
                    with block("about"):
                        line(version.title, "title")
                        _meta(version)
                    icon_button("playlist_add", "Add to the playlist", _adding(self._tray, version))

    async def _fill(self, rows: list[tuple[Found, WaveformView, Element]]) -> None:
        """Bring waveforms and then tags in, the best tracks first."""
        listener, query = self._listener, self._listener.query
        for found, waveform, _ in rows:
            key = found.track.key
            drawn = await listener.ask_patiently(listener.service.waveform, key, query)
            if waveform.is_deleted:
                return  # the listener has gone to another view, or away
            if drawn is not None:
                waveform.show(drawn)
        for found, _, tags in rows:
            key = found.track.key
            labels = await listener.ask_patiently(listener.service.labels, key, 1)
            if tags.is_deleted:
                return
            with tags:
                for label in sorted(labels or [], key=lambda label: -label.strength)[:_TAGS]:
                    if label.strength >= _STRONG:
                        self._tag(label.text)

    def _tag(self, text: str) -> None:
        with block("tag", "button", type="button", title=f"Also {text}") as tag:
            ui.label(text)
        tag.on("click.stop", lambda: self._on_tag(text))


def _adding(tray: Tray, track: Track) -> Callable[[], None]:
    return lambda: tray.add(track)


def _meta(track: Track) -> None:
    known = [track.artist, track.album, track.genre, str(track.year or "")]
    known += [f"{track.bpm:.0f} bpm" if track.bpm else "", track.musical_key or ""]
    known += [minutes(track.duration)]
    line(" · ".join(filter(None, known)), "artist")


def _relevance(found: Found, listener: Listener) -> None:
    with block("relevance"):
        if not (listener.query.like or any(part.kind == "sound" for part in listener.understood)):
            return  # by conditions alone no track is nearer than another
        share = 100 * found.relative_score
        told = f"Fits {share:.0f} % as well as the best" if share else "No strong match"
        with block("gauge", title=told, aria_label=told, role="img"):
            block("gauge-fill").style(f"width:{max(share, 2):.0f}%")
