"""Playlists and stars: all that an app can change."""

from __future__ import annotations

import secrets

from muscall.serving.subsonic.answers import Code, Content, Problem
from muscall.serving.subsonic.asked import whole
from muscall.serving.subsonic.kept import Content as KeptContent
from muscall.serving.subsonic.kept import Playlist, now
from muscall.serving.subsonic.visit import Shown, Visit


def playlists(visit: Visit) -> Content:
    """All playlists, by name."""
    found = sorted(visit.content.playlists.items(), key=lambda item: item[1].name.casefold())
    return {"playlists": {"playlist": [visit.show_playlist(*one) for one in found]}}


def playlist(visit: Visit) -> Content:
    """A playlist with those of its songs that are there."""
    id_ = visit.asked.needed("id")
    return {"playlist": _whole(visit, id_, _of(visit.content, id_))}


def create(visit: Visit) -> Content:
    """Make a playlist, or give one other songs."""
    asked, keys = visit.asked, _songs(visit, "songId")
    with visit.kept.changed() as content:
        if id_ := asked.text("playlistId"):
            found = _of(content, id_)
            # What is not there for now is not seen by the app, and stays.
            found.keys = keys + [key for key in found.keys if key not in visit.catalogue.songs]
        else:
            id_ = f"pl-{secrets.token_hex(8)}"
            found = Playlist(name=asked.needed("name"), keys=keys, created=now(), changed=now())
            content.playlists[id_] = found
        found.name, found.changed = asked.text("name") or found.name, now()
    return {"playlist": _whole(visit, id_, found)}


def update(visit: Visit) -> Content:
    """Rename a playlist, add songs to its end, or take out some."""
    asked, added = visit.asked, _songs(visit, "songIdToAdd")
    texts = asked.several("songIndexToRemove")
    removed = {whole("songIndexToRemove", text) for text in texts}
    with visit.kept.changed() as content:
        found = _of(content, asked.needed("playlistId"))
        # The app counts the songs that it sees.
        there = [n for n, key in enumerate(found.keys) if key in visit.catalogue.songs]
        if removed - set(range(len(there))):
            raise Problem(Code.OTHER, f"songIndexToRemove: there are {len(there)} songs, from 0")
        out = {there[n] for n in removed}
        found.keys = [key for n, key in enumerate(found.keys) if n not in out] + added
        found.name = asked.text("name") or found.name
        if "comment" in asked.parameters:
            found.comment = asked.text("comment")
        found.changed = now()
    return {}


def delete(visit: Visit) -> Content:
    """Delete a playlist; its songs stay."""
    id_ = visit.asked.needed("id")
    with visit.kept.changed() as content:
        _of(content, id_)
        del content.playlists[id_]
    return {}


def star(visit: Visit) -> Content:
    """Star songs, albums and artists."""
    ids, known = _starred(visit), visit.catalogue
    for id_ in ids:
        if not any(id_ in things for things in (known.songs, known.albums, known.artists)):
            raise Problem(Code.NOT_FOUND, f"{id_[:50]}: no such song, album or artist")
    with visit.kept.changed() as content:
        for id_ in ids:
            content.stars.setdefault(id_, now())
    return {}


def unstar(visit: Visit) -> Content:
    """Take stars away."""
    ids = _starred(visit)
    with visit.kept.changed() as content:
        for id_ in ids:
            content.stars.pop(id_, None)
    return {}


def scrobble(visit: Visit) -> Content:
    """A song was played. It is not written down."""
    for id_ in visit.asked.several("id") or [visit.asked.needed("id")]:
        visit.song(id_)
    return {}


def _of(content: KeptContent, id_: str) -> Playlist:
    if id_ not in content.playlists:
        raise Problem(Code.NOT_FOUND, f"{id_[:50]}: no such playlist")
    return content.playlists[id_]


def _whole(visit: Visit, id_: str, playlist: Playlist) -> Shown:
    entries = visit.show_songs(visit.entries(playlist))
    return {**visit.show_playlist(id_, playlist), "entry": entries}


def _songs(visit: Visit, name: str) -> list[str]:
    return [visit.song(id_).key for id_ in visit.asked.several(name)]


def _starred(visit: Visit) -> list[str]:
    given = [id_ for name in ("id", "albumId", "artistId") for id_ in visit.asked.several(name)]
    return given or [visit.asked.needed("id")]


ENDPOINTS = {
    "getPlaylists": playlists,
    "getPlaylist": playlist,
    "createPlaylist": create,
    "updatePlaylist": update,
    "deletePlaylist": delete,
    "star": star,
    "unstar": unstar,
    "scrobble": scrobble,
}
