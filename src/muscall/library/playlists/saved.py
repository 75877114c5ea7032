"""Playlists that stay alive: requests, whose lists are written after every index run."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from muscall.errors import MuscallError, NotFound, one_line
from muscall.library.kept import KeptFile
from muscall.library.playlists.m3u8 import Places, m3u8
from muscall.library.scan import text_path
from muscall.library.search.examples import Example
from muscall.library.search.filters import parse_filter
from muscall.library.search.hits import Results
from muscall.writing import written_aside

if TYPE_CHECKING:
    from muscall.library.library import Library

log = logging.getLogger("muscall")

NAME = "requests.json"
_LONGEST = 100  # characters of a name
_NO_FILE_NAME = re.compile(r'[<>:"/\\|?*]|^[. ]|[. ]$')  # on any system
Way = Literal["search", "walk", "path"]


class Request(BaseModel):
    """What a playlist asks for, as `Library.search`, `walk` or `path` do, and how it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    way: Way = "search"
    """A walk starts from the one in `like`; a path leads from the first to the second."""
    text: str = ""
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    where: str = ""
    n: int = 50
    max_per_artist: int | None = None
    file: str = ""
    """The list, as `scan.path_text` writes it; empty for one in the library's own folder."""
    relative: bool = False
    """Whether its paths start from its own folder."""
    prefix: tuple[str, str] | None = None
    server: str = ""
    sign: str = ""
    """These as in `Places`."""

    def said(self) -> str:
        """What is asked for, on a line."""
        asked = [self.text, *(f"like {one}" for one in self.like)]
        asked += [f"unlike {one}" for one in self.unlike]
        asked += [f"no {words}" for words in self.avoid]
        asked += [f"where {self.where}"] if self.where else []
        way = "" if self.way == "search" else f"{self.way}: "
        return one_line(f"{way}{', '.join(filter(None, asked))} ({self.n})")


class Requests(BaseModel):
    """What the file holds: requests by name."""

    model_config = ConfigDict(extra="forbid")

    playlists: dict[str, Request] = {}


@dataclass(frozen=True)
class Saved:
    """A request, its name, and where its list is written."""

    name: str
    request: Request
    file: Path


