"""What a browser keeps of the page: its frame as an app, and pages where there is no other."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from nicegui import app as pages

from muscall import __version__
from muscall.serving.security import prefix

_HERE = Path(__file__).parent
_LOGO = (_HERE / "logo.svg").read_text("utf-8")
_MANIFEST = {
    "name": "muscall",
    "short_name": "muscall",
    "description": "Find music with a sentence.",
    "id": "../",
    "start_url": "../",
    "scope": "../",
    "display": "standalone",
    "background_color": "#f7f5f2",
    "theme_color": "#f7f5f2",
    "icons": [
        {"src": "icon.svg", "type": "image/svg+xml", "sizes": "any", "purpose": purpose}
        for purpose in ("any", "maskable")
    ],
}


def mount_shell(app: FastAPI) -> None:
    """Serve what makes the page an app that can be installed, and the page of no such address."""

    @app.get("/page/manifest.webmanifest", include_in_schema=False)
    def manifest() -> Response:
        return Response(json.dumps(_MANIFEST), media_type="application/manifest+json")

    @app.get("/page/icon.svg", include_in_schema=False)
    def icon() -> Response:
        return Response(_LOGO, media_type="image/svg+xml")

    @app.get("/sw.js", include_in_schema=False)
    def worker() -> Response:
        script = (_HERE / "sw.js").read_text("utf-8").replace("VERSION", __version__)
        headers = {"Cache-Control": "no-cache"}
        return Response(script, media_type="text/javascript", headers=headers)

    @app.get("/page/away", include_in_schema=False)
    def away(request: Request) -> HTMLResponse:
        return _plain(
            request,
            "The server is away",
            "muscall cannot be reached. Once its computer is on and in your network, try again.",
            ("", "Try again"),
        )

    @pages.exception_handler(404)
    async def lost(request: Request, _: Exception) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"detail": "there is nothing at this address"}, 404)
        link = (f"{prefix(request.headers)}/", "To the search")
        return _plain(
            request, "Nothing here", "There is no page at this address.", link, status=404
        )


def _plain(
    request: Request, title: str, text: str, link: tuple[str, str], *, status: int = 200
) -> HTMLResponse:
    theme = request.cookies.get("muscall-theme", "system")
    scheme = theme if theme in ("light", "dark") else "light dark"
    filled = {"title": title, "text": text, "to": link[0], "link": link[1], "scheme": scheme}
    page = (_HERE / "plain.html").read_text("utf-8")
    for name, value in filled.items():
        page = page.replace(f"{{{name}}}", escape(value))
    return HTMLResponse(page.replace("{logo}", _LOGO), status)
