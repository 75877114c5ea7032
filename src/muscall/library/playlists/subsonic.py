"""A Subsonic server: what it has, and the playlists that it keeps."""

from __future__ import annotations

import hashlib
import secrets
from urllib.parse import urlencode

_USER = "muscall"


def signed(password: str, user: str = _USER) -> str:
    """What shows a server a password without telling it: a part of an address."""
    salt = secrets.token_hex(8)
    token = hashlib.md5((password + salt).encode(), usedforsecurity=False).hexdigest()
    return urlencode({"u": user, "t": token, "s": salt})
