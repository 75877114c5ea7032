"""Music to compare with: a file, or a passage of it, in the library or not."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from muscall.audio.files import AUDIO_SUFFIXES
from muscall.audio.tags import read_tags
from muscall.errors import AudioError, MuscallError, NotFound
from muscall.library.audio_hash import audio_hash
from muscall.library.names import words_of
from muscall.library.scan import path_text
from muscall.library.search.tracks import Tracks
from muscall.library.store import File, Store, matrix

if TYPE_CHECKING:
    from muscall.models.muscall import MusCALL

_PASSAGE = 15.0  # seconds, where only the start of a passage is given
_COVERED = 0.9  # share of a passage that windows of the library must hold to stand for it
_TOGETHER = 1000  # files that are looked up at once
_CALLED = 100  # tracks whose names have the words of a title

_TIME = r"(?:(?:\d+:)?\d+:)?\d+(?:\.\d+)?"
_KEY = re.compile("[0-9a-f]{40}")
_PLACE = re.compile(rf"(.+)@({_TIME})(?:-({_TIME}))?", re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A file, or the passage of it from `start` to `end`, in seconds.

    Raises:
        MuscallError: the passage is empty, or starts before the file.
    """

    path: Path
    start: float | None = None
    end: float | None = None

    def __post_init__(self) -> None:
        start, end = self.start or 0.0, np.inf if self.end is None else self.end
        if not 0 <= start < end:
            raise MuscallError(f"{self.path}: no passage from {start:g} to {end:g} s")

    @classmethod
    def parse(cls, text: str | Path | Example) -> Example:
        """Read `song.flac`, `song.flac@1:05-1:20`, `song.flac@65-80` or `song.flac@1:05`.

        The last one stands for 15 s from there. What is the name of a file is that file.
        """
        if isinstance(text, Example):
            return text
        found = _PLACE.fullmatch(str(text))
        if found is None or os.path.lexists(text):
            return cls(Path(text))
        start = _seconds(found[2])
        return cls(Path(found[1]), start, _seconds(found[3]) if found[3] else start + _PASSAGE)


@dataclass(frozen=True, eq=False)
class Sound:
    """What an example sounds like: `key` of its file's sound, `vector` (dim,) with unit norm."""

    key: str
    vector: np.ndarray


AnExample = str | Path | Example | Sound
"""As `Example.parse` reads it: "song.flac", or "song.flac@1:05-1:20"; also the key or the title of
a track, or what was heard already.
"""


def _seconds(time: str) -> float:
    seconds = 0.0
    for part in time.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


class Music(Protocol):
    """A library; its model, and so its embedding version, may still have to be loaded."""

    store: Store

    @property
    def embedding_version(self) -> str: ...
    @property
    def model(self) -> MusCALL: ...


