"""Saved playlists, under /v1/playlists."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as InPath
from fastapi.responses import Response
from pydantic import BaseModel, Field

from muscall.library.playlists.m3u8 import m3u8
from muscall.library.playlists.saved import Request, Saved, Way
from muscall.library.search.filters import all_of
from muscall.serving.api import Serving, content, problems
from muscall.serving.schemas import Asked, Text, TrackKey, Words
from muscall.serving.shown import Answer, answer_of

Name = Annotated[str, InPath(max_length=100, description="Of a saved playlist.")]
router = APIRouter(prefix="/v1/playlists", responses=problems(400, 401, 403, 413, 422))


class SavedRequest(Asked):
    """What a playlist asks for: as `/v1/search`, `/v1/walk` or `/v1/path`."""

    way: Way = "search"
    text: Text = ""
    like: list[TrackKey] = Field([], max_length=20)
    """For a walk the start; for a path the start and the end."""
    unlike: list[TrackKey] = Field([], max_length=20)
    avoid: list[Words] = Field([], max_length=10)
    where: list[Text] = Field([], max_length=10)
    n: int = Field(50, ge=1, le=500)
    max_per_artist: int | None = Field(None, ge=1, le=200)


class SavedPlaylist(BaseModel):
    """A request and its name."""

    name: str
    way: Way
    text: str
    like: list[str]
    """Keys of tracks, or files."""
    unlike: list[str]
    avoid: list[str]
    where: str
    n: int
    max_per_artist: int | None

    @classmethod
    def of(cls, saved: Saved) -> SavedPlaylist:
        """As it is shown: not where its list is, and not how that shows a key."""
        return cls(name=saved.name, **saved.request.model_dump(include=set(cls.model_fields)))


@router.get("")
def playlists(service: Serving) -> list[SavedPlaylist]:
    """Those that are saved, by name."""
    return [SavedPlaylist.of(saved) for saved in service.library.playlists.all()]


@router.get("/{name}", responses=problems(404))
def saved_playlist(service: Serving, name: Name) -> Answer:
    """What a playlist finds now."""
    return answer_of(service.library.playlists.tracks(name))


@router.get("/{name}/m3u8", response_class=Response, responses=content("audio/x-mpegurl", 404))
def saved_m3u8(service: Serving, name: Name) -> Response:
    """What a playlist finds now, as M3U8."""
    return Response(m3u8(service.library.playlists.tracks(name)), media_type="audio/x-mpegurl")


@router.put("/{name}", responses=problems(404))
def save_playlist(service: Serving, name: Name, request: SavedRequest) -> Answer:
    """Save a request, in place of another of that name.

    Its list is written into the folder of the library, now and after every index run.
    """
    asked = request.model_dump() | {"where": all_of(request.where)}
    return answer_of(service.library.playlists.save(name, Request(**asked)))


@router.delete("/{name}", status_code=204, responses=problems(404))
def remove_playlist(service: Serving, name: Name) -> None:
    """Forget a request and delete its list."""
    service.library.playlists.remove(name)
