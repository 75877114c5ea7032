"""The playlist a listener puts together; it stays in the browser from visit to visit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from nicegui import events, ui
from nicegui.element import Element

from muscall.errors import NotFound
from muscall.serving.page.listener import Listener
from muscall.serving.page.parts import (
    block,
    count,
    icon_button,
    line,
    minutes,
    play_cover,
    text_button,
)
from muscall.serving.page.player import Player
from muscall.serving.page.saved import SavedPlaylists
from muscall.serving.shown import Track

LIST = "playlist"
_MOST = 500  # tracks
_PATH = 12  # tracks that lead from the first to the last, the two included
_STORED = "muscall-playlist"


class Tray:
    """The drawer with the playlist."""

    def __init__(self, listener: Listener, player: Player) -> None:
        self.tracks: list[Track] = []
        self._rows: dict[str, Element] = {}
        self.on_count: Callable[[int], None] = lambda _: None
        self._listener, self._player = listener, player
        with ui.right_drawer(value=False, bordered=True).props("width=340") as self.drawer:
            self.drawer.classes("tray")
            self._head()
            self._list = ui.column().classes("tray-list").props('role=list aria-label="Playlist"')
            self._list.make_sortable(handle=".grip", ghost_class="ghost", on_end=self._sorted)
            with block("empty") as self._empty:
                ui.icon("queue_music")
                line("Your playlist is empty", "empty-title")
                line(
                    "Add songs with the plus beside them, put them in order here, and take them to"
                    " any player as M3U8.",
                    "empty-text",
                )
            self.saved = SavedPlaylists(listener, lambda tracks: self.add(*tracks))
        self._show_total()

    def _head(self) -> None:
        with block("tray-head"):
            line("Playlist", "heading", "h2")
            self._total = ui.label().classes("tray-total")
            icon_button("close", "Close the playlist", lambda: self.drawer.set_value(False))
        with block("tray-buttons") as self._buttons:
            play = text_button("Play", "play_arrow").classes("primary")
            play.on("click", js_handler=f"() => muscall.play({LIST!r})")
            text_button("Download", "download", self._download).classes("quiet")
            self._path = text_button("Lead from first to last", "o_timeline", self._lead)
            self._path.classes("quiet")
            self._keep_path = text_button("Save the path", "o_bookmark", self._save_path)
            self._keep_path.classes("quiet")
            text_button("Clear", "delete_sweep", self._clear).classes("quiet")

    def add(self, *tracks: Track) -> None:
        """Append tracks that are not there yet, and say so."""
        new = [track for track in tracks if track.key not in self._rows]
        new = new[: _MOST - len(self.tracks)]
        self._append(new)
        self._listener.tell("Added to the playlist" if new else "It is in the playlist already")
        self._changed()

    async def restore(self) -> None:
        """Take up the playlist that the browser has kept, and those that are saved."""
        await self.saved.show()
        try:
            kept = await ui.run_javascript(f"localStorage.getItem('{_STORED}')", timeout=10)
        except TimeoutError:
            return  # it has gone away
        keys = _keys(kept)
        known = await self._listener.ask(_known, self._listener.service.track, keys) if keys else []
        self._append([track for track in known or [] if track.key not in self._rows])
        self._show_total()

    def _append(self, tracks: Sequence[Track]) -> None:
        self.tracks += tracks
        with self._list:
            self._rows |= {track.key: self._row(track) for track in tracks}

    def _row(self, track: Track) -> Element:
        with block("tray-row", role="listitem", data_key=track.key) as row:
            ui.icon("drag_indicator").classes("grip").props('aria-hidden="true"')
            play_cover(LIST, track)
            with block("about"):
                line(track.title, "title")
                line(" · ".join(filter(None, [track.artist, minutes(track.duration)])), "artist")
            with block("tray-moves"):
                icon_button("expand_less", "Move up", lambda: self._move(track, -1))
                icon_button("expand_more", "Move down", lambda: self._move(track, 1))
            icon_button("close", "Remove", lambda: self._remove(track))
        return row

    async def _lead(self) -> None:
        """Put songs between the first and the last that lead from one to the other."""
        ends = self.tracks[0].key, self.tracks[-1].key
        service = self._listener.service
        answer = await self._listener.ask(service.path, *ends, self._length_of_path(), "")
        if answer is not None:
            self._clear()
            self._append([one.track for one in answer.results])
            self._changed()

    async def _save_path(self) -> None:
        await self.saved.save_path(self.tracks[0], self.tracks[-1], self._length_of_path())

    def _length_of_path(self) -> int:
        return max(_PATH, len(self.tracks))

    def _move(self, track: Track, by: int) -> None:
        place = self.tracks.index(track)
        to = max(0, min(place + by, len(self.tracks) - 1))
        self._rows[track.key].move(target_index=to)
        self._reorder(place, to)

    def _sorted(self, event: events.SortableEventArguments) -> None:
        self._reorder(event.old_index, event.new_index)

    def _reorder(self, place: int, to: int) -> None:
        self.tracks.insert(to, self.tracks.pop(place))
        self._changed()

    def _remove(self, track: Track) -> None:
        self.tracks.remove(track)
        self._rows.pop(track.key).delete()
        self._changed()

    def _clear(self) -> None:
        self.tracks, self._rows = [], {}
        self._list.clear()
        self._changed()

    def _changed(self) -> None:
        keys = json.dumps([track.key for track in self.tracks])
        script = f"localStorage.setItem('{_STORED}', {json.dumps(keys)})"
        self._listener.client.run_javascript(script)
        self._show_total()

    def _show_total(self) -> None:
        some = bool(self.tracks)
        self._empty.set_visibility(not some)
        self._buttons.set_visibility(some)
        for button in (self._path, self._keep_path):
            button.set_visibility(len(self.tracks) > 1)
        length = minutes(sum(track.duration for track in self.tracks))
        self._total.set_text(f"{count(len(self.tracks), 'song')}, {length}" if some else "")
        self._player.offer(LIST, self.tracks)
        self.on_count(len(self.tracks))

    async def _download(self) -> None:
        keys = [track.key for track in self.tracks]
        text = await self._listener.ask(self._listener.service.playlist, keys)
        if text is not None:
            ui.download.content(text, "muscall.m3u8", "audio/x-mpegurl")


def _keys(kept: object) -> list[str]:
    """What a browser says that it has kept needs checking like any other input."""
    try:
        keys = json.loads(kept) if isinstance(kept, str) else []
    except ValueError:
        return []
    return [key for key in keys if isinstance(key, str)][:_MOST] if isinstance(keys, list) else []


def _known(track: Callable[[str], Track], keys: Sequence[str]) -> list[Track]:
    """The tracks of `keys` that are still in the library."""
    found = []
    for key in keys:
        try:
            found.append(track(key))
        except NotFound:
            continue
    return found