class Examples:
    """Gives the vectors of music: out of the library where they are there, else by listening."""

    def __init__(self, music: Music) -> None:
        self._music = music

    def of(self, *examples: AnExample) -> list[Sound]:
        """What each of `examples` sounds like. That all are there is seen without the model.

        Raises:
            AudioError: a file cannot be read, or ends before the passage starts.
            NotFound: a key is that of no track.
            MuscallError: as `Example`.
        """
        examples = tuple(map(self._meant, examples))
        files = {one: parsed for one in examples if (parsed := _file(one)) is not None}
        keys = _keys(self._music.store, [example.path for example in files.values()])
        failures = [key for key in keys.values() if isinstance(key, AudioError)]
        if failures:
            raise failures[0]
        return [
            self._sound(files[one], str(keys[files[one].path]))
            if one in files
            else self._known(one)
            for one in examples
        ]

    def _meant(self, example: AnExample) -> AnExample:
        """The key of the track that has this title, if it is one and no file."""
        if not isinstance(example, str) or _is_file(example):
            return example
        words = words_of([example])
        table = self._music.store.tracks(self._music.embedding_version)
        if table is None or not words:
            return example
        rows = table.search().where(" AND ".join(map(Tracks.has_word, words)))
        found = rows.select(["key", "title", "path"]).limit(_CALLED).to_arrow().to_pylist()
        if not found:
            raise NotFound(f"{example}: no such file, and no track is called so")
        # What is called so and no more before what is called more.
        names = [(row["title"] or "", Path(row["path"]).stem) for row in found]
        whole = [words in (words_of([title]), words_of([stem])) for title, stem in names]
        order = sorted(range(len(found)), key=lambda n: (not whole[n], found[n]["path"]))
        return str(found[order[0]]["key"])

    def _known(self, example: AnExample) -> Sound:
        if isinstance(example, Sound):
            return example
        vector = self._of_tracks({str(example)}).get(str(example))
        if vector is None:
            raise NotFound(f"{example}: no such track")
        return Sound(str(example), vector)

    def _sound(self, example: Example, key: str) -> Sound:
        whole = example.start is None and example.end is None
        vector = self._of_tracks({key}).get(key) if whole else self._of_windows(key, example)
        return Sound(key, self._heard(example) if vector is None else vector)

    def sounds(self, paths: Sequence[Path]) -> Iterator[tuple[Path, Sound | AudioError]]:
        """What each file sounds like as a whole, or why it cannot be read; in their order."""
        for start in range(0, len(paths), _TOGETHER):
            some = paths[start : start + _TOGETHER]
            keys = _keys(self._music.store, some)
            known = self._of_tracks({key for key in keys.values() if isinstance(key, str)})
            strange = [path for path in some if isinstance(keys[path], str)]
            strange = [path for path in strange if keys[path] not in known]
            with closing(self._music.model.encode_each(strange)) as heard:
                for path in some:
                    key = keys[path]
                    if isinstance(key, AudioError):
                        yield path, key
                        continue
                    vector = known[key] if key in known else next(heard)[1]
                    if isinstance(vector, AudioError):
                        yield path, vector
                    else:
                        yield path, Sound(key, vector)

    def genre(self, example: AnExample, sound: Sound) -> str:
        """What the tags of an example say of its genre, with "; " between several."""
        rows = self._music.store.rows(self._music.embedding_version, {sound.key})
        if len(rows):
            return rows["genre"][0].as_py() or ""
        file = _file(example)
        return "" if file is None else "; ".join(read_tags(file.path).genre)

    def _of_tracks(self, keys: set[str]) -> Mapping[str, np.ndarray]:
        rows = self._music.store.rows(self._music.embedding_version, keys)
        return dict(zip(rows["key"].to_pylist(), matrix(rows["vector"]), strict=True))

    def _of_windows(self, key: str, example: Example) -> np.ndarray | None:
        """The mean of the windows that lie in a passage; None where they are not most of it."""
        table = self._music.store.windows(self._music.embedding_version)
        if table is None or example.end is None:
            return None
        first, last = example.start or 0.0, example.end
        slack = 0.01  # seconds; starts are float32
        inside = f"start >= {first - slack} AND start + seconds <= {last + slack}"
        rows = table.search().where(f"key = '{key}' AND {inside}").to_arrow().sort_by("start")
        if not len(rows):
            return None
        starts, seconds = (rows[name].to_numpy() for name in ("start", "seconds"))
        covered = np.minimum(seconds[:-1], np.diff(starts)).sum() + seconds[-1]
        if covered < _COVERED * (last - first):
            return None
        total = matrix(rows["vector"]).astype(np.float64).sum(axis=0)
        return np.asarray(total / np.linalg.norm(total), np.float32)

    def _heard(self, example: Example) -> np.ndarray:
        from muscall.models.inference import Segment

        start = example.start or 0.0
        duration = None if example.end is None else example.end - start
        model, segment = self._music.model, Segment(example.path, start, duration)
        vector: np.ndarray = model.encode_audio([segment])[0]
        return vector


def _is_file(text: str) -> bool:
    """Whether a text is the key of a track, or names a file, which need not be there."""
    path = Example.parse(text).path
    return (
        _KEY.fullmatch(text) is not None
        or os.path.lexists(path)
        or path.parent != Path()
        or path.suffix.lower() in AUDIO_SUFFIXES
    )


def _file(example: AnExample) -> Example | None:
    """The file or passage that is meant; None for the key of a track, or a sound."""
    if isinstance(example, Sound):
        return None
    is_key = isinstance(example, str) and _KEY.fullmatch(example) and not os.path.lexists(example)
    return None if is_key else Example.parse(example)


def _keys(store: Store, paths: Sequence[Path]) -> dict[Path, str | AudioError]:
    """The key of each file's sound, or why it cannot be read.

    Of a file that is as it was when it was indexed, or that is gone, the library knows it.
    """
    names = {path: path_text(Path(os.path.normpath(path.absolute()))) for path in paths}
    files = store.files(names.values())
    return {path: _known(files.get(name), path) or _read(path) for path, name in names.items()}


def _known(row: File | None, path: Path) -> str | None:
    if row is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return row.key
    return row.key if (row.size, row.mtime_ns) == (status.st_size, status.st_mtime_ns) else None


def _read(path: Path) -> str | AudioError:
    try:
        return audio_hash(path)
    except AudioError as error:
        return error
