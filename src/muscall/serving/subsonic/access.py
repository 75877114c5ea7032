"""Access: an app gives the key of the server as its password, as a token, or as itself."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from muscall.serving.security import same
from muscall.serving.subsonic.answers import Code, Problem
from muscall.serving.subsonic.asked import Asked

USER = "muscall"
"""What whoever names no user is called. There is one key, and so one listener of any name."""


def admit(asked: Asked, key: str | None, *, header: bool) -> None:
    """Nothing where a request shows `key`, or needs none.

    Args:
        header: whether it has an `Authorization` header.

    Raises:
        Problem: it does not.
    """
    if key is None:
        return
    ways = [way for way in ("apiKey", "t", "p") if way in asked.parameters]
    if len(ways) > 1 or (ways == ["apiKey"] and "u" in asked.parameters):
        raise Problem(Code.SEVERAL_WAYS, "give either apiKey, or u with t and s, or u with p")
    if not ways and header:
        raise Problem(Code.UNKNOWN_WAY, "give the key as apiKey, p, or t and s; not in a header")
    if ways == ["apiKey"]:
        if not same(asked.text("apiKey"), key):
            raise Problem(Code.WRONG_KEY, "this is not the key of the server")
        return
    asked.needed("u")
    if ways == ["t"]:
        salted = key + asked.needed("s")
        token = hashlib.md5(salted.encode(), usedforsecurity=False).hexdigest()
        right = same(asked.text("t").lower(), token)
    else:
        right = same(_plain(asked.needed("p")), key)
    if not right:
        raise Problem(Code.WRONG_PASSWORD, "wrong password: it is the key of the server")


def _plain(password: str) -> str:
    """A password as it was typed; `enc:` stands before one in hex."""
    if password.startswith("enc:"):
        with suppress(ValueError):
            return bytes.fromhex(password.removeprefix("enc:")).decode()
    return password
