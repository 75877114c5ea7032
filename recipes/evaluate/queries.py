"""How well requests are understood and answered, by kind, on 328 real tracks.

    python -m recipes.evaluate.queries [--half choosing] [--only "other script"]

Asks what stands in `queries.jsonl` of a library of the tracks, which it makes where it is not there
yet (ten minutes), and prints a Markdown table. Names: precision among the first min(10, the number
of right tracks), or (with a slip, in part, in other letters) whether one is among the first three;
conditions: the share of requests that give exactly the tracks for which they hold; what is
unwanted: its share among the first 20, beside that of a request for it; sounds: mean average
precision, beside that of the cosine alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from muscall import Library
from muscall.library.search.reading import read_sentence
from recipes.evaluate.collection import collect
from recipes.evaluate.make_queries import QUERIES, Line

ALL = 10_000  # results; more than there are tracks
FIRST, UNWANTED = 10, 20

Table = dict[str, dict[str, Any]]
"""Columns of each track by its id."""


def found(library: Library, query: str, n: int) -> list[set[str]]:
    """The ids that each result stands for: its own, and those of its versions."""
    hits = library.search(query, n=n)
    return [{one.path.stem for one in (hit, *hit.versions)} for hit in hits]


def score(library: Library, table: Table, line: Line) -> float:
    """0..1; of what is unwanted, the less the better."""
    query, relevant = line["query"], set(line.get("relevant", ()))
    if "unwanted" in line:
        first = found(library, query, UNWANTED)
        return float(np.mean([bool(ids & set(line["unwanted"])) for ids in first])) if first else 0
    if "where" in line:
        right = {track for track, row in table.items() if holds(row, line["where"])}
        ids = set[str]().union(*found(library, query, ALL))
        return float(ids == right)
    if "among" in line:
        return precision([one for ids in found(library, query, ALL) for one in sorted(ids)], line)
    if line["kind"].endswith("exact"):
        first = found(library, query, min(FIRST, len(relevant)))
        return float(np.mean([bool(ids & relevant) for ids in first])) if first else 0
    return float(any(ids & relevant for ids in found(library, query, 3)))


def precision(order: list[str], line: Line) -> float:
    """Average precision of tracks in their order, those that are missing last."""
    order = [one for one in order if one in set(line["among"])]
    order += sorted(set(line["among"]).difference(order))
    labels = np.isin(order, line["relevant"])
    return float(average_precision_score(labels, -np.arange(len(order))))


def by_sound(library: Library, table: Table, query: str) -> list[str]:
    """All tracks in the order of their cosine with a sentence."""
    vectors = np.array([row["vector"] for row in table.values()])
    (direction,) = library.model.encode_text(query)
    return [list(table)[index] for index in np.argsort(-vectors @ direction)]


def holds(row: dict[str, Any], where: dict[str, tuple[float | None, float | None]]) -> bool:
    """Whether each column that is named has a value, within its bounds."""
    values = row | {"bpm": row["bpm"] or row["tempo"]}
    return all(
        values[column] is not None
        and (least is None or values[column] >= least)
        and (most is None or values[column] <= most)
        for column, (least, most) in where.items()
    )


def main() -> None:
    """Print the table of one half."""
    parser = argparse.ArgumentParser(description="Measure the search by requests with answers.")
    parser.add_argument("--half", default="choosing", choices=["choosing", "final"])
    parser.add_argument("--library", type=Path, default=Path("corpora/queries/library"))
    parser.add_argument("--dev", type=Path, default=Path("corpora/dev"))
    parser.add_argument("--only", default="", help="the kinds of requests that begin so")
    parser.add_argument("--failed", action="store_true", help="list the requests that fail")
    options = parser.parse_args()
    library = Library(options.library)
    music = options.library.parent / "music"
    collect(options.dev, music)
    library.index(music)
    rows = library.store.tracks(library.embedding_version).to_arrow().to_pylist()  # type: ignore[union-attr]
    table = {Path(row["path"]).stem: row for row in rows}
    lines = [json.loads(line) for line in QUERIES.read_text().splitlines()]
    scores, beside = defaultdict(list), defaultdict(list)
    reading, searching = [], []
    for line in lines:
        if line["half"] != options.half or not line["kind"].startswith(options.only):
            continue
        start = time.perf_counter()
        read_sentence(line["query"])
        reading.append(time.perf_counter() - start)
        start = time.perf_counter()
        value = score(library, table, line)
        searching.append(time.perf_counter() - start)
        scores[line["kind"]].append(value)
        if "beside" in line:
            beside[line["kind"]].append(score(library, table, {**line, "query": line["beside"]}))
        elif "among" in line:
            plain = precision(by_sound(library, table, line["query"]), line)
            beside[line["kind"]].append(plain)
        if options.failed and (value > 0 if "unwanted" in line else value < 1):
            print(f"{line['kind']}: {line['query']!r}: {value:.2f}")
    print("| requests | | score | beside |\n|---|---:|---:|---:|")
    for kind, values in scores.items():
        other = f"{np.mean(beside[kind]):.3f}" if kind in beside else ""
        print(f"| {kind} | {len(values)} | {np.mean(values):.3f} | {other} |")
    print(
        f"\nReading {1e3 * np.mean(reading):.2f} ms, a search {1e3 * np.median(searching):.0f} ms."
    )


if __name__ == "__main__":
    main()
