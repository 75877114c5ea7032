"""The library for assistants: tools of the Model Context Protocol (`muscall mcp`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field
from starlette.types import ASGIApp

from muscall import __version__
from muscall.clock import clock
from muscall.errors import MuscallError, one_line
from muscall.library.playlists.m3u8 import called
from muscall.library.playlists.pushing import push
from muscall.library.playlists.saved import Request, Way
from muscall.library.playlists.subsonic import Server
from muscall.library.search.query import SearchQuery
from muscall.serving.security import Guard
from muscall.serving.service import Service
from muscall.serving.shown import Answer, Track, answer_of

_INSTRUCTIONS = """\
A person's own music, found by how it sounds, by names and by what is known of it. A request is a \
plain English sentence, as "calm piano for a rainy evening, no drums", "like Sinnerman, from the \
60s", "under 100 bpm, in A minor". Each answer tells how it was understood: say so where that is \
not what was meant. Tracks are named by their keys."""
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=False)
_SENDS = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=True)
_MOST = 100  # tracks in an answer

Asked = ParamSpec("Asked")
Told = TypeVar("Told")

Key = Annotated[
    str, Field(pattern="^[0-9a-f]{40}$", description="Of a track, as the tools tell it.")
]
Text = Annotated[str, Field(max_length=1000, description="What to hear, in plain English.")]
Where = Annotated[
    str,
    Field(
        max_length=1000,
        description='A filter: year > 1990 and (bpm < 100 or genre ~ "dub"). Also title, artist, '
        "album, path, key, loudness, rating in stars, duration in seconds.",
    ),
]
N = Annotated[int, Field(ge=1, le=_MOST, description="How many tracks.")]
Name = Annotated[str, Field(max_length=100, description="Of a playlist.")]


class Song(BaseModel):
    """A track in a few words."""

    key: str
    name: str
    """As "Ann - Dawn"."""
    album: str
    length: str
    """As "3:21"."""
    about: str
    """Year, genre, tempo and key, what of them is known."""


class Songs(BaseModel):
    """Tracks, best first or in the order to be heard."""

    understood: list[str]
    """What the sentence was taken to ask for: "sound: calm piano", "without: drums"."""
    tracks: list[Song]


Found = Annotated[CallToolResult, Songs]
"""Songs for programs, and as short lines for the assistant to read."""


class Described(BaseModel):
    """What a track sounds like."""

    track: Song
    labels: dict[str, list[str]]
    """Of each kind (genre, instrument, sound) those that fit best."""


class State(BaseModel):
    """What is in the library."""

    tracks: int
    hours: float
    folders: list[str]
    unreadable_files: int
    indexing: str
    playlists: list[str]
    can_push_to: str
    """The server that playlists can be pushed to, may be empty."""


class PushedList(BaseModel):
    """What of a playlist a server has."""

    server: str
    there: int
    missing: list[str]


