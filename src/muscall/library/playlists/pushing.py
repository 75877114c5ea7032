"""Writes lists to other servers, which know the same music by other names."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath

from muscall.audio.tags import read_tags
from muscall.errors import MuscallError
from muscall.library.names import folded, several_names
from muscall.library.playlists.subsonic import Server, Song
from muscall.library.search.hits import Hit

_SHARED = 2  # names at the end of two paths that are the same, at least
_LENGTHS = 0.02  # share by which lengths may differ,
_SECONDS = 2.0  # or so much: servers round


@dataclass(frozen=True)
class Pushed:
    """What of a list a server has, in order, and what it has not."""

    there: list[Hit]
    missing: list[Hit]


def push(
    server: Server,
    name: str,
    hits: Sequence[Hit],
    progress: Callable[[int, int], None] | None = None,
) -> Pushed:
    """Make the playlist `name` of a server hold the tracks of a list that it has.

    Args:
        progress: called with the number of tracks that were looked up, and of all.

    Raises:
        MuscallError: the server does not answer, or has none of them; its playlist is as before.
    """
    there: list[tuple[Hit, str]] = []
    missing: list[Hit] = []
    for done, hit in enumerate(hits, 1):
        song = _look_up(server, hit)
        if song is None:
            missing.append(hit)
        else:
            there.append((hit, str(song["id"])))
        if progress is not None:
            progress(done, len(hits))
    if not there:
        raise MuscallError(f"{server.url}: has none of the {len(hits)} tracks of {name}")
    server.put(name, [id_ for _, id_ in there])
    return Pushed([hit for hit, _ in there], missing)


def _look_up(server: Server, hit: Hit) -> Song | None:
    recording = read_tags(hit.path).recording
    for title in dict.fromkeys(filter(None, (hit.title, hit.path.stem))):
        # What is no Unicode has another name there.
        song = match(hit, recording, server.find(title.encode("utf-8", "replace").decode()))
        if song is not None:
            return song
    return None


def match(hit: Hit, recording: str, songs: Iterable[Song]) -> Song | None:
    """The song that is a track: by the end of its path, its MusicBrainz id, or its tags.

    Of none may the length be another.

    Args:
        recording: the id of the track in MusicBrainz, may be empty.
    """
    near = [song for song in songs if _lasts(song, hit.duration)]
    by_path = [song for song in near if _is_at(song, hit.path)]
    by_id = [song for song in near if recording and song.get("musicBrainzId") == recording]
    by_tags = [song for song in near if _is_called(song, hit)]
    for found in (by_path, by_id, by_tags):
        if found:
            # Of several, that of the same album.
            return max(found, key=lambda song: folded(song.get("album") or "") == folded(hit.album))
    return None


def _lasts(song: Song, seconds: float) -> bool:
    length = song.get("duration")
    return length is None or abs(length - seconds) <= max(_SECONDS, _LENGTHS * seconds)


def _is_at(song: Song, path: PurePath) -> bool:
    """Whether the last names of both paths are the same: two, or as many as the server gives."""
    its = _names(PurePosixPath(str(song.get("path") or "").replace("\\", "/")))
    ours = _names(path)
    last = its[-_SHARED:]
    return bool(last) and ours[-len(last) :] == last


def _names(path: PurePath) -> list[str]:
    parts = [part for part in path.parts if part != path.anchor]
    return [unicodedata.normalize("NFC", part) for part in parts]


def _is_called(song: Song, hit: Hit) -> bool:
    artists = " ".join(
        [str(song.get("artist") or ""), *(one.get("name", "") for one in song.get("artists") or ())]
    )
    same = folded(hit.title) == folded(str(song.get("title") or ""))
    named = [folded(artist) for artist in several_names(hit.artist)]
    return bool(hit.title) and same and any(one in folded(artists) for one in named)
