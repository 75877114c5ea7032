"""The library as apps browse it: artists, albums, genres and songs, derived from tags.

Nothing of it is stored. The id of a song is its key; the others are hashes of folded names, so that
they stay what they are from one index run to the next.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from muscall.errors import one_line
from muscall.library.library import Library
from muscall.library.names import folded
from muscall.library.scan import text_path
from muscall.library.store import reading
from muscall.serving.shown import title_of

ARTICLES = "The El La Los Las Le Les"
UNKNOWN, VARIOUS = "Unknown Artist", "Various Artists"
_PATIENCE = 10  # times as long as it takes to make a catalogue, it is not made anew
_ARTICLE = re.compile(f"^(?:{ARTICLES.replace(' ', '|')}) (?=.)", re.IGNORECASE)
_COLUMNS = [
    *("key", "path", "root", "title", "artist", "albumartist", "album", "genre", "year"),
    *("bpm", "tempo", "duration", "added"),
]


@dataclass(eq=False, slots=True)
class Song:
    """A track of the library."""

    key: str
    path: Path
    root: str
    """Of the folder that was indexed, as `scan.path_text` writes it."""
    title: str
    artists: tuple[str, ...]
    genres: tuple[str, ...]
    year: int | None
    bpm: float | None
    duration: float
    """In seconds."""
    added: datetime
    album: Album
    track: int = 0
    """Its place in the album, from 1, by the names of the files."""


@dataclass(eq=False, slots=True)
class Album:
    """What one album artist has under one name."""

    id: str
    name: str
    artists: tuple[str, ...]
    songs: list[Song] = field(default_factory=list)

    @property
    def year(self) -> int | None:
        """Of its newest song."""
        return max((song.year for song in self.songs if song.year), default=None)

    @property
    def genres(self) -> tuple[str, ...]:
        """Those of its songs."""
        return tuple(dict.fromkeys(genre for song in self.songs for genre in song.genres))

    @property
    def added(self) -> datetime:
        """When its newest song was."""
        return max(song.added for song in self.songs)


@dataclass(eq=False, slots=True)
class Artist:
    """Whoever made an album, or a song of one."""

    id: str
    name: str
    albums: list[Album] = field(default_factory=list)
    songs: list[Song] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Genre:
    """A genre; `name` as its first song spells it."""

    name: str
    songs: list[Song] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All of them by id, genres by folded name; each in the order of names."""

    songs: Mapping[str, Song] = field(default_factory=dict)
    albums: Mapping[str, Album] = field(default_factory=dict)
    artists: Mapping[str, Artist] = field(default_factory=dict)
    genres: Mapping[str, Genre] = field(default_factory=dict)


class Catalogues:
    """The catalogue of a library, made anew when the library has changed. For several threads.

    In an index run of a large library it is late, so that most of the time is left for answers.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._made: tuple[int, Catalogue] = (0, Catalogue())
        self._next = 0.0

    @reading()
    def latest(self) -> Catalogue:
        """The catalogue of what is not offline."""
        table = self._library.store.tracks(self._library.embedding_version)
        if table is None:
            return Catalogue()
        with self._lock:
            version, started = table.version, time.monotonic()
            if self._made[0] != version and started >= self._next:
                found = table.search().where("offline = false").select(_COLUMNS).limit(None)
                self._made = version, catalogue(found.to_arrow().to_pylist())
                self._next = started + _PATIENCE * (time.monotonic() - started)
            return self._made[1]


@lru_cache(maxsize=100_000)
def artist_id(name: str) -> str:
    """The id of the artist of that name."""
    return f"ar-{_hash(name)}"


def sort_name(name: str) -> str:
    """What a name is sorted by: folded, without its article."""
    return folded(_ARTICLE.sub("", name))


def catalogue(rows: Iterable[Mapping[str, Any]]) -> Catalogue:
    """The catalogue of rows of `tracks`."""
    together: dict[tuple[str, str], list[tuple[Path, Mapping[str, Any]]]] = {}
    for row in rows:
        path = text_path(row["path"])
        # Songs of many artists that name no album artist are one album where they lie together.
        whose = folded(row["albumartist"] or "") or str(path.parent)
        together.setdefault((whose, folded(_album_name(path, row))), []).append((path, row))
    albums: dict[str, Album] = {}
    for its in together.values():
        path, first = its[0]
        artists, name = _album_artists([row for _, row in its]), _album_name(path, first)
        # Many folders are called "CD1": one that is named after its folder is that folder's.
        id_ = f"al-{_hash('; '.join(artists), name if first['album'] else str(path.parent))}"
        album = albums.setdefault(id_, Album(id_, name, artists))
        album.songs += [_song(path, row, album) for path, row in its]
    artists_: dict[str, Artist] = {}
    genres: dict[str, Genre] = {}
    ordered = sorted(albums.values(), key=lambda one: (sort_name(one.name), one.id))
    for album in ordered:
        album.songs.sort(key=lambda song: _natural(str(song.path)))
        for track, song in enumerate(album.songs, 1):
            song.track = track
            for genre in song.genres:
                genres.setdefault(folded(genre), Genre(genre)).songs.append(song)
            for name in song.artists:
                _of(artists_, name).songs.append(song)
        everybody = (*album.artists, *(name for song in album.songs for name in song.artists))
        for artist in dict.fromkeys(_of(artists_, name) for name in everybody):
            artist.albums.append(album)
    return Catalogue(
        songs={song.key: song for album in ordered for song in album.songs},
        albums={album.id: album for album in ordered},
        artists=dict(sorted(artists_.items(), key=lambda item: sort_name(item[1].name))),
        genres=dict(sorted(genres.items())),
    )


def _of(artists: dict[str, Artist], name: str) -> Artist:
    id_ = artist_id(name)
    return artists.setdefault(id_, Artist(id_, name))


def _song(path: Path, row: Mapping[str, Any], album: Album) -> Song:
    return Song(
        key=row["key"],
        path=path,
        root=row["root"],
        title=title_of(row, path),
        artists=_several(row["artist"]) or (UNKNOWN,),
        genres=_several(row["genre"]),
        year=row["year"],
        bpm=row["bpm"] or row["tempo"],
        duration=row["duration"],
        added=row["added"],
        album=album,
    )


def _album_name(path: Path, row: Mapping[str, Any]) -> str:
    """The album in a row, or the folder that its file lies in."""
    return row["album"] or one_line(path.parent.name) or "/"


def _album_artists(rows: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """Whose album it is: of those it names, or of those that all its songs have."""
    if named := _several(rows[0]["albumartist"]):
        return named
    each = [_several(row["artist"]) for row in rows]
    if not any(each):
        return (UNKNOWN,)
    kept = set.intersection(*({folded(name) for name in names} for names in each))
    return tuple(name for name in each[0] if folded(name) in kept) or (VARIOUS,)


def _several(tag: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (tag or "").split("; ")))


def _hash(*names: str) -> str:
    return hashlib.sha1("\0".join(map(folded, names)).encode("utf-8", "replace")).hexdigest()[:16]


def _natural(text: str) -> list[tuple[int, str]]:
    """A key of sorting by which "2" comes before "10"."""
    return [
        (int(part), "") if part.isdecimal() else (0, part)
        for part in re.split(r"(\d{1,18})", folded(text))
    ]
