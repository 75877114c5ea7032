"""Search files and folders without a library: listen to them now, and rank them as one would be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from muscall.audio import decode
from muscall.audio.tags import Tags, read_tags
from muscall.errors import AudioError, MuscallError
from muscall.library.embedding import Collection, embed_files
from muscall.library.names import without_common, words_of
from muscall.library.search.hits import Hit, Results
from muscall.library.search.ranking import Candidates, choose, direction, rank, ranked_hits
from muscall.library.search.reading import read_sentence
from muscall.library.search.wording import warn_if_long
from muscall.models.muscall import MusCALL


def search(
    model: MusCALL,
    text: str,
    paths: str | Path | Sequence[str | Path],
    n: int = 10,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Results, list[AudioError]]:
    """Embed every music file under `paths` (files or folders) and find what fits a sentence.

    Names and negations count as in a library ("calm piano, no drums"); conditions need one.

    Args:
        progress: called with the number of files done and of all files.

    Returns:
        The best `n`, best first, and the files that could not be read, which are also logged.

    Raises:
        MuscallError: the query is empty, a path does not exist, or there is no music that can be
            read.
    """
    if not text.strip():
        raise MuscallError("the query is empty: it needs a sentence")
    collection = embed_files(model, paths, progress=progress)
    return rank_collection(model, text, collection, n), collection.failures


def rank_collection(model: MusCALL, text: str, collection: Collection, n: int) -> Results:
    """The `n` tracks of `collection` that fit a sentence best, best first."""
    reading = read_sentence(text, conditions=False)
    warn_if_long(model, reading.sound)
    query = direction(model, reading.sound, reading.without)
    tags = [read_tags(path) for path in collection.paths]
    words = [_words(path, tag) for path, tag in zip(collection.paths, tags, strict=True)]
    asked = words_of([reading.wanted])
    avoided = [words_of([thing]) for thing in reading.without]
    kept = [
        index
        for index, its in enumerate(words)
        if not any(thing and its.issuperset(thing) for thing in avoided)
    ]
    paths = [collection.paths[index] for index in kept]
    hits = {str(path): _hit(path, tags[index]) for path, index in zip(paths, kept, strict=True)}
    candidates = Candidates(
        keys=list(hits),
        vectors=collection.embeddings[kept],
        durations=np.array([hit.duration for hit in hits.values()]),
        artists=[hit.artist for hit in hits.values()],
        keywords=_keywords(without_common(asked), [words[index] for index in kept]),
        called=np.array([2 * (bool(asked) and words[index].issuperset(asked)) for index in kept]),
    )
    ranking = rank(candidates, query, collection.embeddings)
    chosen = choose(candidates, ranking.order, n)
    return Results(ranked_hits(candidates, ranking, chosen, hits), reading.parts)


def _words(path: Path, tags: Tags) -> set[str]:
    people = (*tags.artist, *tags.albumartist, *tags.composer)
    return set(words_of([tags.title, tags.album, *people, *tags.genre, path.stem]))


def _keywords(asked: Sequence[str], names: Sequence[set[str]]) -> np.ndarray:
    """What the words that stand in each name are worth: 1 for one that stands in no other."""
    rarest = np.log(1 + len(names))
    worth = {
        word: np.log(1 + len(names) / count) / rarest
        for word in asked
        if (count := sum(word in its for its in names))
    }
    return np.array([sum(worth.get(word, 0.0) for word in its) for its in names])


def _hit(path: Path, tags: Tags) -> Hit:
    return Hit(
        path=path,
        title=tags.title,
        artist="; ".join(tags.artist),
        album=tags.album,
        genre="; ".join(tags.genre),
        year=tags.year,
        bpm=tags.bpm,
        rating=tags.rating,
        duration=decode.probe(path).duration,
    )