class Playlists:
    """The requests that are saved in a library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._kept = KeptFile(library.store.folder, NAME, Requests)

    def all(self) -> list[Saved]:
        """Those that are saved, by name.

        Raises:
            MuscallError: they cannot be read.
        """
        found = self._kept.read().playlists.items()
        saved = [Saved(name, request, self._file(name, request)) for name, request in found]
        return sorted(saved, key=lambda one: one.name.casefold())

    def get(self, name: str) -> Saved:
        """The one of a name.

        Raises:
            NotFound: there is none.
        """
        for saved in self.all():
            if saved.name == name:
                return saved
        raise NotFound(f"{name[:_LONGEST]}: no such playlist; `muscall playlist list` shows them")

    def tracks(self, name: str) -> Results:
        """What a request finds now.

        Raises:
            NotFound: there is none of that name.
            MuscallError: as `Library.search`.
        """
        return self._find(self.get(name).request)

    def save(self, name: str, request: Request) -> Results:
        """Keep a request under a name, in place of another of that name, and write its list.

        Whole songs of the library are kept by their sound, and found wherever they are moved.

        Raises:
            MuscallError: the name is no name of a file; the request cannot be answered; the list
                or the request cannot be written.
        """
        if not 0 < len(name) <= _LONGEST or name != one_line(name) or _NO_FILE_NAME.search(name):
            raise MuscallError(
                f'"{name[:_LONGEST]}": no name for a playlist: 1 to {_LONGEST} letters that a file '
                'can be called by, none of <>:"/\\|?*, no dot or space at the ends'
            )
        _check(request)
        lasting = {
            side: tuple(map(self._lasting, getattr(request, side))) for side in ("like", "unlike")
        }
        request = request.model_copy(update=lasting)
        found = self._find(request)
        with self._kept.changed() as content:
            content.playlists[name] = request
            self._write(Saved(name, request, self._file(name, request)), found)
        return found

    def remove(self, name: str) -> Saved:
        """Forget a request, and delete its list.

        Raises:
            NotFound: there is none of that name.
            MuscallError: it cannot be forgotten.
        """
        saved = self.get(name)
        with self._kept.changed() as content:
            content.playlists.pop(name, None)
        try:
            saved.file.unlink(missing_ok=True)
        except OSError as error:
            raise MuscallError(f"{saved.file}: cannot be deleted: {error.strerror}") from error
        return saved

    def write(self) -> None:
        """Write all lists anew. One line names a list that cannot be written; the others are."""
        try:
            every = self.all()
        except MuscallError as error:
            log.warning("%s", error)
            return
        for saved in every:
            try:
                self._write(saved, self._find(saved.request))
            except MuscallError as error:
                log.warning("playlist %s: %s", saved.name, error)

    def _find(self, request: Request) -> Results:
        library = self._library
        if request.way == "walk":
            return library.walk(request.like[0], n=request.n, where=request.where)
        if request.way == "path":
            return library.path(*request.like[:2], n=request.n, where=request.where)
        return library.search(
            request.text,
            like=request.like,
            unlike=request.unlike,
            avoid=request.avoid,
            where=request.where,
            n=request.n,
            max_per_artist=request.max_per_artist,
        )

    def _write(self, saved: Saved, found: Results) -> None:
        request = saved.request
        start = saved.file.parent if request.relative else None
        places = Places(start, request.prefix, request.server, request.sign)
        data = m3u8(found, places).encode()
        try:
            if not request.file:
                saved.file.parent.mkdir(parents=True, exist_ok=True)
            if saved.file.read_bytes() == data:
                return  # and no player that watches it is woken
        except FileNotFoundError:
            pass
        except OSError as error:
            raise MuscallError(f"{saved.file}: cannot be written: {error.strerror}") from error
        with written_aside(saved.file) as file:
            file.write(data)

    def _file(self, name: str, request: Request) -> Path:
        if request.file:
            return text_path(request.file)
        return Path(self._library.store.folder) / "playlists" / f"{name}.m3u8"

    def _lasting(self, example: str) -> str:
        """An example as it can be kept: by its key, or with its absolute path."""
        (sound,) = self._library.sounds([example])
        parsed = Example.parse(example)
        whole = parsed.start is None and parsed.end is None
        store, embedding_version = self._library.store, self._library.embedding_version
        if whole and len(store.rows(embedding_version, [sound.key])):
            return sound.key
        path = os.path.normpath(parsed.path.absolute())
        if one_line(path) != path:
            raise MuscallError(f"{path}: cannot be kept as an example: its name is no line of text")
        times = (parsed.start or 0, parsed.end)
        return (
            path if whole else "@".join([path, "-".join(f"{t:g}" for t in times if t is not None)])
        )


def _check(request: Request) -> None:
    """That a request is whole, where this can be seen without an answer.

    Raises:
        MuscallError: it is not.
    """
    songs = {"walk": 1, "path": 2}.get(request.way)
    if songs is None:
        if not (request.text.strip() or request.like or request.where.strip()):
            raise MuscallError("say what to find: a sentence, an example or a filter")
    elif len(request.like) != songs:
        raise MuscallError(f"a {request.way} needs {songs} to be like, not {len(request.like)}")
    elif request.text or request.unlike or request.avoid or request.max_per_artist:
        raise MuscallError(f"a {request.way} goes by its songs and a filter alone")
    if request.way == "path" and request.n < 2:
        raise MuscallError("a path has two tracks at least")
    if sum([request.relative, request.prefix is not None, bool(request.server)]) > 1:
        raise MuscallError("choose one of relative paths, another beginning and a server")
    if request.where.strip():
        parse_filter(request.where)
