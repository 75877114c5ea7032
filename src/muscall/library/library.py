"""A person's music as an object: `muscall.Library`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import numpy as np

from muscall.audio.files import find_audio
from muscall.errors import AudioError, MuscallError
from muscall.library.indexing.repair import repair
from muscall.library.indexing.report import Report
from muscall.library.indexing.watching import occasions
from muscall.library.playlists.saved import Playlists
from muscall.library.scan import choose_roots, path_text, text_path
from muscall.library.search.examples import AnExample, Examples, Sound
from muscall.library.search.filters import parse_filter
from muscall.library.search.finder import Finder
from muscall.library.search.hits import Results
from muscall.library.search.query import SearchQuery
from muscall.library.search.suggesting import Suggestion
from muscall.library.status import Status, read_errors, read_status
from muscall.library.store import NothingIndexed, Store, default_folder
from muscall.several import several

if TYPE_CHECKING:
    from muscall.library.describing import Label, Vocabulary
    from muscall.library.duplicates import Duplicates
    from muscall.library.indexing.run import Options
    from muscall.models.muscall import MusCALL
    from muscall.models.reader import Reader

log = logging.getLogger("muscall")


class Library:
    """The music that was indexed into a folder.

    Args:
        path: the folder, or a URI as `s3://bucket/library`; None for the one that MUSCALL_LIBRARY
            names, or else the user's own. The first `index` makes it.
        model: what listens: a model, or what `muscall.load` takes. Loaded when it is first needed.
    """

    def __init__(
        self, path: str | Path | None = None, model: MusCALL | str | Path | None = None
    ) -> None:
        self.store = Store(default_folder() if path is None else path)
        self._model = model

    @cached_property
    def model(self) -> MusCALL:
        """The model that listens."""
        if self._model is None or isinstance(self._model, str | Path):
            from muscall.models.muscall import load

            return load(self._model)
        return self._model

    @cached_property
    def reader(self) -> Reader:
        """What reads sentences: the model, or without torch the part of it that can do so."""
        if self._model is None or isinstance(self._model, str | Path):
            from muscall.models.reader import sentence_reader

            return sentence_reader(self._model) or self.model
        return self._model

    @cached_property
    def embedding_version(self) -> str:
        """The name of what the model has listened to in the tables of `store`."""
        from muscall.library.embedding_version import embedding_version_of

        return embedding_version_of(self.reader)

    def index(
        self, roots: str | Path | Sequence[str | Path] = (), **options: Unpack[Options]
    ) -> Report:
        """Bring the library up to date with folders; see `muscall.library.indexing.run.index`.

        Example:
            >>> library.index(["/home/ann/Music"], exclude="Audiobooks")  # doctest: +SKIP
            Report(added=28, ...)
        """
        if not options.get("dry_run"):
            repair(self.store)
        # This need not wait for the model.
        choose_roots(self.store.roots(), roots, options.get("exclude"))
        # A library without a model should not wait for torch.
        from muscall.library.indexing.run import index

        report = index(self.store, self.model, roots, **options)
        if not options.get("dry_run"):
            self.playlists.write()
        return report

    def forget(self, folder: str | Path, *, keep_tracks: bool = False) -> tuple[int, int]:
        """Delete what is known of a folder, and touch nothing in it; how many files and tracks.

        Args:
            keep_tracks: whether only to look through it no more, and to find what it held.

        Raises:
            MuscallError: nothing of it is known, or there is no library.
        """
        from muscall.library.indexing.writer import forget

        self.store.must_exist()
        path = path_text(Path(os.path.normpath(Path(folder).absolute())))
        return forget(self.store, path, keep_tracks=keep_tracks)

    def changes(self, roots: str | Path | Sequence[str | Path] = ()) -> Iterator[None]:
        """Yields at once, then for ever whenever it is time to index `roots` again.

        That is when something changed there, and every ten minutes; all known roots for none.
        """
        folders = [Path(root) for root in several(roots)] or map(text_path, self.store.roots())
        return occasions(list(folders), ignored=Path(self.store.folder))

    def search(
        self,
        text: str = "",
        *,
        like: AnExample | Sequence[AnExample] = (),
        unlike: AnExample | Sequence[AnExample] = (),
        avoid: str | Sequence[str] = (),
        where: str = "",
        n: int = 10,
        max_per_artist: int | None = None,
    ) -> Results:
        """The `n` tracks that fit best, best first: what a sentence asks for, what examples are
        like, or both. The examples themselves are left out.

        Args:
            text: also names ("songs by Nina Simone"), conditions ("from the 60s", "under 3
                minutes", "120 bpm", "in A minor") and what not to hear ("no drums").
            like: files, passages of files, or keys of tracks.
            avoid: what else not to hear.
            where: a filter, see `muscall.library.search.filters.parse_filter`.
            max_per_artist: tracks of one artist at most.

        Returns:
            A list of hits, whose `understood` says how the sentence was read.

        Raises:
            AudioError: an example cannot be read.
            FilterError: `where` cannot be understood.
            NothingIndexed: with this model.
            MuscallError: there is no library, or the query is empty.

        Example:
            >>> library.search("calm piano, no drums", where="year > 1990", n=1)  # doctest: +SKIP
            [Hit(rank=1, key='5d0c…', path=PosixPath('/home/ann/Music/nocturne.flac'), ...)]
        """
        return self.find(
            SearchQuery(
                text, several(like), several(unlike), several(avoid), where, n, max_per_artist
            )
        )

    def suggest(self, typed: str, n: int = 10) -> list[Suggestion]:
        """Artists, albums, titles and labels that go on as somebody types, the best first."""
        return self.finder.suggest(typed, n)

    def find(self, query: SearchQuery) -> Results:
        """As `search`, of a query that was put together elsewhere."""
        sounds = self.sounds([*query.like, *query.unlike], query.where)
        return self.finder.find(query, sounds[: len(query.like)], sounds[len(query.like) :])

    def direction(self, query: SearchQuery) -> np.ndarray | None:
        """Where what is asked for lies, (dim,) float32, unit norm; None of what is not about sound.

        Raises:
            AudioError: an example cannot be read.
        """
        sounds = self._examples.of(*query.like, *query.unlike)
        return self.finder.direction(query, sounds[: len(query.like)], sounds[len(query.like) :])

    def similar(
        self,
        example: AnExample,
        *,
        n: int = 10,
        where: str = "",
        max_per_artist: int | None = None,
    ) -> Results:
        """The `n` tracks that sound most like a file or passage, without itself; see `search`."""
        return self.search(like=[example], n=n, where=where, max_per_artist=max_per_artist)

    def walk(self, example: AnExample, *, n: int = 50, where: str = "") -> Results:
        """A radio: `n` tracks, the first near to a file or passage, the others to that before them.

        No track is played twice, and no artist again within five tracks where there are enough.

        Raises:
            AudioError: the example cannot be read.
            FilterError: `where` cannot be understood.
            NothingIndexed: with this model.
            MuscallError: there is no library.
        """
        (sound,) = self.sounds([example], where)
        return self.finder.walk(sound, n, where)

    def path(self, start: AnExample, end: AnExample, *, n: int = 12, where: str = "") -> Results:
        """`n` tracks, two at least, that lead from one file or passage to another in even steps.

        Tracks of the library are themselves the ends.

        Raises:
            AudioError: an example cannot be read.
            FilterError: `where` cannot be understood.
            NothingIndexed: with this model.
            MuscallError: there is no library.
        """
        first, last = self.sounds([start, end], where)
        return self.finder.path(first, last, n, where)

    def sounds(self, examples: Sequence[AnExample], where: str = "") -> list[Sound]:
        """What examples sound like, if a filter beside them can be understood.

        Raises:
            AudioError: an example cannot be read.
            FilterError: `where` cannot be understood.
            MuscallError: there is no library.
        """
        self.store.must_exist()
        if where.strip():
            parse_filter(where)  # here, where a slip of the pen need not wait for the model
        return self._examples.of(*examples)

    def embedding(self, example: AnExample) -> np.ndarray:
        """Where a file or passage lies, (dim,) float32, unit norm.

        Out of the library where it is there, else listened to now; there need not be a library.

        Raises:
            AudioError: it cannot be read.
        """
        return self._examples.of(example)[0].vector

    def describe(
        self, example: AnExample, *, labels: Path | None = None, n: int = 3
    ) -> list[Label]:
        """The `n` labels of each kind that fit a file or passage best, best first.

        The genre in its tags comes first. The others are compared with the tracks of the library,
        if there are enough. With the packaged weights only such are given as can be trusted
        (`trusted.Calibration`).

        Args:
            labels: a file that `read_labels` reads; None for the vocabulary of the package.

        Raises:
            MuscallError: the file or the labels cannot be read.
        """
        from muscall.library.describing import read_labels

        read_labels(labels)  # here, where they need not wait for the model
        (sound,) = self._examples.of(example)
        genre = None if labels else self._examples.genre(example, sound)
        return self.vocabulary(labels).describe(sound.vector, n, genre)

    def tags(
        self,
        folders: str | Path | Sequence[str | Path] = (),
        *,
        labels: Path | None = None,
        n: int = 3,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[tuple[Path, list[Label] | AudioError]]:
        """For each file in `folders`, or in the library for none, the labels that fit it.

        At most `n` of each kind, best first, and only such as fit better than usual. What is not
        in the library is listened to. In place of its labels a file that cannot be read has the
        reason.

        Args:
            progress: called with the number of files done and of all files.

        Raises:
            MuscallError: the labels cannot be read, or there is no music.
        """
        folders = several(folders)
        paths = find_audio(folders)
        if not folders:
            files = self.store.files().values()
            paths = sorted(text_path(file.path) for file in files if file.state == "present")
        if not paths:
            raise MuscallError(f"no music in {', '.join(map(str, folders)) or self.store.folder}")
        vocabulary = self.vocabulary(labels)
        for done, (path, sound) in enumerate(self._examples.sounds(paths), 1):
            yield path, vocabulary.fitting(sound.vector, n) if isinstance(sound, Sound) else sound
            if progress is not None:
                progress(done, len(paths))

    def duplicates(self) -> Duplicates:
        """What is there more than once, and what sounds as if it were.

        Raises:
            MuscallError: there is no library.
        """
        from muscall.library.duplicates import find_duplicates

        self.store.must_exist()
        return find_duplicates(self.store, self.embedding_version)

    def export(self, path: Path) -> int:
        """Write tracks and embeddings to a Parquet file, see `export_parquet`; their number.

        Raises:
            NothingIndexed: with this model.
            MuscallError: there is no library, or the file cannot be written.
        """
        from muscall.library.exporting import export_parquet

        self.store.must_exist()
        table = self.store.tracks(self.embedding_version)
        if table is None:
            raise NothingIndexed
        return export_parquet(table, self.embedding_version, path)

    def vocabulary(self, labels: Path | None = None) -> Vocabulary:
        """Labels, those of the package for None, compared with the tracks that are there now.

        Raises:
            MuscallError: the labels cannot be read.
        """
        from muscall.library.describing import ENOUGH

        chosen = self._labels if labels is None else self._vocabulary(labels)
        others = self.finder.sample()
        if len(others) < ENOUGH:
            log.info("under %d tracks are indexed to compare labels with", ENOUGH)
        return chosen.against(others)

    @cached_property
    def playlists(self) -> Playlists:
        """Requests under names, whose lists `index` writes anew."""
        return Playlists(self)

    @cached_property
    def finder(self) -> Finder:
        """What searches the tracks that the model has heard."""
        return Finder(self.store, self.embedding_version, self.reader)

    @cached_property
    def _examples(self) -> Examples:
        return Examples(self)

    @cached_property
    def _labels(self) -> Vocabulary:
        return self._vocabulary(None)

    def _vocabulary(self, file: Path | None) -> Vocabulary:
        from muscall.library.describing import EXCLUSIVE, Vocabulary, read_labels
        from muscall.library.trusted import calibration

        labels = read_labels(file)  # before the model is loaded
        if file is not None:
            return Vocabulary(self.reader, labels, embedding_version=self.embedding_version)
        trusted = calibration(self.embedding_version)
        return Vocabulary(
            self.reader, trusted.labels if trusted else labels,
            exclusive=EXCLUSIVE, embedding_version=self.embedding_version, calibration=trusted,
        )  # fmt: skip

    def status(self) -> Status:
        """What is in the library.

        Raises:
            MuscallError: there is none.
        """
        self.store.must_exist()
        return read_status(self.store)

    def errors(self) -> list[tuple[Path, str]]:
        """The files that cannot be read, sorted by name, and why.

        Raises:
            MuscallError: there is no library.
        """
        self.store.must_exist()
        return read_errors(self.store)
