"""One request of an app, and how what it is answered with looks in the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from fastapi import Request

from muscall.errors import one_line
from muscall.library.scan import text_path
from muscall.serving.service import Service
from muscall.serving.subsonic.answers import Code, Problem, fields
from muscall.serving.subsonic.asked import Asked
from muscall.serving.subsonic.catalogue import (
    Album,
    Artist,
    Catalogue,
    Catalogues,
    Song,
    artist_id,
)
from muscall.serving.subsonic.kept import Content, Kept, Playlist

Shown = dict[str, Any]
Thing = TypeVar("Thing")
_TYPES = {
    "aac": "audio/aac",
    "aif": "audio/aiff",
    "aiff": "audio/aiff",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "wma": "audio/x-ms-wma",
}


@dataclass(frozen=True)
class Visit:
    """What is asked, by whom, and what it is answered from."""

    service: Service
    catalogues: Catalogues
    kept: Kept
    request: Request
    asked: Asked
    user: str

    @cached_property
    def catalogue(self) -> Catalogue:
        """The library, the same for the whole of the request."""
        return self.catalogues.latest()

    @cached_property
    def content(self) -> Content:
        """What is kept, as it was at the beginning of the request."""
        return self.kept.read()

    def song(self, id_: str) -> Song:
        """The song of an id.

        Raises:
            Problem: there is none.
        """
        return _there(self.catalogue.songs, id_, "song")

    def album(self, id_: str) -> Album:
        """The album of an id.

        Raises:
            Problem: there is none.
        """
        return _there(self.catalogue.albums, id_, "album")

    def artist(self, id_: str) -> Artist:
        """The artist of an id.

        Raises:
            Problem: there is none.
        """
        return _there(self.catalogue.artists, id_, "artist")

    def songs_of(self, id_: str) -> list[Song]:
        """The songs of a song, an album, an artist or a playlist.

        Raises:
            Problem: there is nothing of that id.
        """
        if id_.startswith("al-"):
            return self.album(id_).songs
        if id_.startswith("ar-"):
            artist = self.artist(id_)
            return artist.songs or [song for album in artist.albums for song in album.songs]
        if id_.startswith("pl-"):
            return self.entries(_there(self.content.playlists, id_, "playlist"))
        return [self.song(id_)]

    def entries(self, playlist: Playlist) -> list[Song]:
        """The songs of a playlist that are there now."""
        songs = self.catalogue.songs
        return [songs[key] for key in playlist.keys if key in songs]

    def show_songs(self, songs: Iterable[Song]) -> list[Shown]:
        """Songs as a `Child` each."""
        return [self.show_song(song) for song in songs]

    def show_song(self, song: Song) -> Shown:
        """A song as a `Child`."""
        size, suffix = size_of(song.path), suffix_of(song.path)
        return fields(
            id=song.key,
            parent=song.album.id,
            isDir=False,
            isVideo=False,
            type="music",
            mediaType="song",
            title=song.title,
            album=song.album.name,
            albumId=song.album.id,
            artist=", ".join(song.artists),
            displayArtist=", ".join(song.artists),
            artistId=artist_id(song.artists[0]),
            artists=_named(song.artists),
            albumArtists=_named(song.album.artists),
            displayAlbumArtist=", ".join(song.album.artists),
            track=song.track,
            year=song.year,
            genre=_first(song.genres),
            genres=[{"name": genre} for genre in song.genres],
            bpm=round(song.bpm) if song.bpm else None,
            duration=round(song.duration),
            size=size,
            bitRate=kilobits(size, song.duration),
            suffix=suffix,
            contentType=content_type(song.path),
            path=_within(song.path, text_path(song.root)),
            coverArt=song.key,
            created=moment(song.added),
            starred=self._starred(song.key),
        )

    def show_album(self, album: Album) -> Shown:
        """An album as an `AlbumID3`."""
        return fields(
            id=album.id,
            name=album.name,
            artist=", ".join(album.artists),
            displayArtist=", ".join(album.artists),
            artistId=artist_id(album.artists[0]),
            artists=_named(album.artists),
            songCount=len(album.songs),
            duration=_length(album.songs),
            year=album.year,
            genre=_first(album.genres),
            genres=[{"name": genre} for genre in album.genres],
            coverArt=album.id,
            created=moment(album.added),
            starred=self._starred(album.id),
        )

    def show_folder(self, album: Album) -> Shown:
        """An album as the `Child` that it is to apps that browse folders."""
        about = {"parent": artist_id(album.artists[0]), "isDir": True, "title": album.name}
        return self.show_album(album) | about | {"album": album.name}

    def show_artist(self, artist: Artist) -> Shown:
        """An artist as an `ArtistID3`."""
        return fields(
            id=artist.id,
            name=artist.name,
            albumCount=len(artist.albums),
            coverArt=artist.id,
            starred=self._starred(artist.id),
        )

    def show_playlist(self, id_: str, playlist: Playlist) -> Shown:
        """A playlist without its songs."""
        songs = self.entries(playlist)
        return fields(
            id=id_,
            name=playlist.name,
            comment=playlist.comment or None,
            owner=self.user,
            public=False,
            songCount=len(songs),
            duration=_length(songs),
            created=moment(playlist.created),
            changed=moment(playlist.changed),
            coverArt=id_,
        )

    def _starred(self, id_: str) -> str | None:
        when = self.content.stars.get(id_)
        return None if when is None else moment(when)


def moment(when: datetime) -> str:
    """A time as the protocol has it, in UTC."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def suffix_of(path: Path) -> str:
    """What the name of a file ends in: "mp3"."""
    return path.suffix.lower().removeprefix(".")


def content_type(path: Path) -> str:
    """The media type of a file, by its name."""
    return _TYPES.get(suffix_of(path), "application/octet-stream")


def size_of(path: Path) -> int | None:
    """The bytes of a file; None where it is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def kilobits(size: int | None, seconds: float) -> int | None:
    """Kilobits in a second of a file of `size` bytes."""
    return round(size / 125 / seconds) if size is not None and seconds > 0 else None


def _there(things: Mapping[str, Thing], id_: str, kind: str) -> Thing:
    if id_ not in things:
        raise Problem(Code.NOT_FOUND, f"{id_[:50]}: no such {kind}")
    return things[id_]


def _named(names: tuple[str, ...]) -> list[Shown]:
    return [{"id": artist_id(name), "name": name} for name in names]


def _first(names: tuple[str, ...]) -> str | None:
    return names[0] if names else None


def _length(songs: Iterable[Song]) -> int:
    return round(sum(song.duration for song in songs))


def _within(path: Path, root: Path) -> str:
    return one_line(path.relative_to(root) if path.is_relative_to(root) else path.name)
