"""From artists to albums to songs. To apps that browse folders, artists and albums are folders."""

from __future__ import annotations

from itertools import groupby

from muscall.serving.subsonic.answers import Content
from muscall.serving.subsonic.catalogue import ARTICLES, sort_name
from muscall.serving.subsonic.visit import Shown, Visit

_ROOT = "1"
_ROOT_NAME = "Music"


def music_folders(_: Visit) -> Content:
    """The library is one folder, whatever its files lie in."""
    return {"musicFolders": {"musicFolder": [{"id": int(_ROOT), "name": _ROOT_NAME}]}}


def _letters(visit: Visit) -> list[Shown]:
    def letter(name: str) -> str:
        first = sort_name(name)[:1].upper()
        return first if first.isalpha() else "#"

    artists = sorted(visit.catalogue.artists.values(), key=lambda one: letter(one.name))
    return [
        {"name": name, "artist": [visit.show_artist(artist) for artist in group]}
        for name, group in groupby(artists, key=lambda one: letter(one.name))
    ]


def artists(visit: Visit) -> Content:
    """All artists by the first letters of their names."""
    return {"artists": {"ignoredArticles": ARTICLES, "index": _letters(visit)}}


def indexes(visit: Visit) -> Content:
    """The same, for apps that browse folders; nothing where nothing was added since."""
    changed = max((song.added.timestamp() for song in visit.catalogue.songs.values()), default=0)
    milliseconds = round(1000 * changed)
    known = visit.asked.number("ifModifiedSince", 0) >= milliseconds > 0
    letters = [] if known else _letters(visit)
    shown = {"lastModified": milliseconds, "ignoredArticles": ARTICLES, "index": letters}
    return {"indexes": shown}


def directory(visit: Visit) -> Content:
    """What is in a folder: the artists of all, the albums of an artist, the songs of an album."""
    id_ = visit.asked.needed("id")
    shown: Shown
    if id_ == _ROOT:
        children = [
            visit.show_artist(artist) | {"parent": _ROOT, "isDir": True, "title": artist.name}
            for artist in visit.catalogue.artists.values()
        ]
        shown = {"id": _ROOT, "name": _ROOT_NAME}
    elif id_.startswith("ar-"):
        artist = visit.artist(id_)
        children = [visit.show_folder(album) | {"parent": id_} for album in artist.albums]
        shown = visit.show_artist(artist) | {"parent": _ROOT}
    else:
        album = visit.album(id_)
        children = visit.show_songs(album.songs)
        shown = visit.show_folder(album)
    told = {key: shown[key] for key in ("id", "parent", "name", "starred") if key in shown}
    return {"directory": {**told, "child": children}}


def artist(visit: Visit) -> Content:
    """An artist with all albums that have a song of theirs."""
    found = visit.artist(visit.asked.needed("id"))
    albums = [visit.show_album(album) for album in found.albums]
    return {"artist": {**visit.show_artist(found), "album": albums}}


def album(visit: Visit) -> Content:
    """An album with its songs."""
    found = visit.album(visit.asked.needed("id"))
    return {"album": {**visit.show_album(found), "song": visit.show_songs(found.songs)}}


def song(visit: Visit) -> Content:
    """A song."""
    return {"song": visit.show_song(visit.song(visit.asked.needed("id")))}


def genres(visit: Visit) -> Content:
    """All genres, with how many songs and albums each has."""
    shown = [
        {
            "value": genre.name,
            "songCount": len(genre.songs),
            "albumCount": len({song.album.id for song in genre.songs}),
        }
        for genre in visit.catalogue.genres.values()
    ]
    return {"genres": {"genre": shown}}


ENDPOINTS = {
    "getMusicFolders": music_folders,
    "getIndexes": indexes,
    "getMusicDirectory": directory,
    "getArtists": artists,
    "getArtist": artist,
    "getAlbum": album,
    "getSong": song,
    "getGenres": genres,
}
