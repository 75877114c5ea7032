"""A manifest of a music folder, made of the tags of its files."""

from __future__ import annotations

from pathlib import Path

from muscall.audio.files import find_audio
from muscall.audio.tags import Tags, read_tags
from muscall.data.manifest import Row, write_rows
from muscall.errors import MuscallError


def write_manifest(folder: Path, path: Path) -> None:
    """Write a manifest of the files in `folder` that have tags, with captions made of the tags.

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
    """Captions as a listener would type them to find a track with these tags."""
    captions = []
    artist = ", ".join(tags.artist)
    for genre in tags.genre:
        captions.append(f"{genre} music")
        if artist:
            captions.append(f"{genre} by {artist}")
    if artist:
        captions.append(f"music by {artist}")
    if tags.album:
        captions.append(f"a track of {tags.album}")
    if tags.title:
        captions.append(f"{tags.title} by {artist}" if artist else tags.title)
    return captions
