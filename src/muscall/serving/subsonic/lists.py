"""Lists of albums and songs. Nobody counts plays or gives ratings, so no list is by them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from muscall.library.names import folded
from muscall.serving.subsonic.answers import Code, Content, Problem
from muscall.serving.subsonic.asked import whole
from muscall.serving.subsonic.catalogue import Album, Artist, Song, sort_name
from muscall.serving.subsonic.visit import Visit

_MOST = 500  # in a list, says the protocol


def _shuffled(visit: Visit) -> list[Album]:
    albums = list(visit.catalogue.albums.values())
    random.shuffle(albums)
    return albums


def _by_year(visit: Visit) -> list[Album]:
    first, last = (whole(name, visit.asked.needed(name)) for name in ("fromYear", "toYear"))
    few, many = sorted((first, last))
    found = [one for one in visit.catalogue.albums.values() if few <= (one.year or -1) <= many]
    return sorted(found, key=lambda album: album.year or 0, reverse=first > last)


def _by_genre(visit: Visit) -> list[Album]:
    songs = _of_genre(visit, visit.asked.needed("genre"))
    return list(dict.fromkeys(song.album for song in songs))


_LISTS: dict[str, Callable[[Visit], Iterable[Album]]] = {
    "random": _shuffled,
    "newest": lambda visit: sorted(
        visit.catalogue.albums.values(), key=lambda album: album.added, reverse=True
    ),
    "alphabeticalByName": lambda visit: visit.catalogue.albums.values(),
    "alphabeticalByArtist": lambda visit: sorted(
        visit.catalogue.albums.values(), key=lambda album: sort_name(album.artists[0])
    ),
    "byYear": _by_year,
    "byGenre": _by_genre,
    "starred": lambda visit: _starred(visit)[1],
    "highest": lambda _: (),
    "frequent": lambda _: (),
    "recent": lambda _: (),
}


def _albums(visit: Visit) -> list[Album]:
    kind = visit.asked.needed("type")
    if kind not in _LISTS:
        raise Problem(Code.OTHER, f"type: {kind[:50]} is none of {', '.join(_LISTS)}")
    size, offset = visit.asked.number("size", 10, _MOST), visit.asked.number("offset", 0)
    return list(_LISTS[kind](visit))[offset : offset + size]


def album_list(visit: Visit) -> Content:
    """Albums, for apps that browse folders."""
    return {"albumList": {"album": [visit.show_folder(album) for album in _albums(visit)]}}


def album_list_2(visit: Visit) -> Content:
    """Albums."""
    return {"albumList2": {"album": [visit.show_album(album) for album in _albums(visit)]}}


def songs_by_genre(visit: Visit) -> Content:
    """The songs of a genre."""
    songs = _of_genre(visit, visit.asked.needed("genre"))
    count, offset = visit.asked.number("count", 10, _MOST), visit.asked.number("offset", 0)
    return {"songsByGenre": {"song": visit.show_songs(songs[offset : offset + count])}}


def random_songs(visit: Visit) -> Content:
    """Songs in no order, of a genre or of some years where these are given."""
    genre = visit.asked.text("genre")
    songs = _of_genre(visit, genre) if genre else list(visit.catalogue.songs.values())
    first, last = visit.asked.number("fromYear", 0), visit.asked.number("toYear", 9999)
    if (first, last) != (0, 9999):
        songs = [song for song in songs if first <= (song.year or -1) <= last]
    count = min(visit.asked.number("size", 10, _MOST), len(songs))
    return {"randomSongs": {"song": visit.show_songs(random.sample(songs, count))}}


def starred(visit: Visit) -> Content:
    """What is starred, for apps that browse folders."""
    artists, albums, songs = _starred(visit)
    return {
        "starred": {
            "artist": [visit.show_artist(artist) for artist in artists],
            "album": [visit.show_folder(album) for album in albums],
            "song": visit.show_songs(songs),
        }
    }


def starred_2(visit: Visit) -> Content:
    """What is starred."""
    artists, albums, songs = _starred(visit)
    return {
        "starred2": {
            "artist": [visit.show_artist(artist) for artist in artists],
            "album": [visit.show_album(album) for album in albums],
            "song": visit.show_songs(songs),
        }
    }


def _of_genre(visit: Visit, genre: str) -> list[Song]:
    found = visit.catalogue.genres.get(folded(genre))
    return [] if found is None else found.songs


def _starred(visit: Visit) -> tuple[list[Artist], list[Album], list[Song]]:
    """The last that was starred first."""
    stars, known = visit.content.stars, visit.catalogue
    ids = sorted(stars, key=stars.__getitem__, reverse=True)
    return (
        [known.artists[id_] for id_ in ids if id_ in known.artists],
        [known.albums[id_] for id_ in ids if id_ in known.albums],
        [known.songs[id_] for id_ in ids if id_ in known.songs],
    )


ENDPOINTS = {
    "getAlbumList": album_list,
    "getAlbumList2": album_list_2,
    "getSongsByGenre": songs_by_genre,
    "getRandomSongs": random_songs,
    "getStarred": starred,
    "getStarred2": starred_2,
}
