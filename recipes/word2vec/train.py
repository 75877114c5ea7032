"""Train word vectors on open text: what the baseline's text encoder is made of.

    python -m recipes.word2vec.train [--captions MANIFEST]

Fetches the Debian packages of sources.yaml once, takes their English text, with `--captions` also
the sentences of a manifest's training split, and trains skip-gram vectors by gensim. Writes
`corpora/word2vec/vectors.bin`, which configs/dcase.yaml names, and prints the nearest neighbours
of a few words of music.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import re
import tempfile
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

import yaml
from gensim.models import KeyedVectors, Word2Vec

from muscall.data.manifest import read_manifest
from muscall.text.words import words_of
from recipes.corpus.packages import debian

SOURCES = Path(__file__).parent / "sources.yaml"
SHOWN = ("piano", "guitar", "drums", "violin", "jazz", "waltz", "slow", "cheerful", "melancholy")
# A clause ends at a stop or a blank line; a line ends where the page was full.
ENDS = re.compile(r"[.!?;]\s|\n\s*\n")


class _Prose(HTMLParser):
    """Text of a page without scripts, styles and code."""

    silent = frozenset({"script", "style", "pre", "title"})
    inline = frozenset({"a", "abbr", "b", "code", "em", "i", "span", "strong", "sub", "tt"})

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.inside = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.inside += tag in self.silent
        if tag not in self.inline:
            self.text.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag in self.silent

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.text.append(data)


def text_of(path: Path) -> str:
    """The prose in a page, or in a dictionary packed as dictd reads it."""
    if path.suffix == ".dz":
        return gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    page = _Prose()
    page.feed(path.read_text("utf-8", "replace"))
    return "".join(page.text)


def sentences_of(text: str) -> Iterator[list[str]]:
    """Clauses of a text as lists of words; one word alone says nothing of its neighbours."""
    for clause in ENDS.split(text):
        words = words_of(clause)
        if len(words) > 1:
            yield words


def sentences(cache: Path, captions: Path | None) -> Iterator[tuple[str, list[str]]]:
    """(where it is from, its words) for each sentence to learn from."""
    for name, source in yaml.safe_load(SOURCES.read_text("utf-8")).items():
        root = debian(name, cache).root
        for path in sorted({path for glob in source["files"] for path in root.glob(glob)}):
            for words in sentences_of(text_of(path)):
                yield name, words
    if captions is not None:
        for row in read_manifest(captions, split="train", check_files=False):
            for caption in row.captions:
                yield "captions", words_of(caption)


def train(found: Sequence[list[str]], *, size: int, least: int, epochs: int) -> KeyedVectors:
    """Skip-gram vectors (Mikolov et al. 2013) of the words that occur `least` times or more.

    One thread, so that the same text gives the same vectors.
    """
    model = Word2Vec(
        found,
        vector_size=size,
        min_count=least,
        epochs=epochs,
        sg=1,
        window=5,
        negative=5,
        sample=1e-4,
        workers=1,
        seed=0,
    )
    return model.wv


def write(vectors: KeyedVectors, facts: dict[str, object], out: Path) -> None:
    """`vectors.bin` and, beside it, `vectors.json` with what they were learned from."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".") as aside:
        vectors.save_word2vec_format(f"{aside}/vectors.bin", binary=True)
        Path(aside, "vectors.json").write_text(json.dumps(facts, indent=2) + "\n")
        for name in ("vectors.json", "vectors.bin"):
            Path(aside, name).replace(out / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--captions", type=Path, help="a manifest; its training split is learned")
    parser.add_argument("--out", type=Path, default=Path("corpora/word2vec"))
    parser.add_argument("--cache", type=Path, default=Path("corpora/cache"))
    parser.add_argument("--size", type=int, default=300, help="values of a vector")
    parser.add_argument("--least", type=int, default=5, help="occurrences that a word must have")
    parser.add_argument("--epochs", type=int, default=5)
    given = parser.parse_args()
    logging.basicConfig(format="%(message)s", level=logging.INFO)

    counts: dict[str, int] = {}
    found = []
    for name, words in sentences(given.cache, given.captions):
        counts[name] = counts.get(name, 0) + len(words)
        found.append(words)
    settings = {"size": given.size, "least": given.least, "epochs": given.epochs}
    vectors = train(found, **settings)
    facts = {"words_read": counts, "words_with_a_vector": len(vectors), **settings}
    write(vectors, facts, given.out)
    print(json.dumps(facts, indent=2))
    for word in SHOWN:
        if word in vectors:
            near = vectors.most_similar(word, topn=6)
            print(f"{word:<12}{', '.join(f'{other} {score:.2f}' for other, score in near)}")


if __name__ == "__main__":
    main()
