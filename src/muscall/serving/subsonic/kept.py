"""What listeners keep with their apps: playlists and stars, in one small file of the library."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from muscall.library.kept import KeptFile

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


class Kept(KeptFile[Content]):
    """The file in the `folder` of a library."""

    def __init__(self, folder: str | Path) -> None:
        super().__init__(folder, NAME, Content)


def now() -> datetime:
    """This second."""
    return datetime.now(UTC).replace(microsecond=0)
