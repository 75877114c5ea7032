"""What a sentence asks for, and what sounds alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeVar

from muscall.library.names import words_of
from muscall.serving.subsonic.answers import Content
from muscall.serving.subsonic.catalogue import Album, Artist, Song, artist_id
from muscall.serving.subsonic.visit import Shown, Visit

_MOST = 500  # songs that a sentence, or another song, finds
_LONGEST = 1000  # characters of a sentence
_EXAMPLES = 20  # songs that stand for an album or an artist

Thing = TypeVar("Thing")
Named = TypeVar("Named", Album, Artist)


def search_2(visit: Visit) -> Content:
    """What `search_3` finds, for apps that browse folders."""
    return {"searchResult2": _search(visit, visit.show_folder)}


def search_3(visit: Visit) -> Content:
    """Songs that a sentence asks for, and the artists and albums that are called so.

    An empty one gives everything, page by page: so apps learn what is there.
    """
    return {"searchResult3": _search(visit, visit.show_album)}


def _search(visit: Visit, show_album: Callable[[Album], Shown]) -> Content:
    known = visit.catalogue
    # Apps write "" for everything, and a star behind what is being typed.
    text = visit.asked.needed("query").replace('""', "").strip("* ")[:_LONGEST]
    if text:
        count, offset = _page(visit, "song")
        many = min(offset + count, _MOST)
        songs = _found(visit, text=text, n=many)[offset:] if count and many > offset else []
    else:
        songs = _paged(visit, "song", list(known.songs.values()))
    artists = _paged(visit, "artist", _called(known.artists.values(), text))
    albums = _paged(visit, "album", _called(known.albums.values(), text))
    return {
        "artist": [visit.show_artist(artist) for artist in artists],
        "album": [show_album(album) for album in albums],
        "song": visit.show_songs(songs),
    }


def _called(things: Iterable[Named], text: str) -> list[Named]:
    """Those of which the names have words that begin as all words of a text do; exact ones first.

    All for an empty text.
    """
    words = tuple(words_of([text]))
    if not text:
        return list(things)
    found = [
        thing
        for thing in things
        if words and all(any(its.startswith(word) for its in _words(thing.name)) for word in words)
    ]
    return sorted(found, key=lambda thing: _words(thing.name) != words)


@lru_cache(maxsize=200_000)
def _words(name: str) -> tuple[str, ...]:
    return tuple(words_of([name]))


def _page(visit: Visit, kind: str) -> tuple[int, int]:
    return visit.asked.number(f"{kind}Count", 20), visit.asked.number(f"{kind}Offset", 0)


def _paged(visit: Visit, kind: str, things: list[Thing]) -> list[Thing]:
    count, offset = _page(visit, kind)
    return things[offset : offset + count]


def _found(visit: Visit, *, text: str = "", like: Sequence[str] = (), n: int) -> list[Song]:
    """The songs that fit best, best first."""
    songs = visit.catalogue.songs
    if not songs:
        return []
    hits = visit.service.library.search(text, like=like, n=n)
    return [songs[hit.key] for hit in hits if hit.key in songs]


def _alike(visit: Visit, id_: str, count: int) -> list[Song]:
    """The songs that sound most like a song, an album or an artist."""
    examples = [song.key for song in visit.songs_of(id_)[:_EXAMPLES]]
    return _found(visit, like=examples, n=count) if examples and count else []


def _similar(visit: Visit) -> list[Shown]:
    count = visit.asked.number("count", 50, _MOST)
    return visit.show_songs(_alike(visit, visit.asked.needed("id"), count))


def similar(visit: Visit) -> Content:
    """Songs that sound like a song, an album or an artist; for apps that browse folders."""
    return {"similarSongs": {"song": _similar(visit)}}


def similar_2(visit: Visit) -> Content:
    """Songs that sound like a song, an album or an artist."""
    return {"similarSongs2": {"song": _similar(visit)}}


def top_songs(visit: Visit) -> Content:
    """Songs of an artist. Nobody counts plays, so they are in the order of albums."""
    found = visit.catalogue.artists.get(artist_id(visit.asked.needed("artist")))
    count = visit.asked.number("count", 50, _MOST)
    return {"topSongs": {"song": visit.show_songs(found.songs[:count] if found else [])}}


def _artist_info(visit: Visit) -> Content:
    id_ = visit.asked.needed("id")
    count = visit.asked.number("count", 20, _MOST)
    alike = [song for song in _alike(visit, id_, _MOST) if artist_id(song.artists[0]) != id_]
    ids = [*dict.fromkeys(artist_id(song.artists[0]) for song in alike)][:count]
    return {"similarArtist": [visit.show_artist(visit.artist(one)) for one in ids]}


def artist_info(visit: Visit) -> Content:
    """Artists whose songs sound like those of one; for apps that browse folders."""
    return {"artistInfo": _artist_info(visit)}


def artist_info_2(visit: Visit) -> Content:
    """Artists whose songs sound like those of one."""
    return {"artistInfo2": _artist_info(visit)}


ENDPOINTS = {
    "search2": search_2,
    "search3": search_3,
    "getSimilarSongs": similar,
    "getSimilarSongs2": similar_2,
    "getTopSongs": top_songs,
    "getArtistInfo": artist_info,
    "getArtistInfo2": artist_info_2,
}