def assistants(service: Service, remote: Server | None = None) -> MCPServer[Any]:
    """The server of these tools over `service`.

    Args:
        remote: where playlists may be pushed to; nobody else decides that.
    """
    server = MCPServer[Any](
        "muscall", version=__version__, instructions=_INSTRUCTIONS, log_level="WARNING"
    )

    def tool(hints: ToolAnnotations) -> Callable[[Callable[Asked, Told]], Callable[Asked, Told]]:
        """A tool, whose errors reach the assistant as one line."""

        def named(work: Callable[Asked, Told]) -> Callable[Asked, Told]:
            @wraps(work)
            def told(*asked: Asked.args, **named: Asked.kwargs) -> Told:
                try:
                    return work(*asked, **named)
                except MuscallError as error:
                    raise ToolError(str(error)) from error

            return server.tool(annotations=hints)(told)

        return named

    @tool(_READS)
    def search(text: Text = "", where: Where = "", n: N = 10) -> Found:
        """Find tracks that fit a sentence, a filter, or both. Best first."""
        return _songs(service.search(SearchQuery(text, where=where, n=n)))

    @tool(_READS)
    def find_alike(key: Key, text: Text = "", where: Where = "", n: N = 10) -> Found:
        """Find tracks that sound like one; with `text`, also like that. Best first."""
        return _songs(service.search(SearchQuery(text, like=(key,), where=where, n=n)))

    @tool(_READS)
    def walk(start: Key, where: Where = "", n: N = 30) -> Found:
        """A radio: tracks each near to the one before, artists spread, from `start`."""
        return _songs(service.walk(start, n, where))

    @tool(_READS)
    def path(start: Key, end: Key, where: Where = "", n: N = 12) -> Found:
        """Tracks that lead from one to another in even steps, with both ends."""
        return _songs(service.path(start, end, n, where))

    @tool(_READS)
    def describe(key: Key) -> Described:
        """What a track sounds like, as far as that can be trusted; its genre is of its tags."""
        labels: dict[str, list[str]] = {}
        for label in service.labels(key):
            labels.setdefault(label.kind, []).append(label.text)
        return Described(track=_song(service.track(key)), labels=labels)

    @tool(_READS)
    def status() -> State:
        """How much music there is, what the playlists are called, and where they can be pushed."""
        found = service.status()
        heard = found.heard_by(service.library.embedding_version)
        return State(
            tracks=heard.tracks,
            hours=round(heard.hours, 1),
            folders=[one_line(folder) for folder in found.roots],
            unreadable_files=found.failed,
            indexing=service.indexing.state,
            playlists=[saved.name for saved in service.library.playlists.all()],
            can_push_to=remote.url if remote else "",
        )

    @tool(_READS)
    def show_playlist(name: Name) -> Found:
        """The tracks of a saved playlist, as it is now."""
        return _songs(answer_of(service.library.playlists.tracks(name)))

    @tool(_WRITES)
    def save_playlist(
        name: Name,
        way: Way = "search",
        text: Text = "",
        like: Annotated[list[Key], Field(max_length=20)] = [],  # noqa: B006
        where: Where = "",
        n: N = 50,
    ) -> Found:
        """Save a playlist that stays alive: its request is answered anew when music is added.

        A "search" takes text, filter and tracks to be like; a "walk" one track to start from; a
        "path" the first and the last. Another playlist of that name is replaced: ask the person.
        """
        request = Request(way=way, text=text, like=tuple(like), where=where, n=n)
        return _songs(answer_of(service.library.playlists.save(name, request)))

    if remote is not None:

        @tool(_SENDS)
        def push_playlist(name: Name) -> PushedList:
            """Write a saved playlist to the person's music server. One of that name is replaced."""
            pushed = push(remote, name, service.library.playlists.tracks(name))
            missing = [one_line(called(hit.path, hit.title, hit.artist)) for hit in pushed.missing]
            return PushedList(server=remote.url, there=len(pushed.there), missing=missing)

    return server


def guarded(server: MCPServer[Any], api_key: str | None) -> ASGIApp:
    """The application that answers at /mcp, to those whom `muscall serve` would answer."""
    # Who may ask is looked at by our own guard, which knows of keys and proxies.
    open_ = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return Guard(server.streamable_http_app(transport_security=open_), api_key)


def _songs(answer: Answer) -> CallToolResult:
    found = Songs(
        understood=list(map(str, answer.understood)),
        tracks=[_song(one.track) for one in answer.results[:_MOST]],
    )
    lines = [f"understood: {' · '.join(found.understood)}"] if found.understood else []
    for song in found.tracks:
        about = "; ".join(filter(None, (song.album, song.length, song.about)))
        lines.append(f"{song.key} {song.name} ({about})")
    text = "\n".join(lines if found.tracks else [*lines, "nothing fits"])
    return CallToolResult(
        content=[TextContent(text=text)], structured_content=found.model_dump(mode="json")
    )


def _song(track: Track) -> Song:
    about = (
        str(track.year or ""),
        track.genre,
        f"{track.bpm:.0f} bpm" if track.bpm else "",
        track.musical_key or "",
    )
    return Song(
        key=track.key,
        name=called(Path(track.path), track.title, track.artist),
        album=track.album,
        length=clock(round(track.duration)),
        about=", ".join(filter(None, about)),
    )
