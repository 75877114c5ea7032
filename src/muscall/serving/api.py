"""The REST API under /v1. What it answers stands in its description, /v1/openapi.json."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import anyio
from fastapi import APIRouter, Depends, Query, Request, UploadFile
from fastapi.responses import FileResponse, Response

from muscall.errors import NotFound, one_line
from muscall.library.describing import Label
from muscall.library.search.filters import all_of
from muscall.library.search.query import SearchQuery
from muscall.library.search.suggesting import Suggestion
from muscall.serving.schemas import (
    Example,
    Failure,
    Filters,
    Folder,
    IndexingState,
    Key,
    LibraryStatus,
    Order,
    Place,
    Playlist,
    Problem,
    QueryParameters,
    Text,
    Uploaded,
)
from muscall.serving.service import Service
from muscall.serving.shown import Answer, MapPoint, MapRegion, Track, Waveform
from muscall.serving.streaming import send

# What decodes, or is slow the first time, waits for its like alone: no music for uploads or labels.
_SOUND, _UPLOADS, _OTHERS = map(anyio.CapacityLimiter, (8, 2, 8))

Result = TypeVar("Result")


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _query(parameters: Annotated[QueryParameters, Query()]) -> SearchQuery:
    return SearchQuery(
        text=parameters.text,
        like=tuple(parameters.like),
        unlike=tuple(parameters.unlike),
        avoid=tuple(parameters.avoid),
        where=all_of(parameters.where),
        n=parameters.n,
        max_per_artist=parameters.max_per_artist,
    )


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """How refusals with these codes are described."""
    return {code: {"model": Problem} for code in codes}


def content(kind: str, *codes: int) -> dict[int | str, dict[str, Any]]:
    """How an answer of a media type is described, and refusals with these codes."""
    return {200: {"content": {kind: {}}}, **problems(*codes)}


async def _slowly(work: Callable[[], Result], limiter: anyio.CapacityLimiter = _OTHERS) -> Result:
    return await anyio.to_thread.run_sync(work, limiter=limiter)


Serving = Annotated[Service, Depends(_service)]
Queried = Annotated[SearchQuery, Depends(_query)]
router = APIRouter(prefix="/v1", responses=problems(400, 401, 403, 413, 422))


@router.get("/status")
def status(service: Serving) -> LibraryStatus:
    """What is in the library."""
    found = service.status()
    heard = found.heard_by(service.library.embedding_version)
    return LibraryStatus(
        path=one_line(found.path),
        bytes=found.bytes,
        folders=[Folder(path=one_line(path), scanned=when) for path, when in found.roots.items()],
        files=found.files,
        offline=found.offline,
        failed=found.failed,
        embedding_version=heard.id,
        tracks=heard.tracks,
        hours=heard.hours,
        damage=found.advice,
    )


@router.get("/errors")
def errors(service: Serving) -> list[Failure]:
    """The files that cannot be read, and why."""
    return [Failure(path=path, reason=reason) for path, reason in service.errors()]


@router.get("/search", responses=problems(404))
def search(service: Serving, query: Queried) -> Answer:
    """The tracks that fit best, best first: `text`, `like` or `where` is needed."""
    return service.search(query)


@router.get("/suggest")
def suggest(
    service: Serving, text: Text, n: Annotated[int, Query(ge=1, le=50)] = 10
) -> list[Suggestion]:
    """Names of the library, and labels, that go on as somebody types."""
    return service.library.suggest(text, n)


@router.get("/walk", responses=problems(404))
def walk(
    service: Serving,
    start: Example,
    n: Annotated[int, Query(ge=1, le=500)] = 50,
    where: Filters = (),
) -> Answer:
    """A radio: tracks each near to the one before, from `start`, a key or an upload."""
    return service.walk(start, n, all_of(where))


@router.get("/path", responses=problems(404))
def path(
    service: Serving,
    start: Example,
    end: Example,
    n: Annotated[int, Query(ge=2, le=200)] = 12,
    where: Filters = (),
) -> Answer:
    """Tracks that lead from `start` to `end`, keys or uploads, in even steps."""
    return service.path(start, end, n, all_of(where))


@router.get("/tracks/{key}", responses=problems(404))
def track(service: Serving, key: Key) -> Track:
    """A track."""
    return service.track(key)


@router.head("/tracks/{key}/audio", include_in_schema=False)
@router.get(
    "/tracks/{key}/audio",
    response_class=FileResponse,
    responses=content("audio/*", 404, 416) | {206: {"content": {"audio/*": {}}}},
)
async def audio(
    request: Request,
    service: Serving,
    key: Key,
    form: Annotated[Literal["flac"] | None, Query(alias="as")] = None,
) -> FileResponse:
    """The sound of a track, or a range of it: as it is where browsers play it, else as FLAC.

    `as=flac` asks for FLAC in any case, for browsers that do not play Ogg, say.
    """
    path, kind = await _slowly(lambda: service.audio(key, as_flac=form == "flac"), _SOUND)
    return send(path, kind, request)


@router.get("/tracks/{key}/cover", response_class=Response, responses=content("image/*", 404))
def cover(service: Serving, key: Key) -> Response:
    """The cover of a track."""
    found = service.cover(key)
    if found is None:
        raise NotFound(f"{key}: no cover")
    data, kind = found
    return Response(data, media_type=kind, headers={"Cache-Control": "private, max-age=86400"})


@router.get("/tracks/{key}/waveform", responses=problems(404))
async def waveform(service: Serving, key: Key, query: Queried) -> Waveform:
    """The loudness of equal parts of a track, and how well each matches what is asked for."""
    return await _slowly(lambda: service.waveform(key, query))


@router.get("/tracks/{key}/labels", responses=problems(404))
async def labels(
    service: Serving, key: Key, n: Annotated[int, Query(ge=1, le=50)] = 3
) -> list[Label]:
    """The `n` labels of each kind that fit a track best, best first."""
    return await _slowly(lambda: service.labels(key, n))


@router.post(
    "/uploads",
    status_code=201,
    responses=problems(408, 503),
)
async def upload(service: Serving, file: UploadFile) -> Uploaded:
    """Hear a song that is no part of the library, to search for what is like it. It is not kept."""
    name = file.filename or "the upload"
    return Uploaded(id=await _slowly(lambda: service.upload(name, file.file), _UPLOADS))


@router.get("/map")
async def points(service: Serving) -> list[MapPoint]:
    """All tracks on a plane, those that sound alike close together; 20,000 of them at most."""
    return await _slowly(service.map)


@router.get("/map/regions")
async def regions(service: Serving) -> list[MapRegion]:
    """Words for the parts of the map; none for a map of few tracks."""
    return await _slowly(service.regions)


@router.get("/map/project", responses=problems(404))
async def project(service: Serving, query: Queried) -> Place | None:
    """Where on the map a query lies; null for one that is not about sound."""
    found = await _slowly(lambda: service.project(query))
    return None if found is None else Place(x=found[0], y=found[1])


@router.post("/playlist", response_class=Response, responses=content("audio/x-mpegurl", 404))
def playlist(service: Serving, playlist: Playlist) -> Response:
    """An M3U8 playlist of tracks."""
    return Response(
        service.playlist(playlist.keys),
        headers={"Content-Disposition": 'attachment; filename="muscall.m3u8"'},
        media_type="audio/x-mpegurl",
    )


def _indexing(service: Service) -> IndexingState:
    run = service.indexing
    return IndexingState(state=run.state, progress=run.progress, report=run.report, error=run.error)


@router.get("/indexing")
def indexing(service: Serving) -> IndexingState:
    """What the index run beside the server is at."""
    return _indexing(service)


@router.post("/indexing")
def order(service: Serving, order: Order) -> IndexingState:
    """Listen to what is new in the folders of the library; pause; go on."""
    getattr(service.indexing, order.action)()
    return _indexing(service)
