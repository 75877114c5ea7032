"""What apps ask of the server itself: whether it is there, what it can do, who asks."""

from __future__ import annotations

from muscall.serving.subsonic.answers import Content
from muscall.serving.subsonic.visit import Visit

_MAY = ("coverArt", "download", "playlist", "stream")
_MAY_NOT = (
    *("admin", "comment", "jukebox", "podcast", "settings", "share", "upload"),
    "videoConversion",
)


def ping(_: Visit) -> Content:
    """The server is there."""
    return {}


def license_(_: Visit) -> Content:
    """Nobody has to pay."""
    return {"license": {"valid": True}}


def extensions(_: Visit) -> Content:
    """What of OpenSubsonic is answered beyond the protocol that it extends."""
    names = ("apiKeyAuthentication", "formPost")
    return {"openSubsonicExtensions": [{"name": name, "versions": [1]} for name in names]}


def token_info(visit: Visit) -> Content:
    """Whose key it is."""
    return {"tokenInfo": {"username": visit.user}}


def user(visit: Visit) -> Content:
    """What whoever has the key may do; all have the same."""
    roles = {f"{what}Role": what in _MAY for what in (*_MAY, *_MAY_NOT)}
    name = visit.asked.needed("username")
    return {"user": {"username": name, "scrobblingEnabled": False, **roles, "folder": [1]}}


def scan_status(visit: Visit) -> Content:
    """Whether the library is being indexed, and how many songs it has."""
    scanning = visit.service.indexing.state == "running"
    return {"scanStatus": {"scanning": scanning, "count": len(visit.catalogue.songs)}}


def start_scan(visit: Visit) -> Content:
    """Listen to what is new in the folders of the library."""
    visit.service.indexing.start()
    return scan_status(visit)


ENDPOINTS = {
    "ping": ping,
    "getLicense": license_,
    "getOpenSubsonicExtensions": extensions,
    "tokenInfo": token_info,
    "getUser": user,
    "getScanStatus": scan_status,
    "startScan": start_scan,
}
