"""How well sentences of other languages are read: what they find beside their English twins.

    python -m recipes.evaluate.languages LIBRARY [--each]

For each language of `languages.tsv`: how many of the first ten tracks for a sentence are among the
first ten for its twin, how many sentences share at least seven, how many were read as English, and
how long reading takes. `--each` prints each sentence, as it was read, with what it shares.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np

from muscall import Library
from muscall.library.search.reading import read_sentence
from muscall.library.search.wording import is_plain

SENTENCES = Path(__file__).parent / "languages.tsv"
FIRST = 10


def sentences() -> list[dict[str, str]]:
    """A sentence in every language, by its code, "en" among them."""
    with SENTENCES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def shared(library: Library, sentence: str, twin: str) -> float:
    """What share of the first ten tracks for `twin` is among those for `sentence`; in [0, 1]."""
    found, expected = (
        {hit.key for hit in library.search(text, n=FIRST)} for text in (sentence, twin)
    )
    return len(found & expected) / len(expected) if expected else float(not found)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", type=Path)
    parser.add_argument("--each", action="store_true")
    options = parser.parse_args()
    library, rows = Library(options.library), sentences()
    print("| | sentences | shared of ten | with seven or more | read as English | reading, ms |")
    print("|---|---:|---:|---:|---:|---:|")
    for language in [name for name in rows[0] if name != "en"]:
        shares, seconds, read = [], [], []
        for row in rows:
            start = time.perf_counter()
            reading = read_sentence(
                row[language], is_plain=lambda word: is_plain(library.model, word)
            )
            seconds.append(time.perf_counter() - start)
            read.append(reading.is_translated)
            shares.append(shared(library, row[language], row["en"]))
            if options.each:
                read_as = reading.parts[0].value
                print(f"{shares[-1]:.1f}  {row['en']}  <  {row[language]}  >  {read_as}")
        print(
            f"| {language} | {len(rows)} | {FIRST * np.mean(shares):.1f} "
            f"| {100 * np.mean(np.array(shares) >= 0.7):.0f} % | {sum(read)} "
            f"| {1000 * np.median(seconds):.2f} |"
        )


if __name__ == "__main__":
    main()
