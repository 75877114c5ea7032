"""A manifest of a music folder, out of what its files say about themselves."""

from __future__ import annotations

from pathlib import Path

from muscall.audio.files import find_audio
from muscall.audio.tags import Tags, read_tags
from muscall.data.manifest import Row, write_rows
from muscall.errors import MuscallError


def write_manifest(folder: Path, path: Path) -> None:
    """Write a manifest of every file in `folder` whose tags say something, with captions of them.

    Raises:
        AudioError: there is no such folder.
        MuscallError: no file has tags.
    """
    rows = []
    for file in find_audio([folder]):
        captions = captions_of(read_tags(file))
        if captions:
            rows.append(Row(str(file.resolve()), file, tuple(captions)))
    if not rows:
        raise MuscallError(f"{folder}: no file has a title, an artist, an album or a genre")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_rows(rows, path)


def captions_of(tags: Tags) -> list[str]:
    """What a listener would type to find a track with these tags; nothing where there are none."""
    captions = []
    for genre in filter(None, tags.genre.split("; ")):
        captions.append(f"{genre} music")
        if tags.artist:
            captions.append(f"{genre} by {tags.artist}")
    if tags.artist:
        captions.append(f"music by {tags.artist}")
    if tags.album:
        captions.append(f"a track of {tags.album}")
    if tags.title:
        captions.append(f"{tags.title} by {tags.artist}" if tags.artist else tags.title)
    return captions
