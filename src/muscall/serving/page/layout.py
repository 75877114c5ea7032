"""The page as a whole: its frame, its theme and its views."""

from __future__ import annotations

import asyncio
import warnings
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI, Request, Response
from nicegui import app as pages
from nicegui import background_tasks, ui

from muscall.errors import MuscallError
from muscall.serving.page.covers import drawn
from muscall.serving.page.library import LibraryView
from muscall.serving.page.listener import Listener
from muscall.serving.page.map import MapView
from muscall.serving.page.parts import block, icon_button, line
from muscall.serving.page.player import Player
from muscall.serving.page.search import SearchView
from muscall.serving.page.shell import mount_shell
from muscall.serving.page.tray import Tray
from muscall.serving.security import prefix
from muscall.serving.service import Service

_HERE = Path(__file__).parent
_PATIENT = 2  # waveforms and tags that are made at once for all listeners
_THEMES = {"system": None, "light": False, "dark": True}
_THEME_ICONS = {"system": "o_brightness_auto", "light": "o_light_mode", "dark": "o_dark_mode"}
_SCRIPTS = ("keys.js", "suggest.js", "reconnect.js", "install.js", "colours.js", "waveform.js")
_KEYS = {
    "/": "Search",
    "Space": "Play and pause",
    "← →": "Five seconds back, and on",
    "↓ ↑": "From song to song",
    "Enter": "Play the song",
    "a": "Add it to the playlist",
    "+ -": "More, or less, like it",
    "n p": "Next, previous",
    "r": "Play on with songs near it",
    "m": "Mute",
    "l": "Show the playlist",
    "?": "These keys",
}


def mount(app: FastAPI, service: Service) -> None:
    """Put the page at the root of `app`, under whatever else `app` serves.

    It needs `/v1/tracks/{key}/audio`, `/v1/map` and `/v1/uploads` of the API. NiceGUI has one
    application in a process, so a second `mount` takes the page over from the first.
    """
    patience = asyncio.Semaphore(_PATIENT)

    @app.get("/page/cover/{key}", include_in_schema=False)
    def cover(key: str) -> Response:
        """The cover of a track, or what stands for one."""
        try:
            found = service.cover(key)
        except MuscallError:
            found = None
        data, media_type = found or (drawn(key), "image/svg+xml")
        headers = {"Cache-Control": "private, max-age=86400"}
        return Response(data, media_type=media_type, headers=headers)

    @ui.page("/")
    @ui.page("/map")
    @ui.page("/library")
    def page(request: Request) -> None:
        _build(service, patience, request)

    mount_shell(app)
    ui.add_css(_HERE / "page.css", shared=True)
    for script in _SCRIPTS:
        ui.add_body_html(f"<script>{(_HERE / script).read_text('utf-8')}</script>", shared=True)
    pages.config.quasar_config["loadingBar"]["skipHijack"] = True  # the page has its own signs
    # When it starts, NiceGUI looks at every object there is, torch's deprecated ones among them.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"nicegui\.ui_run_with")
    ui.run_with(
        app,
        title="muscall",
        favicon=(_HERE / "logo.svg").read_text("utf-8"),
        viewport="width=device-width, initial-scale=1, viewport-fit=cover",
        dark=None,
        language="en-US",
        binding_refresh_interval=None,
        reconnect_timeout=30,
        tailwind=False,
        show_welcome_message=False,
    )


