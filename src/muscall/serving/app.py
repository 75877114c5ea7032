"""The server: the API, the page, and what stands in front of both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from muscall import __version__
from muscall.errors import AudioError, MuscallError, one_line
from muscall.library.filters import FilterError
from muscall.library.library import Library
from muscall.serving import api, security
from muscall.serving.errors import NotFound, TooLarge
from muscall.serving.page import mount
from muscall.serving.service import Service

_STATUS: dict[type[MuscallError], int] = {NotFound: 404, TooLarge: 413, FilterError: 422}


def build(
    library: Library,
    *,
    host: str = "127.0.0.1",
    api_key: str | None = None,
    cache: Path | None = None,
    page: bool = True,
) -> FastAPI:
    """The application that serves `library`: the API under /v1 and the page.

    Args:
        host: what it will be bound to. Beyond this machine only with a key.
        api_key: what everybody has to give; None for nothing.
        cache: see `Service`.
        page: whether to serve the page too, which one application of a process can.

    Raises:
        MuscallError: it would be open to others, or the key is too weak; there is no such model.
    """
    security.check(host, api_key)
    service = Service(library, cache)

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
    app.add_middleware(security.Guard, api_key=api_key)
    app.add_exception_handler(MuscallError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    if api_key is None:
        app.include_router(api.router)
    else:
        app.include_router(api.router, dependencies=security.KEY)
        app.include_router(security.login(api_key))
    if page:
        mount(app, service)
    return app


def _refused(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, AudioError):
        return JSONResponse({"detail": error.reason}, 422)  # without the path
    return JSONResponse({"detail": str(error)}, _STATUS.get(type(error), 400))  # type: ignore[arg-type]


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return JSONResponse({"detail": one_line(f"{place}: {first['msg']}")}, 422)


def _failed(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "the server failed at this; its log tells more"}, 500)
