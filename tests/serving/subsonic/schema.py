"""What the published schema of OpenSubsonic says of what an app is answered with.

Of each kind the fields that it may have, each with its type; those with a star it must have. A name
of a kind stands for one of it, in a list for any number.
"""

from __future__ import annotations

import re
from typing import Any

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_CHILD = {
    **{"id*": str, "parent": str, "isDir*": bool, "title*": str, "album": str, "artist": str},
    **{"track": int, "year": int, "genre": str, "coverArt": str, "size": int, "contentType": str},
    **{"suffix": str, "duration": int, "bitRate": int, "path": str, "isVideo": bool},
    **{"created": "time", "starred": "time", "albumId": str, "artistId": str, "type": str},
    **{"mediaType": str, "bpm": int, "genres": ["ItemGenre"], "artists": ["ArtistID3"]},
    **{"displayArtist": str, "albumArtists": ["ArtistID3"], "displayAlbumArtist": str},
}
_ALBUM = {
    **{"id*": str, "name*": str, "artist": str, "artistId": str, "coverArt": str},
    **{"songCount*": int, "duration*": int, "created*": "time", "starred": "time", "year": int},
    **{"genre": str, "genres": ["ItemGenre"], "artists": ["ArtistID3"], "displayArtist": str},
}
_ARTIST = {"id*": str, "name*": str, "coverArt": str, "albumCount": int, "starred": "time"}
_PLAYLIST = {
    **{"id*": str, "name*": str, "owner": str, "public": bool, "created*": "time"},
    **{"changed*": "time", "songCount*": int, "duration*": int, "comment": str, "coverArt": str},
}
_ROLES = (
    *("admin", "settings", "download", "upload", "playlist", "coverArt", "comment", "podcast"),
    *("stream", "jukebox", "share", "videoConversion"),
)
_SONGS = {"song": ["Child"]}
KINDS: dict[str, dict[str, Any]] = {
    "AlbumFolder": _ALBUM | _CHILD,  # as the examples of getAlbumList have it: both at once
    "AlbumID3": _ALBUM,
    "AlbumID3WithSongs": _ALBUM | _SONGS,
    "AlbumList": {"album": ["AlbumFolder"]},
    "AlbumList2": {"album": ["AlbumID3"]},
    "ArtistID3": _ARTIST,
    "ArtistFolder": _ARTIST | {"parent": str, "isDir*": bool, "title*": str},
    "ArtistInfo": {"similarArtist": ["ArtistID3"]},
    "ArtistWithAlbumsID3": _ARTIST | {"album": ["AlbumID3"]},
    "ArtistsID3": {"ignoredArticles*": str, "index": ["Index"]},
    "Child": _CHILD,
    "Directory": {"id*": str, "parent": str, "name*": str, "starred": "time", "child": ["Child"]},
    "Genre": {"value*": str, "songCount*": int, "albumCount*": int},
    "Genres": {"genre": ["Genre"]},
    "Index": {"name*": str, "artist": ["ArtistID3"]},
    "Indexes": {"ignoredArticles*": str, "lastModified*": int, "index": ["Index"]},
    "ItemGenre": {"name*": str},
    "License": {"valid*": bool},
    "MusicFolder": {"id*": int, "name": str},
    "MusicFolders": {"musicFolder": ["MusicFolder"]},
    "OpenSubsonicExtension": {"name*": str, "versions*": [int]},
    "Playlist": _PLAYLIST,
    "PlaylistWithSongs": _PLAYLIST | {"entry": ["Child"]},
    "Playlists": {"playlist": ["Playlist"]},
    "ScanStatus": {"scanning*": bool, "count": int},
    "SearchResult2": {"artist": ["ArtistID3"], "album": ["AlbumFolder"], "song": ["Child"]},
    "SearchResult3": {"artist": ["ArtistID3"], "album": ["AlbumID3"], "song": ["Child"]},
    "Songs": _SONGS,
    "TokenInfo": {"username*": str},
    "User": {"username*": str, "scrobblingEnabled*": bool, "folder": [int]}
    | {f"{role}Role*": bool for role in _ROLES},
}


def check(kind: Any, value: Any, place: str = "") -> None:
    """That `value` is of a kind, or of a type."""
    if kind == "time":
        assert _TIME.fullmatch(value), f"{place}: {value}"
    elif isinstance(kind, list):
        assert isinstance(value, list), place
        for one in value:
            check(kind[0], one, place)
    elif isinstance(kind, type):
        assert type(value) is kind, f"{place}: {value!r} is no {kind.__name__}"
    else:
        known = {name.rstrip("*"): its for name, its in KINDS[kind].items()}
        needed = {name.rstrip("*") for name in KINDS[kind] if name.endswith("*")}
        assert needed <= set(value) <= set(known), f"{place} {kind}: {sorted(value)}"
        for name, one in value.items():
            check(known[name], one, f"{place}.{name}")