def _build(service: Service, patience: asyncio.Semaphore, request: Request) -> None:
    ui.colors(primary="#cf3d22", dark="#191715", dark_page="#121110", negative="#c2281c")
    listener = Listener(service, patience, request.url.query)
    start = prefix(request.headers)
    ui.add_head_html(
        f'<link rel="manifest" href="{start}/page/manifest.webmanifest"'
        ' crossorigin="use-credentials">'
        f'<link rel="apple-touch-icon" href="{start}/page/icon.svg">'
        '<meta name="theme-color" content="#f7f5f2" media="(prefers-color-scheme: light)">'
        '<meta name="theme-color" content="#121110" media="(prefers-color-scheme: dark)">'
    )
    theme = request.cookies.get("muscall-theme", "system")
    theme = theme if theme in _THEMES else "system"

    async def keep(key: str) -> None:
        track = await listener.ask(service.track, key)
        if track is not None:
            tray.add(track)

    header = ui.header().classes("head")
    footer = ui.footer().classes("foot")
    with footer:
        player = Player(
            {
                "more": lambda key, title: listener.taste(key, title, liked=True),
                "keep": lambda key, _: keep(key),
                "queued": lambda _, title: listener.tell(f"Playing on from {title}"),
                "unqueued": lambda _, title: listener.tell(f"No songs near {title}", "negative"),
                "radio": lambda key, title: tray.saved.save_walk(key, title),
                "failed": lambda _, title: listener.tell(f"{title}: cannot be played", "negative"),
            }
        )
    listener.name_page = player.name_page
    tray = Tray(listener, player)
    with header:
        _header(listener, tray, theme)
    with block("main", "main") as main:
        ui.sub_pages(
            {
                "/": partial(SearchView, listener, player, tray),
                "/map": partial(MapView, listener, tray),
                "/library": partial(LibraryView, listener),
            }
        )
    ui.skip_link("Skip to the music", target=main)
    listener.client.on_connect(tray.restore)


def _header(listener: Listener, tray: Tray, theme: str) -> None:
    with ui.link(target="/").classes("brand") as brand:
        brand.props["aria-label"] = "muscall, to the search"
        ui.html((_HERE / "logo.svg").read_text("utf-8"), sanitize=False)
        line("muscall", "brand-name", "span")
    _navigation(listener)
    ui.space()
    icon_button("o_keyboard", "Keys (?)", _keys().open).classes("help-button")
    _theme_button(theme)
    with icon_button("queue_music", "Playlist (l)", tray.drawer.toggle).classes("tray-button"):
        badge = ui.badge().props("floating")

    def show_count(number: int) -> None:
        badge.set_text(str(number))
        badge.set_visibility(number > 0)

    tray.on_count = show_count
    show_count(0)


def _navigation(listener: Listener) -> None:
    links: dict[str, ui.link] = {}
    with block("nav", "nav", aria_label="Views"):
        for name, path, icon in (
            ("Search", "/", "search"),
            ("Map", "/map", "bubble_chart"),
            ("Library", "/library", "library_music"),
        ):
            with ui.link(target=path).classes(f"nav-link nav-{name.lower()}") as links[path]:
                links[path].props["aria-label"] = name
                ui.icon(icon)
                line(name, "nav-name", "span")
    router = listener.client.sub_pages_router
    here = ""

    def moved(address: str) -> None:
        nonlocal here
        parts = urlsplit(address)
        for path, link in links.items():
            link.props["aria-current"] = "page" if path == parts.path else None
        # Another view shows the same search; the same view at another address shows that one.
        if parse_qs(parts.query) != parse_qs(listener.asked) and (
            parts.query or parts.path == here != "/library"
        ):
            background_tasks.create(listener.open(parts.query), context=listener.client)
        here = parts.path

    moved(router.current_path)
    router.on_path_changed(moved)


def _theme_button(theme: str) -> None:
    dark = ui.dark_mode(_THEMES[theme])
    names = list(_THEMES)

    def turn() -> None:
        nonlocal theme
        theme = names[(names.index(theme) + 1) % len(names)]
        dark.set_value(_THEMES[theme])
        show()
        # A cookie, so that the next page is built in its colours.
        ui.run_javascript(
            f"document.cookie = 'muscall-theme={theme}; path=/; max-age=31536000; samesite=lax'"
        )

    def show() -> None:
        button.props["icon"] = _THEME_ICONS[theme]
        button.props["title"] = button.props["aria-label"] = f"Colours: {theme}"

    button = icon_button("contrast", "Colours", turn).classes("theme-button")
    show()


def _keys() -> ui.dialog:
    with ui.dialog().props("aria-label=Keys") as dialog, ui.card().classes("keys"):
        line("Keys", "heading", "h2")
        with block("keys-list", "dl"):
            for keys, what in _KEYS.items():
                with block("keys-row"):
                    with block("keys-names", "dt"):
                        for key in keys.split():
                            line(key, "key", "kbd")
                    line(what, "keys-what", "dd")
    return dialog
