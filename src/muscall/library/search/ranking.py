"""The order of tracks for a search, by names, words and sound together.

A track's sound is as near to a query as the cosine of their embeddings, in standard deviations over
the collection. The words of the query count where they stand in a track's names, the rarer the
more. The sum orders the tracks, those that are called what is asked for before all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from muscall.library.names import folded, several_names
from muscall.library.search.hits import Hit, Passage

if TYPE_CHECKING:
    from muscall.models.reader import Reader

AVOID_WEIGHT = 0.5  # of what a query excludes, beside 1 for what it asks for
KEYWORD_WEIGHT = 3.0  # standard deviations that a word found in one track alone is worth
VERSION_SIMILARITY = 0.985  # cosine from which two tracks are shown as versions of one
VERSION_LENGTHS = 0.02  # share by which their lengths may differ


@dataclass(frozen=True, eq=False)
class Candidates:
    """Tracks that may be found, n of them; in their order where nothing ranks one above others."""

    keys: Sequence[str]
    vectors: np.ndarray
    """(n, dim) float32, unit norm."""
    durations: np.ndarray
    """(n,), in seconds."""
    artists: Sequence[str]
    """With "; " between several."""
    keywords: np.ndarray
    """(n,): what the words of the query are worth that stand in their names, 0..1 and more."""
    called: np.ndarray
    """(n,) integers: 2 for what is called as the query says, 1 if that is misspelt, else 0."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Candidates in their order, the best first."""

    order: np.ndarray
    """(n,) indices."""
    similarities: np.ndarray
    """(n,) cosines, by index; 0 without a direction."""
    relative: np.ndarray
    """(n,) in 0..1, by index: from the collection's mean (0) to the best that was found (1)."""


def direction(
    model: Reader,
    wanted: str,
    avoided: Sequence[str] = (),
    like: Sequence[np.ndarray] = (),
    unlike: Sequence[np.ndarray] = (),
) -> np.ndarray | None:
    """Where what is asked for lies: (dim,) float32, unit norm; None without any."""
    total = np.zeros(model.config.dim, np.float32)
    texts = [*([wanted] if wanted else []), *avoided]
    if texts:
        vectors = model.encode_text(texts)
        asked = 1 if wanted else 0
        total += vectors[:asked].sum(axis=0) - AVOID_WEIGHT * vectors[asked:].sum(axis=0)
    for weight, examples in ((1.0, like), (-AVOID_WEIGHT, unlike)):
        for example in examples:
            total += weight * example
    size = float(np.linalg.norm(total))
    return total / size if size > 1e-6 else None


def rank(
    candidates: Candidates, query: np.ndarray | None, sample: np.ndarray, *, known: bool = True
) -> Ranking:
    """Order candidates for a direction (dim,), or by words alone.

    Args:
        sample: (m, dim), the collection or what stands for it.
        known: whether the model knows what is asked for. If not, nothing is said to fit but what
            is called so.
    """
    count = len(candidates.keys)
    similarities, deviations = np.zeros(count), np.zeros(count)
    if query is not None:
        usual = sample @ query
        similarities = candidates.vectors @ query
        deviations = (similarities - usual.mean()) / max(float(usual.std()), 1e-6)
    scores = deviations + KEYWORD_WEIGHT * candidates.keywords
    order = np.lexsort((-scores, -candidates.called))
    others = scores[candidates.called == 0]
    best = max([*others.tolist(), 1e-6])
    relative = (scores / best).clip(0, 1) if known else np.zeros(count)
    if query is not None and known:
        relative[order[:1]] = 1
    relative[candidates.called > 0] = 1
    return Ranking(order, similarities, relative)


def choose(
    candidates: Candidates, order: np.ndarray, n: int, max_per_artist: int | None = None
) -> list[list[int]]:
    """The first `n` tracks as indices, each before those that sound the same."""
    chosen: list[list[int]] = []
    artists: dict[str, int] = {}
    most = min(n, len(order))
    vectors, lengths = np.empty((most, candidates.vectors.shape[1]), np.float32), np.empty(most)
    for index in order.tolist():
        vector, length = candidates.vectors[index], candidates.durations[index]
        shown = len(chosen)
        same = sound_the_same(vectors[:shown], lengths[:shown], vector, length)
        if same.any():
            chosen[same.argmax()].append(index)
            continue
        its = [folded(artist) for artist in several_names(candidates.artists[index])]
        if any(artists.get(artist, 0) >= (max_per_artist or len(order)) for artist in its):
            continue
        if shown < most:
            artists.update({artist: artists.get(artist, 0) + 1 for artist in its})
            vectors[shown], lengths[shown] = vector, length
            chosen.append([index])
    return chosen


def sound_the_same(
    vectors: np.ndarray, lengths: np.ndarray, vector: np.ndarray, length: float
) -> np.ndarray:
    """(n,) booleans: which of n tracks are shown as versions of one.

    Args:
        vectors: (n, dim), unit norm.
        lengths: (n,), in seconds.
    """
    shorter, longer = np.minimum(lengths, length), np.maximum(lengths, length)
    near = vectors @ vector >= VERSION_SIMILARITY
    return np.asarray(near & (shorter >= (1 - VERSION_LENGTHS) * longer))


def ranked_hits(
    candidates: Candidates,
    ranking: Ranking,
    chosen: Sequence[Sequence[int]],
    hits: Mapping[str, Hit],
    passages: Mapping[str, Passage] | None = None,
) -> list[Hit]:
    """What `choose` gave as hits.

    Args:
        hits: what is known of each track by its key; a track that is not there is left out.
        passages: what fits best of a track, by its key.
    """
    found: list[Hit] = []
    for group in chosen:
        ranked = [
            replace(
                hits[candidates.keys[index]],
                rank=len(found) + 1,
                score=float(ranking.similarities[index]),
                relative_score=float(ranking.relative[index]),
                keyword_match=bool(candidates.keywords[index] > 0 or candidates.called[index] > 0),
            )
            for index in group
            if candidates.keys[index] in hits
        ]
        if ranked:
            first, *versions = ranked
            passage = (passages or {}).get(first.key)
            found.append(replace(first, passage=passage, versions=tuple(versions)))
    return found
