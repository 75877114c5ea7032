"""What the REST API takes and answers, as pydantic models; tracks are in `shown.py`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path as InPath
from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from muscall.serving.indexing import Progress

_KEY, _UPLOAD = "[0-9a-f]{40}", "upload-[0-9a-f]{32}"
EXAMPLE = f"^(?:{_KEY}|{_UPLOAD})$"
"""What names a track, or an upload; never a file of the machine that serves."""


def _valid(text: str) -> str:
    """`text` without half characters, which JSON can write but nothing can read."""
    return text.encode("utf-8", "replace").decode()


Key = Annotated[str, InPath(pattern=f"^{_KEY}$", description="Of a track: forty hex digits.")]
# In most scripts all of a query fits an address, of which servers read 64 KiB.
Text = Annotated[str, Field(max_length=1000), AfterValidator(_valid)]
Words = Annotated[str, Field(max_length=200), AfterValidator(_valid)]
TrackKey = Annotated[str, Field(pattern=f"^{_KEY}$")]
Example = Annotated[str, Field(pattern=EXAMPLE)]
Filters = Annotated[Sequence[Text], Query(max_length=10, description="As in `/v1/search`.")]


class Problem(BaseModel):
    """Why there is no answer, in one line."""

    detail: str


class Asked(BaseModel):
    """What is sent here: nothing that is not understood."""

    model_config = ConfigDict(extra="forbid")


class QueryParameters(Asked):
    """What to find, see `SearchQuery`."""

    text: Text = Field("", description="A sentence: dreamy synths from the 90s, no drums")
    like: list[Example] = Field([], max_length=20, description="Keys of tracks, or uploads.")
    unlike: list[Example] = Field([], max_length=20, description="Keys of tracks, or uploads.")
    avoid: list[Words] = Field([], max_length=10, description="Words for what is not wanted.")
    where: list[Text] = Field(
        [], max_length=10, description='A filter: year > 1990 and genre ~ "jazz". Of several, all.'
    )
    n: int = Field(20, ge=1, le=200)
    max_per_artist: int | None = Field(None, ge=1, le=200)


class Folder(BaseModel):
    """A folder that was indexed, and when it was last looked through."""

    path: str
    scanned: datetime


class LibraryStatus(BaseModel):
    """What is in the library."""

    path: str
    bytes: int
    folders: list[Folder]
    files: int
    offline: int
    failed: int
    embedding_version: str
    """Of the model that serves; `tracks` are those that it has embedded."""
    tracks: int
    hours: float
    damage: str | None
    """What to do where a part of the library cannot be read; what is in it is not counted."""


class Failure(BaseModel):
    """A file that cannot be read."""

    path: str
    reason: str


class Uploaded(BaseModel):
    """An upload, to be named in `like` and `unlike` for an hour."""

    id: str


class Place(BaseModel):
    """A place on the map, in 0..1."""

    x: float
    y: float


class Playlist(Asked):
    """The tracks of a playlist, in order."""

    keys: list[TrackKey] = Field(max_length=10_000)


class IndexingState(BaseModel):
    """What the index run beside the server is at."""

    state: Literal["idle", "running", "paused"]
    progress: Progress | None
    report: str | None
    """What the last run did."""
    error: str | None
    """Why the last run ended early."""


class Order(Asked):
    """What the index run should do."""

    action: Literal["start", "pause", "resume"]
