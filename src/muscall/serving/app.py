"""The server: the API, the page, and what stands in front of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muscall import __version__
from muscall.errors import AudioError, MuscallError, NotFound, one_line
from muscall.library.library import Library
from muscall.library.search.filters import FilterError
from muscall.library.store import Damaged, library_error
from muscall.serving import api, playlists, security
from muscall.serving.page import mount
from muscall.serving.service import Service
from muscall.serving.subsonic.routes import routes
from muscall.serving.uploads import TooLarge

_STATUS: dict[type[MuscallError], int] = {
    NotFound: 404,
    TooLarge: 413,
    FilterError: 422,
    Damaged: 503,
}


def build(
    library: Library,
    *,
    host: str = "127.0.0.1",
    api_key: str | None = None,
    allowed_origins: Sequence[str] = (),
    cache: Path | None = None,
    below: Sequence[Path] = (),
    page: bool = True,
) -> FastAPI:
    """The application that serves `library`: the API under /v1, apps' under /rest and the page.

    Args:
        host: what it will be bound to. Beyond this machine only with a key.
        api_key: what everybody has to give; None for nothing.
        allowed_origins: sites such as "https://music.example.com" whose pages may ask, beside the
            own: for a proxy that hides the name it is asked by.
        cache: see `Service`.
        below: folders below which listeners may name folders to index; none for any, or, of a
            server with a key, for the home of who serves.
        page: whether to serve the page too, which one application of a process can.

    Raises:
        MuscallError: it would be open to others, or the key is too weak; there is no such model.
    """
    security.check(host, api_key)
    service = Service(library, cache, below or [Path("/") if api_key is None else Path.home()])

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await anyio.to_thread.run_sync(service.close)

    app = FastAPI(
        title="muscall",
        version=__version__,
        description="Find music with a sentence.",
        openapi_url="/v1/openapi.json",
        docs_url=None,  # it would load scripts from another site
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
    )
    app.state.service = service
    app.add_middleware(Head)
    app.add_middleware(security.Guard, api_key=api_key, allowed_origins=allowed_origins)
    app.add_exception_handler(MuscallError, _refused)
    app.add_exception_handler(RuntimeError, _unreadable)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    for router in (api.router, playlists.router):
        app.include_router(router, dependencies=[] if api_key is None else security.KEY)
    if api_key is not None:
        app.include_router(security.login(api_key))
    app.include_router(routes(service, api_key))
    if page:
        mount(app, service)
    return app


class Head:
    """Answers HEAD as GET without a body, where a route does not do so itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or _has_route(scope):
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_head)


def _has_route(scope: Scope) -> bool:
    routes = [route for route in scope["app"].routes if isinstance(route, APIRoute)]
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


def _refused(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, AudioError):
        return JSONResponse({"detail": error.reason}, 422)  # without the path
    return JSONResponse({"detail": str(error)}, _STATUS.get(type(error), 400))  # type: ignore[arg-type]


def _unreadable(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, RuntimeError) and str(error).startswith("lance error: "):
        return _refused(request, library_error(error))
    raise error


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return JSONResponse({"detail": one_line(f"{place}: {first['msg']}")}, 422)


def _failed(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "the server failed at this; its log tells more"}, 500)
