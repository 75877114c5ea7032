"""Sound and pictures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fastapi.responses import Response

from muscall.errors import NotFound
from muscall.serving import streaming
from muscall.serving.subsonic.answers import Code, Problem
from muscall.serving.subsonic.visit import Visit, content_type, kilobits, size_of, suffix_of

_LOOKED_AT = 10  # songs of an album, an artist or a playlist, for one with a cover
_USUAL = "mp3"  # what a file of too many kilobits becomes, where the app names no smaller format


def stream(visit: Visit) -> Response:
    """A song, as the app can play it: as it is, or in the format and bit rate that it asks for."""
    song = visit.song(visit.asked.needed("id"))
    wanted, most = visit.asked.text("format").lower(), visit.asked.number("maxBitRate", 0)
    if wanted == "raw":
        return download(visit)
    path = visit.service.file(song.key)
    slow = not most or (kilobits(size_of(path), song.duration) or 0) <= most
    if slow and wanted not in streaming.FORMS:
        path, kind = visit.service.audio(song.key)
    elif slow and wanted == suffix_of(path):
        kind = content_type(path)
    else:
        form = streaming.FORMS.get(wanted)
        if form is None or (not slow and not form.kilobits):
            form = streaming.FORMS[_USUAL]
        path, kind = streaming.converted(path, song.key, visit.service.sound, form, most)
    return _sent(visit, path, kind)


def download(visit: Visit) -> Response:
    """The file of a song as it is."""
    path = visit.service.file(visit.song(visit.asked.needed("id")).key)
    return _sent(visit, path, content_type(path))


def cover(visit: Visit) -> Response:
    """The cover of a song, or of the first with one on an album, of an artist or in a playlist."""
    id_ = visit.asked.needed("id")
    for song in visit.songs_of(id_)[:_LOOKED_AT]:
        with suppress(NotFound):
            if found := visit.service.cover(song.key):
                data, kind = found
                headers = {"Cache-Control": "private, max-age=86400"}
                return Response(data, media_type=kind, headers=headers)
    raise Problem(Code.NOT_FOUND, f"{id_[:50]}: no cover")


def _sent(visit: Visit, path: Path, kind: str) -> Response:
    visit.request.scope["method"] = "GET"  # of which alone Starlette sends ranges
    return streaming.send(path, kind, visit.request)


ENDPOINTS: dict[str, Callable[[Visit], Response]] = {
    "stream": stream,
    "download": download,
    "getCoverArt": cover,
}
