"""How well the names of a library are found: typed as they are, with a slip, and as unwanted.

    python -m recipes.evaluate.names LIBRARY [--seed 0]

For each artist, album and title of the tags: precision among the first min(10, the number of its
tracks) of a search for it, whether one of them is among the first three for it with one letter left
out, doubled or exchanged, and what share of the first 20 for "music, no NAME" is called so.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from muscall import Library
from muscall.errors import NotFound
from muscall.library.names import words_of
from muscall.library.search.hits import Results

LEAST = 5  # letters of a name that a slip is made in
KINDS = ("artist", "album", "title")


def names(library: Library) -> dict[str, dict[str, set[str]]]:
    """The keys of the tracks of each name, by kind."""
    table = library.store.tracks(library.pipeline)
    if table is None:
        raise NotFound("nothing is indexed with this model")
    found: dict[str, dict[str, set[str]]] = {kind: defaultdict(set) for kind in KINDS}
    for row in table.search().select(["key", *KINDS]).limit(None).to_list():
        for kind in KINDS:
            for name in filter(None, (row[kind] or "").split("; ")):
                found[kind][name].add(row["key"])
    return found


def with_a_slip(name: str, draw: np.random.Generator) -> str:
    """`name` with one letter left out, doubled or exchanged for its neighbour."""
    at = int(draw.integers(1, len(name) - 1))
    before, letter, after = name[:at], name[at], name[at + 1 :]
    return [before + after, before + 2 * letter + after, before + after[:1] + letter + after[1:]][
        int(draw.integers(3))
    ]


def _keys(results: Results) -> list[set[str]]:
    return [{hit.key, *(version.key for version in hit.versions)} for hit in results]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    library, draw = Library(options.library), np.random.default_rng(options.seed)
    words = {
        row["key"]: set((row["words"] or "").split())
        for row in library.store.tracks(library.pipeline).to_arrow().to_pylist()  # type: ignore[union-attr]
    }
    print("| | names | precision | misspelt, among three | unwanted, of 20 | a search, ms |")
    print("|---|---:|---:|---:|---:|---:|")
    for kind, groups in names(library).items():
        if not groups:
            continue
        exact, slips, unwanted, seconds = [], [], [], []
        for name, own in groups.items():
            start = time.perf_counter()
            first = _keys(library.search(name, n=min(10, len(own))))
            seconds.append(time.perf_counter() - start)
            # What is called so by another tag, or its file, is right as well.
            called = {key for key, its in words.items() if its.issuperset(words_of([name]))}
            exact.append(np.mean([bool(keys & called) for keys in first]))
            if len(name) >= LEAST:
                found = _keys(library.search(with_a_slip(name, draw), n=3))
                slips.append(any(keys & called for keys in found))
            without = _keys(library.search(f"music, no {name}", n=20))
            unwanted.append(np.mean([bool(keys & called) for keys in without]) if without else 0)
        means = f"{np.mean(exact):.3f} | {np.mean(slips):.3f} | {np.mean(unwanted):.3f}"
        print(f"| {kind} | {len(groups)} | {means} | {1000 * np.median(seconds):.0f} |")


if __name__ == "__main__":
    main()
