"""Access: who is served, and what they may send.

Without a key only this machine is served, and other sites in its browser are kept out: a name that
they let point here is no host of ours, and what they send says where it comes from. What came
through a proxy is refused too, because it may come from anywhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Sequence

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
# They only describe in the API how a key is sent; `Guard` looks at it.
KEY = [
    Depends(HTTPBearer(auto_error=False)),
    Depends(APIKeyHeader(name="X-API-Key", auto_error=False)),
]
APPS = "/rest/"  # what music apps ask for stands behind
_LOGIN = "/login"
_UPLOADS = "/v1/uploads"
_SHORTEST_KEY = 16
_FORM = 64 << 10  # bytes that stand around an upload
_BODY = 1 << 20  # bytes of what else is sent to the API
_MOST_UPLOADS = 8  # on their way at once
_PATIENCE = 300.0  # seconds for one to arrive and be heard
_PREFIX = "x-forwarded-prefix"  # the sub-path that a proxy serves this under
_OF_PROXIES = ("x-forwarded-", "forwarded", "x-real-ip", "via", "cf-connecting-ip")
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
# Apps may be made of web pages, and play and show what they get.
_HEADERS_FOR_APPS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
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

    def __init__(
        self, app: ASGIApp, api_key: str | None, allowed_origins: Sequence[str] = ()
    ) -> None:
        self._app, self._key = app, api_key
        self._allowed = {_authority(origin) for origin in allowed_origins}
        self._uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                own = _HEADERS_FOR_APPS if self._is_of_apps(scope) else {}
                for name, value in (_HEADERS | own).items():
                    headers.setdefault(name, value)
            await send(message)

        scope = {**scope, "headers": [*_without_wrong_prefix(scope["headers"])]}
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
        if self._key is None:
            if _name(host) not in LOOPBACK:
                return _answer(403, "this host name is not served")
            # No browser speaks HTTP/1.0, but proxies without other settings do.
            proxied = any(name.startswith(_OF_PROXIES) for name in headers)
            if proxied or scope.get("http_version") == "1.0":
                return _answer(403, "not through a proxy without a key: muscall serve --api-key")
        if self._is_of_apps(scope):
            return None
        origin = headers.get("origin")
        elsewhere = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        # A link on another site may lead here; nothing else there may.
        link = scope.get("method") == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if (origin is not None and not self._is_own(origin, host)) or (elsewhere and not link):
            return _answer(403, "not to be used by other sites")
        if self._key is None or scope["path"] == _LOGIN or _has_key(headers, self._key):
            return None
        if scope["path"].startswith("/v1") or "text/html" not in headers.get("accept", ""):
            return _answer(401, "an API key is needed", {"WWW-Authenticate": "Bearer"})
        return RedirectResponse(prefix(headers) + _LOGIN, 303)

    def _is_of_apps(self, scope: Scope) -> bool:
        """Whether the room for apps looks at the key itself: it is in what is asked for.

        No browser adds it there on its own, so it does not matter what site an app is of.
        """
        asked = scope["type"] == "http" and re.fullmatch(rf"{APPS}[\w.]+", scope["path"])
        return self._key is not None and bool(asked)

    def _is_own(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` is ours, which the browser or a proxy calls `host`.

        Proxies drop the port, or add that of the scheme: with a key, ports are compared only where
        both name one.
        """
        name, port = _authority(origin)
        own_name, own_port = _authority(f"{origin.partition('://')[0]}://{host}")
        if (name, port) in self._allowed:
            return True
        unsaid = self._key is not None and None in (_port(origin), _port(host))
        return bool(name) and name == own_name and (port == own_port or unsaid)

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
    api = scope["path"].startswith(("/v1", APPS)) and scope["path"] != _UPLOADS
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


def prefix(headers: Headers) -> str:
    """The path that a proxy has taken off the front, "/music"; mostly nothing."""
    return headers.get(_PREFIX, "").rstrip("/")


def _without_wrong_prefix(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers:
        if name.lower() != _PREFIX.encode() or re.fullmatch(rb"(/[\w.~-]+)*/?", value):
            yield name, value


def _authority(origin: str) -> tuple[str, int | None]:
    """Name and port of an origin such as "https://music.example.com"; ("", None) of any other."""
    scheme, found, host = origin.partition("://")
    usual = {"http": 80, "https": 443}.get(scheme.lower())
    return (_name(host), _port(origin) or usual) if found else ("", None)


def _port(authority: str) -> int | None:
    """The port that an origin or a Host header names."""
    found = re.search(r":(\d{1,5})$", authority)
    return int(found[1]) if found else None


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    found = re.fullmatch(r"\[(.*)\](?::\d*)?|([^:]*)(?::\d*)?", host)
    return (found[1] or found[2] or "").lower() if found else ""


def _has_key(headers: Headers, key: str) -> bool:
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    given = [headers.get("x-api-key", ""), bearer if kind.lower() == "bearer" else ""]
    cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    return any(same(text, key) for text in given) or same(cookie, _token(key))


def same(given: str, right: str) -> bool:
    """Whether two texts are the same, which takes as long where they are not."""
    return hmac.compare_digest(given.encode(), right.encode())


def _token(key: str) -> str:
    """What the cookie holds: it opens the page, and does not reveal the key."""
    return hmac.new(key.encode(), b"muscall page", hashlib.sha256).hexdigest()


def login(key: str) -> APIRouter:
    """The form that asks for the key once, for the page."""
    router = APIRouter(include_in_schema=False)

    @router.get(_LOGIN)
    def form() -> HTMLResponse:
        return HTMLResponse(_PAGE.format(hint=""))

    @router.post(_LOGIN)
    async def enter(request: Request, key_: str = Form("", alias="key")) -> Response:
        if not same(key_, key):
            await anyio.sleep(1)  # guessing should be slow
            return HTMLResponse(_PAGE.format(hint="<p>This is not the key.</p>"), 401)
        home = f"{prefix(request.headers)}/"
        answer = RedirectResponse(home, 303)
        answer.set_cookie(
            COOKIE,
            _token(key),
            max_age=30 * 86400,
            httponly=True,
            samesite="lax",
            path=home,
            secure="https" in (request.url.scheme, request.headers.get("x-forwarded-proto")),
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
