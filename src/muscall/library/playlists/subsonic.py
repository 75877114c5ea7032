"""A Subsonic server: what of its protocol a playlist needs."""

from __future__ import annotations

import hashlib
import json
import secrets
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

from muscall.errors import MuscallError

_PATIENCE = 60.0  # seconds for an answer
_FOUND = 50  # songs that a search gives
_AT_ONCE = 100  # songs in one request, whose address all servers can read
_NO_TOKENS = (10, 41)  # codes of servers that miss the password itself, or refuse tokens

Song = dict[str, Any]
"""As the protocol's `Child`: `id`, `title`, and what else a server gives."""


def signed(password: str, user: str = "muscall") -> str:
    """What shows a server a password without telling it: a part of an address."""
    salt = secrets.token_hex(8)
    token = hashlib.md5((password + salt).encode(), usedforsecurity=False).hexdigest()
    return urlencode({"u": user, "t": token, "s": salt})


class Server:
    """The server at an address, asked as `user`.

    Raises:
        MuscallError: this is no address of the web.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise MuscallError(f"{url}: no address of a server, such as https://music.example.com")
        self.url = url.rstrip("/")
        self._user, self._password, self._token = user, password, True

    def find(self, title: str) -> list[Song]:
        """Songs that are called so, or what the server takes for it.

        Raises:
            MuscallError: the server does not answer.
        """
        asked = {"query": title, "songCount": _FOUND, "artistCount": 0, "albumCount": 0}
        found = self._ask("search3", asked).get("searchResult3") or {}
        return list(found.get("song") or [])

    def put(self, name: str, songs: list[str]) -> None:
        """Make the user's playlist `name` hold `songs`, one at least, by their ids.

        Raises:
            MuscallError: the server does not answer, or refuses.
        """
        id_ = self._playlist(name)
        which = {"name": name} if id_ is None else {"playlistId": id_}
        self._ask("createPlaylist", which | {"songId": songs[:_AT_ONCE]})
        id_ = id_ or self._playlist(name)
        for start in range(_AT_ONCE, len(songs), _AT_ONCE):
            some = {"playlistId": id_, "songIdToAdd": songs[start : start + _AT_ONCE]}
            self._ask("updatePlaylist", some)

    def _playlist(self, name: str) -> str | None:
        found = (self._ask("getPlaylists", {}).get("playlists") or {}).get("playlist") or []
        own = [
            one["id"]
            for one in found
            if one["name"] == name and one.get("owner", self._user) == self._user
        ]
        return str(own[0]) if own else None

    def _ask(self, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        about = urlencode({"v": "1.16.1", "c": "muscall", "f": "json", **asked}, doseq=True)
        if self._token:
            sign = signed(self._password, self._user)
        else:
            plain = {"u": self._user, "p": f"enc:{self._password.encode().hex()}"}
            sign = urlencode(plain)
        found = self._read(what, f"{self.url}/rest/{what}.view?{about}&{sign}")
        if found.get("status") == "ok":
            return found
        error = found.get("error") or {}
        if self._token and error.get("code") in _NO_TOKENS:
            self._token = False
            return self._ask(what, asked)
        raise MuscallError(f"{self.url}: {what}: {error.get('message') or 'refused'}")

    def _read(self, what: str, address: str) -> dict[str, Any]:
        try:
            with urlopen(address, timeout=_PATIENCE) as answer:
                found = json.load(answer)["subsonic-response"]
                if isinstance(found, dict):
                    return found
        except HTTPError as error:
            raise MuscallError(f"{self.url}: {what}: {error.code} {error.reason}") from None
        except URLError as error:
            reason = getattr(error.reason, "strerror", None) or error.reason
            raise MuscallError(f"{self.url}: {reason}") from None
        except (OSError, HTTPException) as error:
            raise MuscallError(f"{self.url}: {what}: {error or type(error).__name__}") from None
        except (ValueError, KeyError, TypeError):
            pass
        raise MuscallError(f"{self.url}: {what}: this is no answer of a Subsonic server")
