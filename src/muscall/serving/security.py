"""Who may ask, and what they may send.

Without a key only this machine is served, and other sites in its browser are kept out: a name that
they let point here is no host of ours, and what they send says where it comes from.
"""

from __future__ import annotations

import hashlib
import hmac
import re

import anyio
from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muscall.errors import MuscallError
from muscall.serving.uploads import LARGEST

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
COOKIE = "muscall"
# They only tell the API's description how a key is sent; `Guard` looks at it.
KEY = [
    Depends(HTTPBearer(auto_error=False)),
    Depends(APIKeyHeader(name="X-API-Key", auto_error=False)),
]
_LOGIN = "/login"
_UPLOADS = "/v1/uploads"
_SHORTEST_KEY = 16
_FORM = 64 << 10  # bytes that stand around an upload
_BODY = 1 << 20  # bytes of what else is sent to the API
_MOST_UPLOADS = 8  # on their way at once
_PATIENCE = 300.0  # seconds for one to arrive and be heard
_HEADERS = {
    # NiceGUI compiles its templates in the browser and writes scripts into its page.
    "Content-Security-Policy": "default-src 'self'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # without any, forms are sent without their origin
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def check(host: str, api_key: str | None) -> None:
    """Whether to serve like that.

    Raises:
        MuscallError: others could listen in, or the key is easily guessed or cannot be sent.
    """
    if api_key is None and host not in LOOPBACK:
        raise MuscallError(
            f"--host {host}: not without a key, because others could reach it: "
            "--api-key or MUSCALL_API_KEY"
        )
    if api_key is not None and not re.fullmatch(rf"[!-~]{{{_SHORTEST_KEY},}}", api_key):
        raise MuscallError(
            f"the API key must have {_SHORTEST_KEY} characters or more, of ASCII, without spaces"
        )


class Guard:
    """Lets requests and websockets through to `app`, or refuses them with one line of JSON."""

    def __init__(self, app: ASGIApp, api_key: str | None) -> None:
        self._app, self._key = app, api_key
        self._uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        receive = _limited(scope, receive)
        if refusal is None and scope["path"] == _UPLOADS:
            await self._upload(scope, receive, send_secured)
        elif refusal is None:
            await self._app(scope, receive, send_secured)
        elif scope["type"] == "http":
            await refusal(scope, receive, send_secured)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._key is None and _name(host) not in LOOPBACK:
            return _answer(403, "this host name is not served")
        origin = headers.get("origin")
        elsewhere = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        # A link on another site may lead here; nothing else there may.
        link = scope.get("method") == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if (origin is not None and origin.partition("://")[2] != host) or (elsewhere and not link):
            return _answer(403, "not to be used by other sites")
        if self._key is None or scope["path"] == _LOGIN or _has_key(headers, self._key):
            return None
        if scope["path"].startswith("/v1") or "text/html" not in headers.get("accept", ""):
            return _answer(401, "an API key is needed", {"WWW-Authenticate": "Bearer"})
        return RedirectResponse(_LOGIN, 303)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an upload on, unless there are too many, or until it takes too long."""
        if self._uploads >= _MOST_UPLOADS:
            refusal = _answer(503, "too many uploads at once", {"Retry-After": "10"})
            await refusal(scope, receive, send)
            return
        self._uploads += 1
        try:
            with anyio.move_on_after(_PATIENCE) as patience:
                await self._app(scope, receive, send)
            if patience.cancelled_caught:
                late = _answer(408, f"the upload took more than {_PATIENCE:g} s")
                await late(scope, receive, send)
        finally:
            self._uploads -= 1


def _limited(scope: Scope, receive: Receive) -> Receive:
    """`receive` of a body that is refused where it gets too large."""
    api = scope["path"].startswith("/v1") and scope["path"] != _UPLOADS
    largest = _BODY if api else LARGEST + _FORM
    size = 0

    async def receive_limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > largest:
            raise HTTPException(413, f"the body has more than {largest >> 20} MiB")
        return message

    return receive_limited


def _answer(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"detail": reason}, status, headers)


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    found = re.fullmatch(r"\[(.*)\](?::\d*)?|([^:]*)(?::\d*)?", host)
    return (found[1] or found[2] or "").lower() if found else ""


def _has_key(headers: Headers, key: str) -> bool:
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    given = [headers.get("x-api-key", ""), bearer if kind.lower() == "bearer" else ""]
    cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    return any(_same(text, key) for text in given) or _same(cookie, _token(key))


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _token(key: str) -> str:
    """What the cookie holds: it opens the page, and does not tell the key."""
    return hmac.new(key.encode(), b"muscall page", hashlib.sha256).hexdigest()


def login(key: str) -> APIRouter:
    """The form that asks for the key once, for the page."""
    router = APIRouter(include_in_schema=False)

    @router.get(_LOGIN)
    def form() -> HTMLResponse:
        return HTMLResponse(_PAGE.format(hint=""))

    @router.post(_LOGIN)
    async def enter(request: Request, key_: str = Form("", alias="key")) -> Response:
        if not _same(key_, key):
            await anyio.sleep(1)  # whoever guesses shall not do so fast
            return HTMLResponse(_PAGE.format(hint="<p>This is not the key.</p>"), 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            _token(key),
            max_age=30 * 86400,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    return router


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>muscall</title>
<style>
:root {{ color-scheme: light dark; font-family: system-ui, sans-serif }}
body {{ display: grid; place-items: center; min-height: 90vh }}
form {{ display: grid; gap: 1em }}
input, button {{ font: inherit; padding: .5em }}
</style>
<form method="post">
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" autofocus required>
<button>Enter</button>
{hint}
</form>
"""
