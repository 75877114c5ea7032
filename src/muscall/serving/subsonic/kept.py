"""What listeners keep with their apps: playlists and stars, in one small file of the library."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from muscall.errors import MuscallError

NAME = "playlists.json"


class Playlist(BaseModel):
    """A list of songs, by their keys; also of such as are not there for now."""

    model_config = ConfigDict(extra="forbid")

    name: str
    comment: str = ""
    keys: list[str] = []
    created: datetime
    changed: datetime


class Content(BaseModel):
    """What the file holds: playlists by id, and by id of song, album or artist when it was starred.

    What is not understood is an error, because it would be lost when the file is written.
    """

    model_config = ConfigDict(extra="forbid")

    playlists: dict[str, Playlist] = Field(default_factory=dict)
    stars: dict[str, datetime] = Field(default_factory=dict)


class Kept:
    """The file in the `folder` of a library. Safe to use from several threads and processes."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = folder

    def read(self) -> Content:
        """What is kept; nothing where there is no file yet.

        Raises:
            MuscallError: the file cannot be read.
        """
        if not isinstance(self._folder, Path):
            return Content()
        path = self._folder / NAME
        try:
            return Content.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return Content()
        except OSError as error:
            raise MuscallError(f"{path}: cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise MuscallError(
                f"{path}: damaged, or of a later version: {error.errors()[0]['msg']}; "
                "put back a copy of it, or move it away to begin anew"
            ) from error

    @contextmanager
    def changed(self) -> Iterator[Content]:
        """What is kept, to be changed; it is written at the end, as a whole or not at all.

        Raises:
            MuscallError: the file cannot be read or written.
        """
        if not isinstance(self._folder, Path):
            raise MuscallError(f"{self._folder}: playlists are kept with libraries on a disk only")
        path = self._folder / NAME
        aside = self._folder / f".{NAME}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / f".{NAME}.lock"):
                content = self.read()
                yield content
                with aside.open("w", encoding="utf-8") as file:
                    file.write(content.model_dump_json(indent=1))
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(path)
        except OSError as error:
            raise MuscallError(f"{path}: cannot be written: {error.strerror}") from error


def now() -> datetime:
    """This second."""
    return datetime.now(UTC).replace(microsecond=0)
