"""Where apps ask: /rest/NAME or /rest/NAME.view, by GET or POST."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import Response

from muscall.errors import MuscallError
from muscall.serving.security import APPS
from muscall.serving.service import Service
from muscall.serving.subsonic import browsing, keeping, lists, media, searching, system
from muscall.serving.subsonic.access import USER, admit
from muscall.serving.subsonic.answers import Code, Content, Problem, failed, succeeded
from muscall.serving.subsonic.asked import Asked
from muscall.serving.subsonic.catalogue import Catalogues
from muscall.serving.subsonic.kept import Kept
from muscall.serving.subsonic.visit import Visit

_ENDPOINTS: dict[str, Callable[[Visit], Content | Response]] = {
    **system.ENDPOINTS,
    **browsing.ENDPOINTS,
    **lists.ENDPOINTS,
    **searching.ENDPOINTS,
    **keeping.ENDPOINTS,
    **media.ENDPOINTS,
}
_OPEN = "getOpenSubsonicExtensions"  # for everybody, so that an app knows how to show the key
# What may have to be decoded waits for its like alone.
_SOUND, _OTHERS = map(anyio.CapacityLimiter, (4, 8))


def routes(service: Service, key: str | None) -> APIRouter:
    """What apps ask of `service`, where they show `key`, if there is one."""
    router = APIRouter(include_in_schema=False)
    catalogues = Catalogues(service.library)
    kept = Kept(service.library.store.folder)

    @router.api_route(APPS + "{name}", methods=["GET", "POST"])
    async def app(request: Request, name: str) -> Response:
        asked = await Asked.read(request)
        name = name.removesuffix(".view")
        form = "json" if asked.text("f") == "json" else "xml"
        visit = Visit(service, catalogues, kept, request, asked, asked.text("u") or USER)
        try:
            if name != _OPEN:
                admit(asked, key, header="authorization" in request.headers)
            if asked.text("f") not in ("", "json", "xml"):
                raise Problem(Code.OTHER, "f: json or xml")
            if name in _ENDPOINTS:
                limiter = _SOUND if name == "stream" else _OTHERS
                found = await anyio.to_thread.run_sync(_ENDPOINTS[name], visit, limiter=limiter)
                return found if isinstance(found, Response) else succeeded(found, form)
        except MuscallError as error:
            return failed(error, form)
        return failed(Problem(Code.OTHER, f"{name[:50]}: not answered by this server"), form, 404)

    return router
